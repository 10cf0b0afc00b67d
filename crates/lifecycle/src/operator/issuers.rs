//! CAs in service: their state, their limits, their CRL, and how a change of one is stored.

use std::sync::Arc;

use domain::certificate::{Chain, InventoryCertificate};
use domain::id::IssuerId;
use domain::issuer::{Issuer, IssuerLimits, IssuerState};
use domain::keystore::KeyStoreError;
use pki::csr::CsrBuildError;
use pki::key::KeyError;
use pki::time::Timestamp;
use serde_json::{Value, json};
use store::crls::StoredCrl;
use store::jobs::JobRow;
use store::{StoreError, Tx};

use super::ca_chain::CaChainError;
use super::version_after;
use crate::Lifecycle;
use crate::acme::directories::is_slug;
use crate::actor::Caller;
use crate::jobs::Job;
use crate::revocation::crl::CrlError;

/// Why an issuer is not made or not changed.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    #[error("there is no issuer `{0}`")]
    Unknown(String),
    #[error("there already is an issuer `{0}`; choose another name")]
    NameTaken(String),
    #[error("`{0}` is no name for an issuer; use lower-case letters, digits and hyphens, 1 to 63")]
    BadName(String),
    #[error(transparent)]
    Chain(#[from] CaChainError),
    #[error("the issuer has no certificate yet; install the one made from its request first")]
    AwaitsCertificate,
    #[error("the key of the issuer `{0}` is not here, so this cannot be done here")]
    NoKeyHere(String),
    #[error("the issuer `{0}` has no way to list what it issued")]
    CannotList(String),
    #[error("a subject is needed, for example `CN=Example Issuing CA,O=Example`")]
    NoSubject,
    #[error("the request cannot be built: {0}")]
    Csr(#[from] CsrBuildError),
    #[error(transparent)]
    KeyStore(#[from] KeyStoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the CRL was not made: {0}")]
    Crl(#[from] CrlError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// The issuer of that name, as it is stored.
    pub async fn find_issuer(&self, name: &str) -> Result<Option<Issuer>, StoreError> {
        let name = name.to_owned();
        self.store
            .read("issuer.find", |tx| {
                Box::pin(async move { tx.find_issuer_by_name(&name).await })
            })
            .await
    }

    /// Takes an issuer out of service, or back into it. A retired one still publishes CRLs and
    /// answers OCSP for what it signed.
    pub async fn set_issuer_active(
        &self,
        name: &str,
        active: bool,
        caller: &Caller,
    ) -> Result<Issuer, IssuerError> {
        let mut issuer = self.require_issuer(name).await?;
        if issuer.state == IssuerState::AwaitingCertificate {
            return Err(IssuerError::AwaitsCertificate);
        }
        let (state, event_name) = match active {
            true => (IssuerState::Active, "issuer.activated"),
            false => (IssuerState::Retired, "issuer.retired"),
        };
        if issuer.state == state {
            return Ok(issuer);
        }
        let data = json!({ "name": issuer.name, "before": issuer.state, "after": state });
        issuer.state = state;
        let change = IssuerChange {
            is_new: false,
            event_name,
            data,
            entries: None,
            csr: None,
        };
        self.store_issuer(issuer, change, caller).await
    }

    /// Says how much an issuer may sign from now on.
    pub async fn set_issuer_limits(
        &self,
        name: &str,
        limits: IssuerLimits,
        caller: &Caller,
    ) -> Result<Issuer, IssuerError> {
        let mut event = self.event(caller, "issuer.limits_changed", name, Value::Null);
        let (wanted, now) = (name.to_owned(), self.now());
        let changed = self
            .store
            .write("issuer.limits", move |tx| {
                Box::pin(async move {
                    let found = tx.find_issuer_by_name(&wanted).await?;
                    let mut issuer = found.ok_or(IssuerError::Unknown(wanted))?;
                    event.data = json!({
                        "name": issuer.name, "before": issuer.limits, "after": limits,
                    });
                    event.object = issuer.id.to_string();
                    issuer.limits = limits;
                    issuer.updated_at = version_after(issuer.updated_at, now);
                    tx.update_issuer(&issuer).await?;
                    tx.insert_event(&event).await?;
                    Ok::<_, IssuerError>(issuer)
                })
            })
            .await;
        self.issuers.invalidate();
        changed
    }

    /// Makes an issuer's next CRL now.
    pub async fn publish_crl(
        &self,
        name: &str,
        caller: &Caller,
    ) -> Result<Arc<StoredCrl>, IssuerError> {
        let issuer = self.require_issuer(name).await?;
        if issuer.state == IssuerState::AwaitingCertificate {
            return Err(IssuerError::AwaitsCertificate);
        }
        if issuer.connector.embedded().is_none() {
            return Err(IssuerError::NoKeyHere(issuer.name));
        }
        let event = self.event(caller, "crl.requested", issuer.id.as_str(), json!({}));
        self.store
            .write("crl.request", move |tx| {
                Box::pin(async move { tx.insert_event(&event).await })
            })
            .await?;
        self.refresh_crl(&issuer.id).await?;
        let crl = self.latest_crl(&issuer.id).await?;
        crl.ok_or_else(|| IssuerError::Crl(CrlError::NoKey))
    }

    pub(crate) async fn require_issuer(&self, name: &str) -> Result<Issuer, IssuerError> {
        self.find_issuer(name)
            .await?
            .ok_or_else(|| IssuerError::Unknown(name.chars().take(80).collect()))
    }

    pub(super) async fn check_issuer_name(&self, name: &str) -> Result<(), IssuerError> {
        if !is_slug(name) {
            return Err(IssuerError::BadName(name.chars().take(80).collect()));
        }
        match self.find_issuer(name).await? {
            Some(_) => Err(IssuerError::NameTaken(name.to_owned())),
            None => Ok(()),
        }
    }

    pub(super) async fn store_issuer(
        &self,
        mut issuer: Issuer,
        change: IssuerChange,
        caller: &Caller,
    ) -> Result<Issuer, IssuerError> {
        let now = self.now();
        if !change.is_new {
            issuer.updated_at = version_after(issuer.updated_at, now);
        }
        let event = self.event(
            caller,
            change.event_name,
            issuer.id.as_str(),
            change.data.clone(),
        );
        // Clients look for the CRL as soon as there is a certificate that names it.
        let has_crl = issuer.state != IssuerState::AwaitingCertificate
            && issuer.connector.embedded().is_some();
        let job = has_crl.then(|| {
            let issuer = issuer.id.clone();
            self.new_job(&Job::RefreshCrl { issuer }, now)
        });
        let stored = issuer.clone();
        let result = self
            .store
            .write("issuer.store", move |tx| {
                Box::pin(async move {
                    write_issuer(tx, &stored, &change, job.as_ref(), now).await?;
                    tx.insert_event(&event).await
                })
            })
            .await;
        self.issuers.invalidate();
        self.jobs.notify();
        match result {
            Ok(()) => Ok(issuer),
            // Two imports of one name at once.
            Err(error) if error.is_duplicate() => Err(IssuerError::NameTaken(issuer.name)),
            Err(error) => Err(error.into()),
        }
    }
}

/// What is stored with an issuer.
pub(super) struct IssuerChange {
    pub(super) is_new: bool,
    pub(super) event_name: &'static str,
    pub(super) data: Value,
    pub(super) entries: Option<CaEntry>,
    pub(super) csr: Option<String>,
}

/// A CA's certificate for the inventory, with those above it.
pub(super) struct CaEntry {
    pub(super) certificate: InventoryCertificate,
    pub(super) above: Chain,
}

async fn write_issuer(
    tx: &mut Tx<'_>,
    issuer: &Issuer,
    change: &IssuerChange,
    job: Option<&JobRow>,
    now: Timestamp,
) -> Result<(), StoreError> {
    match change.is_new {
        true => tx.insert_issuer(issuer).await?,
        false => {
            tx.update_issuer(issuer).await?;
        }
    }
    match &change.csr {
        Some(csr) => tx.put_setting(&csr_setting(&issuer.id), csr, now).await?,
        None => {
            tx.delete_setting(&csr_setting(&issuer.id)).await?;
        }
    }
    if let Some(entry) = &change.entries {
        let fingerprint = entry.certificate.fingerprint;
        if tx
            .find_certificate_by_fingerprint(&fingerprint)
            .await?
            .is_none()
        {
            if entry.certificate.chain_id.is_some() {
                tx.put_chain(&entry.above).await?;
            }
            tx.insert_certificate(&entry.certificate).await?;
        }
    }
    if let Some(job) = job {
        tx.enqueue_or_hasten(job).await?;
    }
    Ok(())
}

pub(super) fn csr_setting(issuer: &IssuerId) -> String {
    format!("issuer-csr/{issuer}")
}
