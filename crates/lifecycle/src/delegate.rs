//! Keys of our own that speak for a CA: OCSP responders, CMP signers, SCEP registration authorities. Each
//! has a short-lived certificate by the CA, made anew in time.

use std::time::Duration;

use domain::issuer::LocalCa;
use pki::certificate::{
    BuildError, Certificate, CertificateContent, ExtendedKeyUsage, IssuerFacts, KeyUsage, assemble,
    encode_tbs, sign,
};
use pki::key::{KeyError, LocalKey, SigningKey};
use pki::lint::{CertificateKind, LintContext, Severity, lint_tbs};
use pki::name::{Attribute, DistinguishedName};
use pki::oid;
use pki::serial::Serial;
use store::delegates::StoredDelegate;

use crate::Lifecycle;

/// Clocks of those who check it may be behind ours.
const BACKDATE: Duration = Duration::from_secs(60 * 60);

/// What a delegate does, as its certificate says it.
pub(crate) struct Duty {
    /// The subject's common name, at most 64 characters (ub-common-name).
    pub(crate) name: String,
    pub(crate) key_usage: KeyUsage,
    pub(crate) extended_key_usage: Vec<ExtendedKeyUsage>,
    /// Nobody asks for the status of the certificate (RFC 6960 section 4.2.2.2.1).
    pub(crate) ocsp_no_check: bool,
    pub(crate) kind: CertificateKind,
    pub(crate) lifetime: Duration,
}

/// Why a delegate has no certificate.
#[derive(Debug, thiserror::Error)]
pub enum DelegateError {
    #[error("the certificate cannot be built: {0}")]
    Build(#[from] BuildError),
    #[error("the certificate would break a rule: {0}")]
    Lint(String),
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Lifecycle {
    /// A delegate with `key`, which is sealed for `context`; by the CA or, where the CA's key is
    /// elsewhere, by itself.
    pub(crate) fn certify_delegate(
        &self,
        context: &str,
        duty: Duty,
        key: &LocalKey,
        ca: Option<&LocalCa>,
    ) -> Result<StoredDelegate, DelegateError> {
        let kind = duty.kind;
        let content = self.content(duty, key, ca.map(|ca| &*ca.certificate));
        let serial = Serial::random(&*self.random);
        let certificate = match ca {
            Some(ca) => certify(&content, &serial, kind, ca)?,
            None => {
                let facts = IssuerFacts::self_signed(&content, key.signature_algorithm());
                sign(&encode_tbs(&content, &serial, &facts)?, key)?
            }
        };
        Ok(StoredDelegate {
            certificate,
            sealed_key: self.sealer.seal(context, &key.to_pkcs8()?),
            not_after: content.not_after,
        })
    }

    fn content(
        &self,
        duty: Duty,
        key: &LocalKey,
        issuer: Option<&Certificate>,
    ) -> CertificateContent {
        let not_before = (self.now() - BACKDATE).floor_to_second();
        let end = not_before + duty.lifetime;
        let not_after = issuer.map_or(end, |issuer| end.min(issuer.not_after));
        let name = Attribute::text(&oid::COMMON_NAME, duty.name);
        CertificateContent {
            subject: DistinguishedName::from_attributes([name]),
            key_usage: duty.key_usage,
            extended_key_usage: duty.extended_key_usage,
            subject_key_identifier: true,
            ocsp_no_check: duty.ocsp_no_check,
            ..CertificateContent::new(key.public_key().clone(), not_before, not_after)
        }
    }
}

/// Like every certificate it is looked at before it is signed.
fn certify(
    content: &CertificateContent,
    serial: &Serial,
    kind: CertificateKind,
    ca: &LocalCa,
) -> Result<Vec<u8>, DelegateError> {
    let algorithm = ca.key.signature_algorithm();
    let facts = IssuerFacts::from_certificate(&ca.certificate, algorithm);
    let tbs = encode_tbs(content, serial, &facts)?;
    let linted_as = LintContext::new(&facts, ca.certificate.not_after, kind);
    let findings = lint_tbs(&tbs, &linted_as);
    if let Some(finding) = findings.iter().find(|f| f.severity == Severity::Error) {
        return Err(DelegateError::Lint(finding.message.clone()));
    }
    Ok(assemble(&tbs, algorithm, &ca.key.sign(&tbs)?))
}

/// The common name of what acts for a CA.
pub(crate) fn named_after(issuer: &Certificate, role: &str) -> String {
    let name = issuer.subject.common_name().unwrap_or("CA");
    // ub-common-name is 64; the longest role has 15 characters.
    let name: String = name.chars().take(48).collect();
    format!("{name} {role}")
}
