//! Machines that show a certificate: which CAs are trusted for that, and whose token it stands for.

use std::sync::Arc;
use std::time::Duration;

use domain::access::Principal;
use domain::access::granting::{GrantRefusal, check_grant};
use domain::client_certificate::{
    CaReference, CertificateMatch, ClientCertificate, Refusal, TrustedCa, judge,
};
use domain::id::{ClientCertificateId, TokenId};
use domain::token::ApiToken;
use pki::certificate::Certificate;
use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;
use serde_json::json;
use store::{StoreError, Tx};

use crate::Lifecycle;
use crate::access::AccessError;
use crate::actor::Caller;

/// A rule to be made.
#[derive(Clone, Debug)]
pub struct NewClientCertificate {
    pub name: String,
    pub token: TokenId,
    /// The name of an issuer of ours, or the SHA-256 of a CA certificate in the configuration.
    pub ca: String,
    pub subject: CertificateMatch,
}

/// Why a rule is not made.
#[derive(Debug, thiserror::Error)]
pub enum ClientCertificateError {
    #[error("a name is needed: say which machine it is")]
    NoName,
    #[error("there is no token {0} in force")]
    NoSuchToken(TokenId),
    #[error(
        "`{0}` is no CA that is trusted for clients: name an issuer of this server, or give the SHA-256 \
         of a certificate in server.client_authorities"
    )]
    NoSuchCa(String),
    #[error("what has to stand in the certificate is empty, or would fit many: write it out")]
    Vague,
    #[error("there is a rule for these certificates already")]
    Taken,
    #[error("there is no such rule: {0}")]
    Unknown(ClientCertificateId),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<GrantRefusal> for ClientCertificateError {
    fn from(refusal: GrantRefusal) -> Self {
        Self::Access(refusal.into())
    }
}

/// Why a certificate opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum CertificateSignInError {
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// The token that a client certificate stands for. Looked at with each request, so that a
    /// revocation and an expiry count on connections that are open, too.
    pub async fn authenticate_certificate(
        &self,
        der: &[u8],
    ) -> Result<ApiToken, CertificateSignInError> {
        let certificate = Certificate::from_der(der).map_err(|_| Refusal::Unreadable)?;
        let now = self.now();
        let cas = self.client_authorities().await?;
        let ca = judge(&certificate, &cas, now)?;
        let (reference, key_identifier) = (
            ca.reference.clone(),
            ca.certificate.subject_key_identifier.clone(),
        );
        let (rule, token) = self
            .store
            .read("client_certificate.match", move |tx| {
                Box::pin(async move {
                    check_inventory(tx, &certificate, &reference, key_identifier).await?;
                    let candidates = CertificateMatch::candidates(&certificate);
                    let rule = tx.match_client_certificate(&reference, &candidates).await?;
                    let rule = rule.ok_or(Refusal::NoRule)?;
                    let token = tx.find_token(&rule.token).await?;
                    let token = token
                        .filter(|token| token.is_usable(now))
                        .ok_or(Refusal::NoRule)?;
                    Ok::<_, CertificateSignInError>((rule, token))
                })
            })
            .await?;
        self.touch_rule(&rule, now).await?;
        Ok(token)
    }

    async fn touch_rule(&self, rule: &ClientCertificate, now: Timestamp) -> Result<(), StoreError> {
        // Once a minute is enough to tell a used rule from a forgotten one.
        let is_fresh = |at: Timestamp| now.since(at) <= Duration::from_secs(60);
        if rule.last_used_at.is_some_and(is_fresh) {
            return Ok(());
        }
        let (id, token) = (rule.id.clone(), rule.token.clone());
        self.store
            .write("client_certificate.touch", move |tx| {
                Box::pin(async move { tx.touch_client_certificate(&id, &token, now).await })
            })
            .await
    }

    /// The CAs whose certificates may open something: our own issuers, where they are trusted for
    /// that, and those that the configuration names.
    async fn client_authorities(&self) -> Result<Vec<TrustedCa>, StoreError> {
        let settings = &self.settings.client_certificates;
        let mut cas: Vec<TrustedCa> = settings
            .authorities
            .iter()
            .map(|certificate| TrustedCa {
                reference: CaReference::Certificate(certificate.fingerprint()),
                certificate: Arc::clone(certificate),
            })
            .collect();
        if settings.own_issuers {
            let issuers = self.connected_issuers().await?;
            cas.extend(issuers.iter().filter_map(|connected| {
                let ca = connected.connector.local_ca()?;
                Some(TrustedCa {
                    reference: CaReference::Issuer(connected.issuer.id.clone()),
                    certificate: Arc::clone(&ca.certificate),
                })
            }));
        }
        Ok(cas)
    }

    /// Makes a rule. A certificate opens what its token opens, so that takes every right of the token.
    pub async fn create_client_certificate(
        &self,
        request: NewClientCertificate,
        caller: &Caller,
    ) -> Result<ClientCertificate, ClientCertificateError> {
        if request.name.trim().is_empty() {
            return Err(ClientCertificateError::NoName);
        }
        let subject = request.subject.normalized();
        if subject.is_vague() {
            return Err(ClientCertificateError::Vague);
        }
        let ca = self.named_authority(&request.ca).await?;
        let now = self.now();
        let rule = ClientCertificate {
            id: ClientCertificateId::mint(now, &*self.random),
            name: request.name,
            token: request.token,
            ca,
            subject,
            created_at: now,
            last_used_at: None,
        };
        let event = self.event(
            caller,
            "client_certificate.created",
            rule.id.as_str(),
            json!({ "name": rule.name, "token": rule.token, "ca": rule.ca.to_string(),
                "subject": rule.subject }),
        );
        let (stored, rights) = (rule.clone(), caller.rights.clone());
        self.store
            .write("client_certificate.create", move |tx| {
                Box::pin(async move {
                    let token = tx.find_token(&stored.token).await?;
                    if !token.is_some_and(|token| token.is_usable(now)) {
                        return Err(ClientCertificateError::NoSuchToken(stored.token));
                    }
                    let principal = Principal::Token(stored.token.clone());
                    let grants = tx.list_grants_of(&[principal]).await?;
                    for held in tx.held_roles(&grants).await? {
                        check_grant(&rights, &held.permissions, &held.scope)?;
                    }
                    if !tx.insert_client_certificate(&stored).await? {
                        return Err(ClientCertificateError::Taken);
                    }
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(rule)
    }

    async fn named_authority(&self, name: &str) -> Result<CaReference, ClientCertificateError> {
        let cas = self.client_authorities().await?;
        let wanted = match name.parse::<Fingerprint>() {
            Ok(fingerprint) => Some(CaReference::Certificate(fingerprint)),
            Err(_) => self
                .issuer_by_name(name)
                .await?
                .map(|connected| CaReference::Issuer(connected.issuer.id.clone())),
        };
        wanted
            .filter(|wanted| cas.iter().any(|ca| ca.reference == *wanted))
            .ok_or_else(|| ClientCertificateError::NoSuchCa(name.chars().take(80).collect()))
    }

    /// Rules, newest first.
    pub async fn list_client_certificates(
        &self,
        after: Option<ClientCertificateId>,
        limit: u32,
    ) -> Result<Vec<ClientCertificate>, StoreError> {
        self.store
            .scan("client_certificate.list", move |tx| {
                Box::pin(async move { tx.list_client_certificates(after.as_ref(), limit).await })
            })
            .await
    }

    /// The rule with that id.
    pub async fn client_certificate(
        &self,
        id: &ClientCertificateId,
    ) -> Result<Option<ClientCertificate>, StoreError> {
        let id = id.clone();
        self.store
            .read("client_certificate.find", move |tx| {
                Box::pin(async move { tx.find_client_certificate(&id).await })
            })
            .await
    }

    /// Removes a rule: its certificates open nothing from the next request on.
    pub async fn delete_client_certificate(
        &self,
        id: &ClientCertificateId,
        caller: &Caller,
    ) -> Result<(), ClientCertificateError> {
        let mut event = self.event(caller, "client_certificate.deleted", id.as_str(), json!({}));
        let id = id.clone();
        self.store
            .write("client_certificate.delete", move |tx| {
                Box::pin(async move {
                    let Some(rule) = tx.find_client_certificate(&id).await? else {
                        return Err(ClientCertificateError::Unknown(id));
                    };
                    tx.delete_client_certificate(&id).await?;
                    event.data = json!({ "before": { "name": rule.name, "token": rule.token,
                        "ca": rule.ca.to_string(), "subject": rule.subject } });
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await
    }
}

/// What we issued ourselves has to be in our inventory, as it is there; and what is in it as revoked
/// opens nothing, whoever issued it.
async fn check_inventory(
    tx: &mut Tx<'_>,
    certificate: &Certificate,
    ca: &CaReference,
    key_identifier: Option<Vec<u8>>,
) -> Result<(), CertificateSignInError> {
    let entry = match ca {
        CaReference::Issuer(_) => {
            let key_identifier = key_identifier.unwrap_or_default();
            let entry = tx
                .find_certificate_by_serial(&key_identifier, &certificate.serial)
                .await?;
            let same = entry.filter(|entry| entry.der == certificate.der);
            Some(same.ok_or(Refusal::NotInInventory)?)
        }
        CaReference::Certificate(_) => {
            let fingerprint = certificate.fingerprint();
            tx.find_certificate_by_fingerprint(&fingerprint).await?
        }
    };
    match entry.is_some_and(|entry| entry.revocation.is_some()) {
        true => Err(Refusal::Revoked.into()),
        false => Ok(()),
    }
}
