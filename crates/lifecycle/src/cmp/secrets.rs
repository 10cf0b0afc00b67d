//! Shared secrets of CMP: made, shown once, used, revoked.

use domain::access::Visibility;
use domain::cmp::{CmpEndpoint, CmpSecret};
use domain::enrolling::NewTerms;
use domain::id::{CmpSecretId, EntryPointId};
use domain::keystore::KeyStoreError;
use domain::metadata::Circumstance;
use domain::policy::Violation;
use serde_json::json;
use store::StoreError;
use zeroize::Zeroizing;

use crate::Lifecycle;
use crate::actor::Caller;

/// A secret to be made.
#[derive(Clone, Debug)]
pub struct NewCmpSecret {
    pub name: String,
    /// What clients shall send as reference; made up without it.
    pub reference: Option<String>,
    pub terms: NewTerms,
}

/// A secret that was made: the only time it is shown.
pub struct CreatedCmpSecret {
    pub secret: CmpSecret,
    /// What clients protect their messages with, as text.
    pub shared: Zeroizing<String>,
}

/// Why a secret is not made or not read.
#[derive(Debug, thiserror::Error)]
pub enum CmpSecretError {
    #[error("a name is needed: say who the secret is for")]
    NoName,
    #[error("a reference has 1 to 64 letters, digits and any of - . _ : @")]
    BadReference,
    #[error("the endpoint has a secret with the reference `{0}` already")]
    ReferenceInUse(String),
    #[error("a secret that is never used is not needed: let `max_uses` be 1 or more")]
    NoUse,
    #[error("{}", .0.iter().map(Violation::text).collect::<Vec<_>>().join("; "))]
    Metadata(Vec<Violation>),
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Makes a secret for an endpoint.
    pub async fn create_cmp_secret(
        &self,
        endpoint: &CmpEndpoint,
        request: NewCmpSecret,
        caller: &Caller,
    ) -> Result<CreatedCmpSecret, CmpSecretError> {
        check(&request)?;
        let mut terms = request.terms;
        terms.metadata = self
            .fields()
            .await?
            .check_passed_on(&terms.metadata, Circumstance::Password)
            .map_err(CmpSecretError::Metadata)?;
        let now = self.now();
        let id = CmpSecretId::mint(now, &*self.random);
        let octets: Zeroizing<[u8; 24]> = Zeroizing::new(self.random.octets());
        let shared = Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(&*octets));
        let secret = CmpSecret {
            sealed_secret: self.sealer.seal(&seal_context(&id), shared.as_bytes()),
            reference: request.reference.unwrap_or_else(|| id.to_string()),
            id,
            name: request.name,
            endpoint: endpoint.id.clone(),
            terms: terms.begin(now),
        };
        let data = json!({
            "name": secret.name,
            "endpoint": endpoint.name,
            "reference": secret.reference,
            "team": secret.terms.team_id,
            "allowed_names": secret.terms.allowed_names,
            "max_uses": secret.terms.max_uses,
            "expires_at": secret.terms.expires_at,
            "metadata": secret.terms.metadata,
        });
        let event = self.event(caller, "cmp_secret.created", secret.id.as_str(), data);
        let stored = secret.clone();
        self.store
            .write("cmp_secret.create", move |tx| {
                Box::pin(async move {
                    let (endpoint, reference) = (&stored.endpoint, &stored.reference);
                    let known = tx.find_cmp_secret_by_reference(endpoint, reference).await?;
                    if known.is_some() {
                        return Err(CmpSecretError::ReferenceInUse(reference.clone()));
                    }
                    tx.insert_cmp_secret(&stored).await?;
                    Ok(tx.insert_event(&event).await?)
                })
            })
            .await?;
        Ok(CreatedCmpSecret { secret, shared })
    }

    /// The secret of an endpoint behind a reference, for whoever checks a MAC.
    pub async fn cmp_shared_secret(
        &self,
        endpoint: &CmpEndpoint,
        reference: &str,
    ) -> Result<Option<(CmpSecret, Zeroizing<Vec<u8>>)>, CmpSecretError> {
        let (id, wanted) = (endpoint.id.clone(), reference.to_owned());
        let found = self
            .store
            .read("cmp_secret.by_reference", |tx| {
                Box::pin(async move { tx.find_cmp_secret_by_reference(&id, &wanted).await })
            })
            .await?;
        let Some(secret) = found else {
            return Ok(None);
        };
        let context = seal_context(&secret.id);
        let shared = self.sealer.open(&context, &secret.sealed_secret)?;
        Ok(Some((secret, shared)))
    }

    /// The secret with that id.
    pub async fn cmp_secret(&self, id: &CmpSecretId) -> Result<Option<CmpSecret>, StoreError> {
        let id = id.clone();
        self.store
            .read("cmp_secret.find", |tx| {
                Box::pin(async move { tx.find_cmp_secret(&id).await })
            })
            .await
    }

    /// The secrets of the teams that are seen, newest first.
    pub async fn list_cmp_secrets(
        &self,
        endpoint: Option<EntryPointId>,
        visible: Visibility,
        after: Option<CmpSecretId>,
        limit: u32,
    ) -> Result<Vec<CmpSecret>, StoreError> {
        self.store
            .scan("cmp_secret.list", move |tx| {
                Box::pin(async move {
                    tx.list_cmp_secrets(endpoint.as_ref(), &visible, after.as_ref(), limit)
                        .await
                })
            })
            .await
    }

    /// Revokes a secret; `false` for an unknown one. What was issued with it stays.
    pub async fn revoke_cmp_secret(
        &self,
        id: &CmpSecretId,
        caller: &Caller,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let data = json!({ "before": "usable", "after": "revoked" });
        let event = self.event(caller, "cmp_secret.revoked", id.as_str(), data);
        let id = id.clone();
        self.store
            .write("cmp_secret.revoke", move |tx| {
                Box::pin(async move {
                    if tx.find_cmp_secret(&id).await?.is_none() {
                        return Ok(false);
                    }
                    if tx.revoke_cmp_secret(&id, now).await? {
                        tx.insert_event(&event).await?;
                    }
                    Ok::<_, StoreError>(true)
                })
            })
            .await
    }
}

fn check(request: &NewCmpSecret) -> Result<(), CmpSecretError> {
    if request.name.trim().is_empty() {
        return Err(CmpSecretError::NoName);
    }
    if request.terms.max_uses == Some(0) {
        return Err(CmpSecretError::NoUse);
    }
    let fits = |reference: &String| {
        let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:@".contains(&octet);
        (1..=64).contains(&reference.len()) && reference.bytes().all(allowed)
    };
    match request.reference.as_ref().is_none_or(fits) {
        true => Ok(()),
        false => Err(CmpSecretError::BadReference),
    }
}

fn seal_context(id: &CmpSecretId) -> String {
    format!("cmp_secrets/{id}")
}
