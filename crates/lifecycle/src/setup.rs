//! First start: root and issuing CA, profiles, directory, all or nothing; and secrets of the
//! installation that every node shares.

use std::sync::Arc;
use std::time::Duration;

use domain::acme::directory::{Directory, DirectorySpec};
use domain::certificate::{Chain, InventoryCertificate, Origin};
use domain::enrolling::{EntryPoint, EntryPointSpec, EstRules};
use domain::event::Event;
use domain::id::{DirectoryId, EntryPointId, IssuerId, ProfileId};
use domain::issuer::{ConnectorConfig, EmbeddedConfig, Issuer, IssuerState, LocalCa};
use domain::keystore::{KeyStoreError, OpenKey};
use domain::profile::{Profile, ProfileSpec, preset};
use pki::certificate::Certificate;
use pki::key::{KeyAlgorithm, KeyError, SigningKey};
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;
use zeroize::Zeroizing;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::inventory::entry::entry;

/// What the first start makes.
#[derive(Clone, Debug)]
pub struct SetupPlan {
    pub root_name: String,
    pub root_algorithm: KeyAlgorithm,
    pub root_validity: Duration,
    pub issuer_name: String,
    pub issuer_algorithm: KeyAlgorithm,
    pub issuer_validity: Duration,
    pub directory: DirectorySpec,
}

/// What a CA certificate is to say.
pub struct CaCertificateRequest<'a> {
    /// The common name.
    pub subject: &'a str,
    pub key: &'a dyn SigningKey,
    pub validity: Duration,
    /// The CA above and its name in URLs; `None` makes a root.
    pub parent: Option<(&'a LocalCa, &'a str)>,
    pub now: Timestamp,
}

/// Makes CA certificates. A port, since their make-up belongs to the embedded CA.
pub trait CaCertificateMaker: Send + Sync {
    fn make(&self, request: &CaCertificateRequest<'_>) -> Result<Vec<u8>, String>;
}

/// Why the first start did not succeed; nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the CA's key cannot be made: {0}")]
    Key(#[from] KeyStoreError),
    #[error("the CA's certificate cannot be made: {0}")]
    Certificate(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a secret of the installation is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Everything the first start stores, in one transaction.
struct Installation {
    issuers: Vec<Issuer>,
    certificates: Vec<InventoryCertificate>,
    chain: Chain,
    profiles: Vec<Profile>,
    directory: Directory,
    label: EntryPoint,
    event: Event,
}

impl Lifecycle {
    /// Sets up an empty store. Says whether it was this call that did; of several nodes that
    /// start at once one does, and the others find its work.
    pub async fn set_up(
        &self,
        plan: &SetupPlan,
        maker: &dyn CaCertificateMaker,
    ) -> Result<bool, SetupError> {
        let present = self
            .store
            .read("setup.present", |tx| {
                Box::pin(async move { tx.find_setting(INSTALLATION).await })
            })
            .await?;
        if present.is_some() {
            return Ok(false);
        }
        let installation = self.plan_installation(plan, maker)?;
        let now = self.now();
        let made = self
            .store
            .write("setup", move |tx| {
                Box::pin(async move {
                    if !tx.insert_setting_if_absent(INSTALLATION, "1", now).await? {
                        return Ok::<_, StoreError>(false);
                    }
                    for issuer in &installation.issuers {
                        tx.insert_issuer(issuer).await?;
                    }
                    tx.put_chain(&installation.chain).await?;
                    for certificate in &installation.certificates {
                        tx.insert_certificate(certificate).await?;
                    }
                    for profile in &installation.profiles {
                        tx.insert_profile(profile).await?;
                    }
                    tx.insert_directory(&installation.directory).await?;
                    tx.insert_entry_point(&installation.label).await?;
                    tx.insert_event(&installation.event).await?;
                    Ok(true)
                })
            })
            .await?;
        self.issuers.invalidate();
        Ok(made)
    }

    fn plan_installation(
        &self,
        plan: &SetupPlan,
        maker: &dyn CaCertificateMaker,
    ) -> Result<Installation, SetupError> {
        let now = self.now();
        let root_key = self
            .key_store
            .generate("certwright root CA", plan.root_algorithm)?;
        let root_der = maker
            .make(&CaCertificateRequest {
                subject: &plan.root_name,
                key: &*root_key.key,
                validity: plan.root_validity,
                parent: None,
                now,
            })
            .map_err(SetupError::Certificate)?;
        let root = LocalCa {
            certificate: parse(&root_der)?,
            key: Arc::clone(&root_key.key),
        };
        let issuing_key = self
            .key_store
            .generate("certwright issuing CA", plan.issuer_algorithm)?;
        let issuing_der = maker
            .make(&CaCertificateRequest {
                subject: &plan.issuer_name,
                key: &*issuing_key.key,
                validity: plan.issuer_validity,
                parent: Some((&root, ROOT)),
                now,
            })
            .map_err(SetupError::Certificate)?;
        let issuing = parse(&issuing_der)?;
        let root_chain = Chain::new(vec![root_der]);
        let root_issuer = self.issuer(ROOT, root_key, root_chain.clone(), true, now);
        let issuing_issuer = self.issuer(
            ISSUING,
            issuing_key,
            root_chain.with_leaf(issuing_der),
            false,
            now,
        );
        // OCSP asked at the root about the issuing CA must know it.
        let certificates = vec![
            self.ca_entry(&root.certificate, &root_issuer.id, &root_chain, now),
            self.ca_entry(&issuing, &root_issuer.id, &root_chain, now),
        ];
        Ok(Installation {
            event: self.event(
                &Caller::system(),
                "installation.created",
                issuing_issuer.id.as_str(),
                json!({ "root": root.certificate.fingerprint(), "issuing": issuing.fingerprint() }),
            ),
            issuers: vec![root_issuer, issuing_issuer],
            certificates,
            chain: root_chain,
            profiles: vec![
                self.preset("default", preset::tls_server(ISSUING), now),
                self.preset("short-lived", preset::short_lived(ISSUING), now),
                self.preset("tls-client", preset::tls_client(ISSUING), now),
            ],
            label: EntryPoint {
                id: EntryPointId::mint(now, &*self.random),
                name: "default".to_owned(),
                spec: EntryPointSpec::Est(EstRules::default()),
                team_id: None,
                created_at: now,
                updated_at: now,
            },
            directory: Directory {
                id: DirectoryId::mint(now, &*self.random),
                name: "default".to_owned(),
                spec: plan.directory.clone(),
                team_id: None,
                created_at: now,
                updated_at: now,
            },
        })
    }

    fn issuer(
        &self,
        name: &str,
        key: OpenKey,
        chain: Chain,
        is_root: bool,
        now: Timestamp,
    ) -> Issuer {
        Issuer {
            id: IssuerId::mint(now, &*self.random),
            name: name.to_owned(),
            state: IssuerState::Active,
            connector: ConnectorConfig::Embedded(EmbeddedConfig {
                key: key.reference,
                chain,
                is_root,
            }),
            secrets: std::collections::BTreeMap::new(),
            remote_chain: Chain::default(),
            metadata_fields: std::collections::BTreeMap::new(),
            limits: domain::issuer::IssuerLimits::default(),
            created_at: now,
            updated_at: now,
        }
    }

    fn preset(&self, name: &str, spec: ProfileSpec, now: Timestamp) -> Profile {
        Profile {
            id: ProfileId::mint(now, &*self.random),
            name: name.to_owned(),
            version: 1,
            spec,
            team_id: None,
            created_at: now,
        }
    }

    /// A CA certificate as an entry of the inventory.
    pub(crate) fn ca_entry(
        &self,
        certificate: &Certificate,
        issuer: &IssuerId,
        upper: &Chain,
        now: Timestamp,
    ) -> InventoryCertificate {
        let entry = entry(certificate, Origin::Issued, now, &*self.random);
        let identifier = match entry.authority_key_identifier.is_empty() {
            false => entry.authority_key_identifier,
            // A root may leave its own identifier out; it is the one its children carry.
            true => certificate
                .subject_key_identifier
                .clone()
                .unwrap_or_default(),
        };
        InventoryCertificate {
            issuer_id: Some(issuer.clone()),
            authority_key_identifier: identifier,
            chain_id: Some(upper.id()),
            ..entry
        }
    }

    /// 256 random bits that all nodes share under that name.
    pub(crate) async fn installation_secret(
        &self,
        name: &str,
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let fresh: [u8; 32] = self.random.octets();
        self.installation_secret_with(name, || Ok(fresh.to_vec()))
            .await
            .map_err(|error| match error {
                SecretError::Store(error) => error,
                SecretError::Seal(_) | SecretError::Key(_) => StoreError::Corrupt {
                    cause: format!("the secret `{name}`: {error}"),
                },
            })
    }

    /// The secret of that name, made by `make` where there is none yet.
    pub(crate) async fn installation_secret_with(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<Vec<u8>, KeyError>,
    ) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let row = format!("secret/{name}");
        if let Some(sealed) = self.setting(row.clone()).await? {
            return Ok(self.sealer.open(&row, &sealed)?);
        }
        let fresh = Zeroizing::new(make()?);
        let sealed = self.sealer.seal(&row, &fresh);
        let (now, key) = (self.now(), row.clone());
        let stored = self
            .store
            .write("setting.secret", move |tx| {
                Box::pin(async move {
                    tx.insert_setting_if_absent(&key, &sealed, now).await?;
                    tx.find_setting(&key).await
                })
            })
            .await?;
        match stored {
            Some(sealed) => Ok(self.sealer.open(&row, &sealed)?),
            None => Ok(fresh),
        }
    }

    async fn setting(&self, name: String) -> Result<Option<String>, StoreError> {
        self.store
            .read("setting.find", |tx| {
                Box::pin(async move { tx.find_setting(&name).await })
            })
            .await
    }
}

fn parse(der: &[u8]) -> Result<Arc<Certificate>, SetupError> {
    Certificate::from_der(der)
        .map(Arc::new)
        .map_err(|error| SetupError::Certificate(error.to_string()))
}

/// Names of the issuers that the first start makes.
pub const ROOT: &str = "root";
pub const ISSUING: &str = "issuing";
const INSTALLATION: &str = "installation";
