//! Writing a TBSCertificate and putting its signature to it, RFC 5280 section 4.1.

use super::extensions;
use super::{BasicConstraints, CertificateContent, IssuerFacts};
use crate::asn1::Writer;
use crate::key::{KeyError, SignatureAlgorithm, SigningKey};
use crate::name::GeneralNameError;
use crate::serial::Serial;

/// Why content cannot be written as a certificate at all. What could be written but should not be
/// issued is for [`crate::lint`] to say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A serial number that is zero or longer than 20 octets.
    #[error("the serial number must be positive and below 2^159")]
    Serial,
    /// A certificate that ends before it begins.
    #[error("the certificate would end before it begins")]
    Validity,
    /// Neither subject nor alternative names.
    #[error("the certificate would name nobody: give a subject or an alternative name")]
    NoName,
    /// A CA without subject, whose certificates could not name their issuer.
    #[error("a CA certificate needs a subject")]
    CaWithoutSubject,
    /// A name or constraint that cannot be written.
    #[error(transparent)]
    Name(#[from] GeneralNameError),
    /// A text that is no object identifier.
    #[error("`{0}` is not an object identifier")]
    Oid(String),
    /// A URL that cannot stand in a certificate.
    #[error("`{0}` cannot be written as a URL in a certificate: it must be ASCII and not empty")]
    Url(String),
    /// A name constraints extension without any constraint.
    #[error("name constraints must permit or exclude something")]
    EmptyNameConstraints,
}

/// The octets that are linted and signed.
pub fn encode_tbs(
    content: &CertificateContent,
    serial: &Serial,
    issuer: &IssuerFacts,
) -> Result<Vec<u8>, BuildError> {
    check(content, serial)?;
    let extensions = extensions::encode(content, issuer)?;
    let mut writer = Writer::with_capacity(1024);
    writer.sequence(|w| {
        // version v3
        w.constructed(0, |w| w.small(2));
        serial.encode(w);
        issuer.signature_algorithm.encode(w);
        w.raw(&issuer.subject_der);
        w.sequence(|w| {
            w.time(content.not_before);
            w.time(content.not_after);
        });
        content.subject.encode(w);
        w.raw(content.public_key.spki_der());
        w.constructed(3, |w| w.raw(&extensions));
    });
    Ok(writer.finish())
}

/// The certificate from what was signed and the signature over it.
pub fn assemble(tbs: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(tbs.len() + signature.len() + 32);
    writer.sequence(|w| {
        w.raw(tbs);
        algorithm.encode(w);
        w.bit_string(signature);
    });
    writer.finish()
}

/// Signs a TBSCertificate, or a TBSCertList, which has the same envelope.
pub fn sign(tbs: &[u8], key: &dyn SigningKey) -> Result<Vec<u8>, KeyError> {
    let signature = key.sign(tbs)?;
    Ok(assemble(tbs, key.signature_algorithm(), &signature))
}

fn check(content: &CertificateContent, serial: &Serial) -> Result<(), BuildError> {
    if !serial.is_issuable() {
        return Err(BuildError::Serial);
    }
    if content.not_after.floor_to_second() < content.not_before.floor_to_second() {
        return Err(BuildError::Validity);
    }
    match content.basic_constraints {
        BasicConstraints::Ca { .. } if content.subject.is_empty() => {
            Err(BuildError::CaWithoutSubject)
        }
        BasicConstraints::EndEntity
            if content.subject.is_empty() && content.subject_alt_names.is_empty() =>
        {
            Err(BuildError::NoName)
        }
        BasicConstraints::Ca { .. } | BasicConstraints::EndEntity => Ok(()),
    }
}
