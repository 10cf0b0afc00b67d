//! CAs brought into service and out of it.

use std::sync::Arc;

use domain::certificate::{Chain, InventoryCertificate, Origin};
use domain::id::IssuerId;
use domain::issuer::{ConnectorConfig, EmbeddedConfig, Issuer, IssuerLimits, IssuerState};
use domain::keystore::{KeyStoreError, OpenKey};
use pki::certificate::Certificate;
use pki::csr::CsrBuildError;
use pki::key::{KeyAlgorithm, KeyError, LocalKey, SigningKey};
use pki::name::DistinguishedName;
use pki::time::Timestamp;
use serde_json::{Value, json};
use store::crls::StoredCrl;
use store::jobs::JobRow;
use store::{StoreError, Tx};

use super::ca_chain::{CaChain, CaChainError};
use crate::Lifecycle;
use crate::acme::directories::is_slug;
use crate::actor::Caller;
use crate::jobs::Job;
use crate::revocation::crl::CrlError;

/// A CA that was made elsewhere, with its key.
pub struct ImportedIssuer {
    pub name: String,
    /// DER of its certificate and those above it, in any order.
    pub certificates: Vec<Vec<u8>>,
    pub key: LocalKey,
}

/// A CA that is to be certified by one elsewhere.
#[derive(Clone, Debug)]
pub struct RequestedIssuer {
    pub name: String,
    pub subject: DistinguishedName,
    pub algorithm: KeyAlgorithm,
}

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

    /// Takes over a CA with its key. It signs from now on.
    pub async fn import_issuer(
        &self,
        request: ImportedIssuer,
        caller: &Caller,
    ) -> Result<Issuer, IssuerError> {
        self.check_issuer_name(&request.name).await?;
        let now = self.now();
        // Checked before the key goes anywhere: a token would keep it.
        let chain = CaChain::check(&request.certificates, request.key.public_key(), now)?;
        let pkcs8 = request.key.to_pkcs8()?;
        let key = self.key_store.import(&request.name, &pkcs8)?;
        let issuer = self.new_issuer(&request.name, key, Some(&chain), now);
        let entries = self.ca_entries(&issuer, &chain, now).await?;
        let change = IssuerChange {
            is_new: true,
            event_name: "issuer.imported",
            data: json!({ "name": issuer.name, "certificate": fingerprint(&chain) }),
            entries,
            csr: None,
        };
        self.store_issuer(issuer, change, caller).await
    }

    /// Makes a key for a CA and the PEM of its request, to be taken to a CA elsewhere.
    pub async fn request_issuer(
        &self,
        request: RequestedIssuer,
        caller: &Caller,
    ) -> Result<(Issuer, String), IssuerError> {
        self.check_issuer_name(&request.name).await?;
        if request.subject.is_empty() {
            return Err(IssuerError::NoSubject);
        }
        let key = self.key_store.generate(&request.name, request.algorithm)?;
        let csr = pki::csr::build(&request.subject, &[], &[], &*key.key)?;
        let pem = pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &csr);
        let issuer = self.new_issuer(&request.name, key, None, self.now());
        let change = IssuerChange {
            is_new: true,
            event_name: "issuer.requested",
            data: json!({ "name": issuer.name, "subject": request.subject.to_string() }),
            entries: None,
            csr: Some(pem.clone()),
        };
        Ok((self.store_issuer(issuer, change, caller).await?, pem))
    }

    /// The request of an issuer that waits for its certificate.
    pub async fn issuer_request(&self, issuer: &Issuer) -> Result<Option<String>, StoreError> {
        let name = csr_setting(&issuer.id);
        self.store
            .read("issuer.csr", |tx| {
                Box::pin(async move { tx.find_setting(&name).await })
            })
            .await
    }

    /// Gives an issuer the certificate that was made for its key, or a newer one for the same
    /// key. An issuer that waited for it signs from now on.
    pub async fn install_issuer_certificate(
        &self,
        name: &str,
        certificates: &[Vec<u8>],
        caller: &Caller,
    ) -> Result<Issuer, IssuerError> {
        let mut issuer = self.require_issuer(name).await?;
        let now = self.now();
        let ConnectorConfig::Embedded(config) = &mut issuer.connector else {
            return Err(IssuerError::NoKeyHere(issuer.name));
        };
        let key = self.key_store.open(&config.key)?;
        let chain = CaChain::check(certificates, key.public_key(), now)?;
        config.chain = chain.chain();
        config.is_root = chain.is_root;
        if issuer.state == IssuerState::AwaitingCertificate {
            issuer.state = IssuerState::Active;
        }
        let entries = self.ca_entries(&issuer, &chain, now).await?;
        let change = IssuerChange {
            is_new: false,
            event_name: "issuer.certificate_installed",
            data: json!({ "name": issuer.name, "certificate": fingerprint(&chain) }),
            entries,
            csr: None,
        };
        self.store_issuer(issuer, change, caller).await
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

    fn new_issuer(
        &self,
        name: &str,
        key: OpenKey,
        chain: Option<&CaChain>,
        now: Timestamp,
    ) -> Issuer {
        Issuer {
            id: IssuerId::mint(now, &*self.random),
            name: name.to_owned(),
            state: match chain {
                Some(_) => IssuerState::Active,
                None => IssuerState::AwaitingCertificate,
            },
            connector: ConnectorConfig::Embedded(EmbeddedConfig {
                key: key.reference,
                chain: chain.map(CaChain::chain).unwrap_or_default(),
                is_root: chain.is_some_and(|chain| chain.is_root),
            }),
            secrets: std::collections::BTreeMap::new(),
            remote_chain: Chain::default(),
            metadata_fields: std::collections::BTreeMap::new(),
            limits: domain::issuer::IssuerLimits::default(),
            created_at: now,
            updated_at: now,
        }
    }

    /// The CA's own certificate as an entry of the inventory, under the issuer that signed it
    /// where that is one of ours: its OCSP responder and CRL must know it.
    async fn ca_entries(
        &self,
        issuer: &Issuer,
        chain: &CaChain,
        now: Timestamp,
    ) -> Result<Option<CaEntry>, StoreError> {
        let [own, above @ ..] = chain.certificates.as_slice() else {
            return Ok(None);
        };
        let parent = match chain.is_root {
            true => Some(issuer.id.clone()),
            false => self.issuer_that_signed(own).await?,
        };
        let above = Chain::new(above.iter().map(|c| c.der.clone()).collect());
        let mut certificate = self.ca_entry(own, &issuer.id, &above, now);
        certificate.issuer_id = parent;
        certificate.origin = Origin::Imported;
        if above.certificates().is_empty() {
            certificate.chain_id = None;
        }
        Ok(Some(CaEntry { certificate, above }))
    }

    async fn issuer_that_signed(
        &self,
        certificate: &Certificate,
    ) -> Result<Option<IssuerId>, StoreError> {
        let issuers = self.connected_issuers().await?;
        let parent = issuers.iter().find(|connected| {
            connected
                .connector
                .local_ca()
                .is_some_and(|ca| certificate.is_signed_by(&ca.certificate))
        });
        Ok(parent.map(|connected| connected.issuer.id.clone()))
    }

    async fn store_issuer(
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
struct IssuerChange {
    is_new: bool,
    event_name: &'static str,
    data: Value,
    entries: Option<CaEntry>,
    csr: Option<String>,
}

/// A CA's certificate for the inventory, with those above it.
struct CaEntry {
    certificate: InventoryCertificate,
    above: Chain,
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

/// The version that a change makes: two within a millisecond are still two.
pub(crate) fn version_after(before: Timestamp, now: Timestamp) -> Timestamp {
    now.max(Timestamp::from_millis(before.millis() + 1))
}

fn csr_setting(issuer: &IssuerId) -> String {
    format!("issuer-csr/{issuer}")
}

fn fingerprint(chain: &CaChain) -> Option<String> {
    chain
        .certificates
        .first()
        .map(|own| own.fingerprint().to_string())
}
