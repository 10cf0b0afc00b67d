//! The delegated OCSP responder of an issuer: its own short-lived key, made anew in time.

use std::sync::Arc;
use std::time::Duration;

use domain::id::IssuerId;
use domain::issuer::LocalCa;
use domain::keystore::KeyStoreError;
use pki::certificate::{
    BuildError, Certificate, CertificateContent, ExtendedKeyUsage, IssuerFacts, KeyUsage, assemble,
    encode_tbs,
};
use pki::key::{KeyAlgorithm, KeyError, LocalKey, SigningKey};
use pki::lint::{CertificateKind, LintContext, Severity, lint_tbs};
use pki::name::{Attribute, DistinguishedName};
use pki::oid;
use pki::serial::Serial;
use pki::time::Timestamp;
use store::StoreError;
use store::ocsp_responders::StoredResponder;

use crate::Lifecycle;

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
    #[error("the responder's certificate cannot be built: {0}")]
    Build(#[from] BuildError),
    #[error("the responder's certificate would break a rule: {0}")]
    Lint(String),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// The responder of an issuer: the stored one while it is young enough, else a new one.
    pub(crate) async fn responder(
        &self,
        issuer: &IssuerId,
        ca: &LocalCa,
    ) -> Result<Arc<Responder>, ResponderError> {
        let now = self.now();
        let id = issuer.clone();
        let stored = self
            .store
            .read("ocsp.responder", |tx| {
                Box::pin(async move { tx.find_ocsp_responder(&id).await })
            })
            .await?;
        let stored = stored
            .filter(|stored| now < stored.not_after)
            .and_then(|stored| self.open_responder(issuer, &stored).ok());
        if let Some(responder) = stored.as_ref().filter(|stored| now < stored.renew_at) {
            return Ok(Arc::clone(responder));
        }
        match (self.make_responder(issuer, ca, now).await, stored) {
            (Ok(made), _) => Ok(Arc::new(made)),
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
        stored: &StoredResponder,
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
    ) -> Result<Responder, ResponderError> {
        let key = LocalKey::generate(KeyAlgorithm::EcP256)?;
        let not_before = (now - BACKDATE).floor_to_second();
        let not_after = (not_before + LIFETIME).min(ca.certificate.not_after);
        let content = responder_content(&ca.certificate, &key, not_before, not_after);
        let algorithm = ca.key.signature_algorithm();
        let facts = IssuerFacts::from_certificate(&ca.certificate, algorithm);
        let tbs = encode_tbs(&content, &Serial::random(&*self.random), &facts)?;
        let end = ca.certificate.not_after;
        let linted_as = LintContext::new(&facts, end, CertificateKind::OcspResponder);
        let findings = lint_tbs(&tbs, &linted_as);
        if let Some(finding) = findings.iter().find(|f| f.severity == Severity::Error) {
            return Err(ResponderError::Lint(finding.message.clone()));
        }
        let certificate_der = assemble(&tbs, algorithm, &ca.key.sign(&tbs)?);
        let stored = StoredResponder {
            certificate: certificate_der.clone(),
            sealed_key: self.sealer.seal(&context(issuer), &key.to_pkcs8()?),
            not_after,
        };
        let id = issuer.clone();
        self.store
            .write("ocsp.responder", move |tx| {
                Box::pin(async move { tx.put_ocsp_responder(&id, &stored, now).await })
            })
            .await?;
        Ok(Responder {
            certificate_der,
            key,
            not_after,
            renew_at: not_after - RENEW_BEFORE,
        })
    }
}

fn responder_content(
    issuer: &Certificate,
    key: &LocalKey,
    not_before: Timestamp,
    not_after: Timestamp,
) -> CertificateContent {
    let name = issuer.subject.common_name().unwrap_or("CA").to_owned();
    // ub-common-name is 64; the suffix has 15 characters.
    let name: String = name.chars().take(48).collect();
    CertificateContent {
        subject: DistinguishedName::from_attributes([Attribute::text(
            &oid::COMMON_NAME,
            format!("{name} OCSP responder"),
        )]),
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usage: vec![ExtendedKeyUsage::OcspSigning],
        subject_key_identifier: true,
        ocsp_no_check: true,
        ..CertificateContent::new(key.public_key().clone(), not_before, not_after)
    }
}

fn context(issuer: &IssuerId) -> String {
    format!("ocsp_responders/{issuer}")
}

const BACKDATE: Duration = Duration::from_secs(60 * 60);
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Well before its end, and longer than any answer it signs lives.
const RENEW_BEFORE: Duration = Duration::from_secs(15 * 24 * 60 * 60);
