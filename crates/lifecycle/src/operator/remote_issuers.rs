//! CAs elsewhere: configured, changed, their secrets sealed on arrival.

use std::collections::BTreeMap;

use domain::certificate::Chain;
use domain::id::IssuerId;
use domain::issuer::{
    ConnectError, ConnectorConfig, Issuer, IssuerState, SealedSecret, SecretsFault, SettingFault,
    seal_context,
};
use pki::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use store::StoreError;

use super::Expected;
use super::ca_chain::{CaChain, CaChainError};
use super::issuers::IssuerError;
use super::version_after;
use crate::Lifecycle;
use crate::actor::Caller;

/// What an operator says about a CA elsewhere.
#[derive(Clone, Debug)]
pub struct RemoteIssuer {
    pub connector: ConnectorConfig,
    /// New secrets by name, and `None` for those that are to go. Others stay as they are.
    pub secrets: BTreeMap<String, Option<SecretString>>,
    /// DER of the CA's certificates; without them, they stay as they are or are fetched by a test.
    pub certificates: Option<Vec<Vec<u8>>>,
}

/// Why a CA elsewhere is not configured.
#[derive(Debug, thiserror::Error)]
pub enum RemoteIssuerError {
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    #[error("{}", texts(.0).join("; "))]
    Settings(Vec<SettingFault>),
    #[error("{}", texts(.0).join("; "))]
    Secrets(Vec<SecretsFault>),
    #[error(
        "an embedded CA has no settings; import it with its key, or have a request made for it"
    )]
    Embedded,
    #[error("the kind of an issuer does not change; make another issuer")]
    KindChanges,
    #[error(
        "secrets would be sent to another place than before, so they have to be given again: {}",
        .0.join(", ")
    )]
    SecretsNeeded(Vec<String>),
    #[error("the issuer was changed since you read it; read it again and repeat your change")]
    Changed,
    #[error("`certificates`: {0}")]
    Chain(#[from] CaChainError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RemoteIssuerError {
    /// Each fault by itself, where there are several.
    pub fn faults(&self) -> Vec<String> {
        match self {
            Self::Settings(faults) => texts(faults),
            Self::Secrets(faults) => texts(faults),
            _ => Vec::new(),
        }
    }
}

fn texts(faults: &[impl ToString]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

impl Lifecycle {
    /// Configures a CA elsewhere. Nothing is asked of it yet: a test does.
    pub async fn create_issuer(
        &self,
        name: &str,
        request: RemoteIssuer,
        caller: &Caller,
    ) -> Result<Issuer, RemoteIssuerError> {
        self.check_issuer_name(name).await?;
        check_settings(&request.connector)?;
        let now = self.now();
        let id = IssuerId::mint(now, &*self.random);
        let given: BTreeMap<String, SecretString> = request
            .secrets
            .into_iter()
            .filter_map(|(name, secret)| Some((name, secret?)))
            .collect();
        check_secrets(&request.connector, &given, |_| false)?;
        let issuer = Issuer {
            name: name.to_owned(),
            state: IssuerState::Active,
            connector: request.connector,
            secrets: self.seal_all(&id, &given, now),
            remote_chain: remote_chain(request.certificates.as_deref(), now)?.unwrap_or_default(),
            metadata_fields: BTreeMap::new(),
            limits: domain::issuer::IssuerLimits::default(),
            created_at: now,
            updated_at: now,
            id,
        };
        // What cannot be connected now could not be later.
        let connector = self.issuers.try_connect(&issuer)?;
        let jobs = self.jobs_of_abilities(&issuer.id, &connector.abilities(), now);
        let event = self.event(
            caller,
            "issuer.created",
            issuer.id.as_str(),
            json!({ "name": issuer.name, "before": null, "after": told(&issuer) }),
        );
        let stored = issuer.clone();
        let result = self
            .store
            .write("issuer.create", move |tx| {
                Box::pin(async move {
                    tx.insert_issuer(&stored).await?;
                    for job in &jobs {
                        tx.enqueue(job).await?;
                    }
                    tx.insert_event(&event).await
                })
            })
            .await;
        self.issuers.invalidate();
        match result {
            Ok(()) => Ok(issuer),
            Err(error) if error.is_duplicate() => Err(IssuerError::NameTaken(issuer.name).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes the settings of a CA elsewhere, if they are as expected.
    pub async fn update_issuer(
        &self,
        name: &str,
        request: RemoteIssuer,
        expected: Expected<Timestamp>,
        caller: &Caller,
    ) -> Result<Issuer, RemoteIssuerError> {
        let known = self.require_issuer(name).await?;
        if !expected.agrees(Some(&known.updated_at)) {
            return Err(RemoteIssuerError::Changed);
        }
        let fresh = self.changed(&known, request)?;
        self.issuers.try_connect(&fresh)?;
        let data = json!({ "name": fresh.name, "before": told(&known), "after": told(&fresh) });
        let event = self.event(caller, "issuer.changed", fresh.id.as_str(), data);
        let stored = fresh.clone();
        self.store
            .write("issuer.update", move |tx| {
                Box::pin(async move {
                    let found = tx.find_issuer_for_update(&stored.id).await?;
                    if found.is_none_or(|found| found.updated_at != known.updated_at) {
                        return Err(RemoteIssuerError::Changed);
                    }
                    tx.update_issuer(&stored).await?;
                    Ok(tx.insert_event(&event).await?)
                })
            })
            .await?;
        self.issuers.invalidate();
        Ok(fresh)
    }

    fn changed(&self, known: &Issuer, request: RemoteIssuer) -> Result<Issuer, RemoteIssuerError> {
        check_settings(&request.connector)?;
        if known.connector.kind() != request.connector.kind() {
            return Err(RemoteIssuerError::KindChanges);
        }
        let now = self.now();
        let mut kept = known.secrets.clone();
        let mut given = BTreeMap::new();
        for (name, secret) in request.secrets {
            kept.remove(&name);
            if let Some(secret) = secret {
                given.insert(name, secret);
            }
        }
        if moves(&known.connector, &request.connector) && !kept.is_empty() {
            return Err(RemoteIssuerError::SecretsNeeded(kept.into_keys().collect()));
        }
        check_secrets(&request.connector, &given, |name| kept.contains_key(name))?;
        kept.extend(self.seal_all(&known.id, &given, now));
        Ok(Issuer {
            connector: request.connector,
            secrets: kept,
            remote_chain: remote_chain(request.certificates.as_deref(), now)?
                .unwrap_or_else(|| known.remote_chain.clone()),
            updated_at: version_after(known.updated_at, now),
            ..known.clone()
        })
    }

    fn seal_all(
        &self,
        id: &IssuerId,
        secrets: &BTreeMap<String, SecretString>,
        now: Timestamp,
    ) -> BTreeMap<String, SealedSecret> {
        let seal = |name: &str, secret: &SecretString| SealedSecret {
            sealed: self
                .sealer
                .seal(&seal_context(id, name), secret.expose_secret().as_bytes()),
            set_at: now,
        };
        secrets
            .iter()
            .map(|(name, secret)| (name.clone(), seal(name, secret)))
            .collect()
    }
}

fn check_settings(connector: &ConnectorConfig) -> Result<(), RemoteIssuerError> {
    let settings = connector.settings().ok_or(RemoteIssuerError::Embedded)?;
    let faults = settings.faults();
    match faults.is_empty() {
        true => Ok(()),
        false => Err(RemoteIssuerError::Settings(faults)),
    }
}

fn check_secrets(
    connector: &ConnectorConfig,
    given: &BTreeMap<String, SecretString>,
    is_kept: impl Fn(&str) -> bool,
) -> Result<(), RemoteIssuerError> {
    let faults = connector.kind().secret_faults(given, is_kept);
    match faults.is_empty() {
        true => Ok(()),
        false => Err(RemoteIssuerError::Secrets(faults)),
    }
}

/// Whether secrets would go elsewhere.
fn moves(before: &ConnectorConfig, after: &ConnectorConfig) -> bool {
    let of = |config: &ConnectorConfig| -> Vec<String> {
        let places = config.settings().map(|settings| {
            let places = settings.destination().into_iter();
            places.map(str::to_owned).collect()
        });
        places.unwrap_or_default()
    };
    of(before) != of(after)
}

fn remote_chain(
    certificates: Option<&[Vec<u8>]>,
    now: Timestamp,
) -> Result<Option<Chain>, CaChainError> {
    match certificates {
        None => Ok(None),
        Some([]) => Ok(Some(Chain::default())),
        Some(certificates) => Ok(Some(CaChain::check_remote(certificates, now)?.chain())),
    }
}

/// What the audit trail says of an issuer: everything but the secrets.
fn told(issuer: &Issuer) -> Value {
    json!({
        "settings": issuer.connector,
        "secrets": issuer.secrets.keys().collect::<Vec<_>>(),
        "certificate": issuer.remote_chain.certificates().first()
            .map(|own| pki::fingerprint::Fingerprint::of(own).to_string()),
    })
}
