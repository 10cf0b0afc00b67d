//! The delegated OCSP responder of an issuer: its own short-lived key, made anew in time.

use std::sync::Arc;
use std::time::Duration;

use domain::id::IssuerId;
use domain::issuer::LocalCa;
use domain::keystore::KeyStoreError;
use pki::certificate::{ExtendedKeyUsage, KeyUsage};
use pki::key::{KeyAlgorithm, KeyError, LocalKey};
use pki::lint::CertificateKind;
use pki::time::Timestamp;
use store::StoreError;
use store::delegates::StoredDelegate;

use crate::Lifecycle;
use crate::delegate::{DelegateError, Duty, named_after};

/// A responder ready to sign.
pub(crate) struct Responder {
    pub(crate) certificate_der: Vec<u8>,
    pub(crate) key: LocalKey,
    pub(crate) not_after: Timestamp,
    /// From here on a successor is made.
    pub(crate) renew_at: Timestamp,
}

/// Why there is no responder.
#[derive(Debug, thiserror::Error)]
pub enum ResponderError {
    #[error("the OCSP responder: {0}")]
    Delegate(#[from] DelegateError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How the responder of an issuer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponderStanding {
    /// How long what it answers may be relied on.
    pub answers_live: Duration,
    /// Until when its certificate is valid; there is none before the first question.
    pub not_after: Option<Timestamp>,
}

impl Lifecycle {
    /// How the responder of an issuer stands, without making one.
    pub async fn ocsp_standing(&self, issuer: &IssuerId) -> Result<ResponderStanding, StoreError> {
        let stored = self.stored_responder(issuer).await?;
        Ok(ResponderStanding {
            answers_live: self.settings.revocation.ocsp_validity,
            not_after: stored.map(|stored| stored.not_after),
        })
    }

    async fn stored_responder(
        &self,
        issuer: &IssuerId,
    ) -> Result<Option<StoredDelegate>, StoreError> {
        let id = issuer.clone();
        self.store
            .read("ocsp.responder", |tx| {
                Box::pin(async move { tx.find_ocsp_responder(&id).await })
            })
            .await
    }

    /// The responder of an issuer: the stored one while it is young enough, else a new one.
    pub(crate) async fn responder(
        &self,
        issuer: &IssuerId,
        ca: &LocalCa,
    ) -> Result<Arc<Responder>, ResponderError> {
        let now = self.now();
        let stored = self.stored_responder(issuer).await?;
        let stored = stored
            .filter(|stored| now < stored.not_after)
            .and_then(|stored| self.open_responder(issuer, &stored).ok());
        if let Some(responder) = stored.as_ref().filter(|stored| now < stored.renew_at) {
            return Ok(Arc::clone(responder));
        }
        match (self.make_responder(issuer, ca, now).await, stored) {
            (Ok(made), _) => Ok(made),
            // While the CA's key is away, the responder there is answers to its end.
            (Err(error), Some(stored)) => {
                tracing::error!(issuer.id = %issuer, error = %error, "OCSP responder not renewed");
                Ok(stored)
            }
            (Err(error), None) => Err(error),
        }
    }

    fn open_responder(
        &self,
        issuer: &IssuerId,
        stored: &StoredDelegate,
    ) -> Result<Arc<Responder>, ResponderError> {
        let pkcs8 = self.sealer.open(&context(issuer), &stored.sealed_key)?;
        Ok(Arc::new(Responder {
            certificate_der: stored.certificate.clone(),
            key: LocalKey::from_pkcs8(&pkcs8)?,
            not_after: stored.not_after,
            renew_at: stored.not_after - RENEW_BEFORE,
        }))
    }

    async fn make_responder(
        &self,
        issuer: &IssuerId,
        ca: &LocalCa,
        now: Timestamp,
    ) -> Result<Arc<Responder>, ResponderError> {
        let key = LocalKey::generate(KeyAlgorithm::EcP256)?;
        let duty = Duty {
            name: named_after(&ca.certificate, "OCSP responder"),
            key_usage: KeyUsage::DIGITAL_SIGNATURE,
            extended_key_usage: vec![ExtendedKeyUsage::OcspSigning],
            ocsp_no_check: true,
            kind: CertificateKind::OcspResponder,
            lifetime: LIFETIME,
        };
        let made = self.certify_delegate(&context(issuer), duty, &key, Some(ca))?;
        let (id, stored) = (issuer.clone(), made.clone());
        self.store
            .write("ocsp.responder", move |tx| {
                Box::pin(async move { tx.put_ocsp_responder(&id, &stored, now).await })
            })
            .await?;
        self.open_responder(issuer, &made)
    }
}

fn context(issuer: &IssuerId) -> String {
    format!("ocsp_responders/{issuer}")
}

const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Well before its end, and longer than any answer it signs lives.
const RENEW_BEFORE: Duration = Duration::from_secs(15 * 24 * 60 * 60);
