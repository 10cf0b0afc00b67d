//! `replaces`: the certificate that an order renews (RFC 9773 section 5).

use domain::acme::account::Account;
use domain::acme::order::OrderStatus;
use domain::id::CertificateId;
use domain::identifier::Identifier;
use pki::ari::CertId;
use pki::time::Timestamp;
use store::Tx;

use super::NewOrderError;
use crate::Lifecycle;
use crate::acme::orders::view_order;

impl Lifecycle {
    /// The certificate that `replaces` names: one of the account that shares a name with the order.
    pub(super) async fn replaced_certificate(
        &self,
        account: &Account,
        identifiers: &[Identifier],
        cert_id: &str,
    ) -> Result<CertificateId, NewOrderError> {
        let cert_id: CertId = cert_id
            .parse()
            .map_err(|_| NewOrderError::Replaces("it is no certificate identifier of RFC 9773"))?;
        let certificate = self
            .certificate_by_cert_id(&cert_id)
            .await?
            .filter(|certificate| certificate.account_id.as_ref() == Some(&account.id))
            .ok_or(NewOrderError::Replaces(
                "no certificate of the account has it",
            ))?;
        let shares_a_name = identifiers
            .iter()
            .any(|identifier| certificate.names.contains(&identifier.to_string()));
        if !shares_a_name {
            return Err(NewOrderError::Replaces("the order shares no name with it"));
        }
        Ok(certificate.id)
    }
}

/// Not replaced yet, and no other order that may still do it.
pub(super) async fn require_replaceable(
    tx: &mut Tx<'_>,
    certificate: &CertificateId,
    now: Timestamp,
) -> Result<(), NewOrderError> {
    // The lock makes two orders that replace the same certificate see each other.
    let stored = tx.find_certificate_for_update(certificate).await?;
    if stored.is_none_or(|certificate| certificate.replaced_by.is_some()) {
        return Err(NewOrderError::AlreadyReplaced);
    }
    for other in tx.list_orders_replacing(certificate).await? {
        let view = view_order(tx, other, now).await?;
        match view.status {
            OrderStatus::Invalid(_) => {}
            OrderStatus::Pending
            | OrderStatus::Ready
            | OrderStatus::Processing { .. }
            | OrderStatus::Valid { .. } => return Err(NewOrderError::AlreadyReplaced),
        }
    }
    Ok(())
}
