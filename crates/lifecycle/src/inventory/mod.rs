//! The inventory: every certificate we know, found and listed.

pub(crate) mod entry;
pub mod figures;
pub mod import;
pub mod saved_searches;
pub mod sync;
pub mod trends;

use domain::acme::account::Account;
use domain::certificate::{Chain, InventoryCertificate};
use domain::enrollment::Enrollment;
use domain::id::{AccountId, CertificateId, EnrollmentId, OrderId};
use store::StoreError;
use store::accounts::AccountFilter;
use store::certificates::{CertificateCursor, CertificateFilter, CertificateSort, Listed};
use store::enrollments::EnrollmentFilter;
use store::orders::OrderFilter;

use crate::Lifecycle;
use crate::acme::orders::{OrderView, view_order};

impl Lifecycle {
    /// The certificate with that id.
    pub async fn certificate(
        &self,
        id: &CertificateId,
    ) -> Result<Option<InventoryCertificate>, StoreError> {
        let id = id.clone();
        self.store
            .read("certificate.find", |tx| {
                Box::pin(async move { tx.find_certificate(&id).await })
            })
            .await
    }

    /// A certificate and those above it, leaf first.
    pub async fn certificate_chain(
        &self,
        certificate: &InventoryCertificate,
    ) -> Result<Chain, StoreError> {
        let Some(id) = certificate.chain_id else {
            return Ok(Chain::new(vec![certificate.der.clone()]));
        };
        let upper = self
            .store
            .read("chain.find", |tx| {
                Box::pin(async move { tx.find_chain(&id).await })
            })
            .await?
            .unwrap_or_default();
        Ok(upper.with_leaf(certificate.der.clone()))
    }

    /// Other chains that end at another root: there are some where an issuer is cross-signed.
    pub async fn alternate_chains(
        &self,
        certificate: &InventoryCertificate,
    ) -> Result<Vec<Chain>, StoreError> {
        let Some(id) = &certificate.issuer_id else {
            return Ok(Vec::new());
        };
        let Some(issuer) = self.issuer_by_id(id).await? else {
            return Ok(Vec::new());
        };
        // With the root on top, for relying parties that want to see where the chain ends.
        let full = issuer.connector.chain();
        let served = self.certificate_chain(certificate).await?;
        let whole = full.with_leaf(certificate.der.clone());
        Ok(if whole == served {
            Vec::new()
        } else {
            vec![whole]
        })
    }

    /// Certificates that fit the filter, newest first.
    pub async fn list_certificates(
        &self,
        filter: CertificateFilter,
        after: Option<CertificateId>,
        limit: u32,
    ) -> Result<Vec<InventoryCertificate>, StoreError> {
        self.store
            .scan("certificate.list", move |tx| {
                Box::pin(async move { tx.list_certificates(&filter, after.as_ref(), limit).await })
            })
            .await
    }

    /// Certificates that fit the filter, in the order of `sort`.
    pub async fn search_certificates(
        &self,
        filter: CertificateFilter,
        sort: CertificateSort,
        after: Option<CertificateCursor>,
        limit: u32,
    ) -> Result<Vec<Listed>, StoreError> {
        self.store
            .scan("certificate.search", move |tx| {
                Box::pin(async move {
                    tx.search_certificates(&filter, sort, after.as_ref(), limit)
                        .await
                })
            })
            .await
    }

    /// How many certificates fit the filter.
    pub async fn count_certificates(&self, filter: CertificateFilter) -> Result<u64, StoreError> {
        self.store
            .scan("certificate.count", move |tx| {
                Box::pin(async move { tx.count_certificates(&filter).await })
            })
            .await
    }

    /// ACME accounts that fit the filter, newest first.
    pub async fn list_accounts(
        &self,
        filter: AccountFilter,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<Account>, StoreError> {
        self.store
            .scan("account.list", move |tx| {
                Box::pin(async move { tx.list_accounts(&filter, after.as_ref(), limit).await })
            })
            .await
    }

    /// ACME orders that fit the filter with their status, newest first.
    pub async fn list_orders(
        &self,
        filter: OrderFilter,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<OrderView>, StoreError> {
        let now = self.now();
        self.store
            .scan("order.list", move |tx| {
                Box::pin(async move {
                    let orders = tx.list_orders(&filter, after.as_ref(), limit).await?;
                    let mut views = Vec::with_capacity(orders.len());
                    for order in orders {
                        views.push(view_order(tx, order, now).await?);
                    }
                    Ok(views)
                })
            })
            .await
    }

    /// The order with that id, whosever it is: for operators.
    pub async fn any_order(&self, id: &OrderId) -> Result<Option<OrderView>, StoreError> {
        let (id, now) = (id.clone(), self.now());
        self.store
            .read("order.any", move |tx| {
                Box::pin(async move {
                    match tx.find_order(&id).await? {
                        Some(order) => view_order(tx, order, now).await.map(Some),
                        None => Ok(None),
                    }
                })
            })
            .await
    }

    /// The authorizations of an order, for operators who ask why it failed.
    pub async fn authorizations_of(
        &self,
        view: &OrderView,
    ) -> Result<Vec<domain::acme::authorization::Authorization>, StoreError> {
        let ids = view.order.authorization_ids.clone();
        self.store
            .read("order.authorizations", |tx| {
                Box::pin(async move { tx.list_authorizations_by_ids(&ids).await })
            })
            .await
    }

    /// The enrollment with that id.
    pub async fn enrollment(&self, id: &EnrollmentId) -> Result<Option<Enrollment>, StoreError> {
        let id = id.clone();
        self.store
            .read("enrollment.find", |tx| {
                Box::pin(async move { tx.find_enrollment(&id).await })
            })
            .await
    }

    /// Enrollments that fit the filter, newest first.
    pub async fn list_enrollments(
        &self,
        filter: EnrollmentFilter,
        after: Option<EnrollmentId>,
        limit: u32,
    ) -> Result<Vec<Enrollment>, StoreError> {
        self.store
            .scan("enrollment.list", move |tx| {
                Box::pin(async move { tx.list_enrollments(&filter, after.as_ref(), limit).await })
            })
            .await
    }
}
