//! The certificates of our own CAs. Those that come from elsewhere are judged by the pipeline.

use domain::issuer::LocalCa;
use pki::certificate::{
    BasicConstraints, BuildError, CertificateContent, IssuerFacts, KeyUsage, encode_tbs, sign,
};
use pki::key::{KeyError, PublicKey, SigningKey};
use pki::name::DistinguishedName;
use pki::random::Random;
use pki::serial::Serial;
use pki::time::Timestamp;

/// From when until when a CA certificate is valid.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

/// Where the certificates and CRLs of the CA above are to be had.
#[derive(Clone, Debug, Default)]
pub struct ParentUrls {
    pub ca_issuers: Vec<String>,
    pub crl: Vec<String>,
}

/// Why a CA certificate is not made.
#[derive(Debug, thiserror::Error)]
pub enum CaCertificateError {
    #[error("the CA certificate cannot be written: {0}")]
    Build(#[from] BuildError),
    #[error("the CA certificate cannot be signed: {0}")]
    Key(#[from] KeyError),
    #[error(
        "a CA valid until {child} would outlive the one that signs it, which is valid until {parent}"
    )]
    Outlives { child: Timestamp, parent: Timestamp },
}

/// A root: signed by its own key, without a limit on what may follow.
pub fn root_certificate(
    subject: &DistinguishedName,
    key: &dyn SigningKey,
    validity: Validity,
    random: &dyn Random,
) -> Result<Vec<u8>, CaCertificateError> {
    let content = ca_content(subject, key.public_key(), validity, None);
    let facts = IssuerFacts::self_signed(&content, key.signature_algorithm());
    let tbs = encode_tbs(&content, &Serial::random(random), &facts)?;
    Ok(sign(&tbs, key)?)
}

/// An issuing CA below `parent`: it signs end-entity certificates only (path length 0).
pub fn issuing_certificate(
    subject: &DistinguishedName,
    public_key: &PublicKey,
    validity: Validity,
    parent: &LocalCa,
    urls: ParentUrls,
    random: &dyn Random,
) -> Result<Vec<u8>, CaCertificateError> {
    let end = parent.certificate.not_after;
    if validity.not_after > end {
        return Err(CaCertificateError::Outlives {
            child: validity.not_after,
            parent: end,
        });
    }
    let mut content = ca_content(subject, public_key, validity, Some(0));
    content.ca_issuer_urls = urls.ca_issuers;
    content.crl_urls = urls.crl;
    let algorithm = parent.key.signature_algorithm();
    let facts = IssuerFacts::from_certificate(&parent.certificate, algorithm);
    let tbs = encode_tbs(&content, &Serial::random(random), &facts)?;
    Ok(sign(&tbs, &*parent.key)?)
}

fn ca_content(
    subject: &DistinguishedName,
    public_key: &PublicKey,
    validity: Validity,
    path_len: Option<u8>,
) -> CertificateContent {
    CertificateContent {
        subject: subject.clone(),
        basic_constraints: BasicConstraints::Ca { path_len },
        // A CA that signs its own OCSP responses needs digitalSignature for it.
        key_usage: KeyUsage::KEY_CERT_SIGN
            .union(KeyUsage::CRL_SIGN)
            .union(KeyUsage::DIGITAL_SIGNATURE),
        subject_key_identifier: true,
        ..CertificateContent::new(public_key.clone(), validity.not_before, validity.not_after)
    }
}

#[cfg(test)]
mod tests;
