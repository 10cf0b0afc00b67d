//! The certificates of our own CAs: made here, requested from an offline root, or imported.

use domain::certificate::Chain;
use domain::issuer::LocalCa;
use pki::certificate::{
    BasicConstraints, BuildError, Certificate, CertificateContent, CertificateError, IssuerFacts,
    KeyUsage, encode_tbs, sign,
};
use pki::chain::{ChainError, order_chain};
use pki::csr::CsrBuildError;
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

/// Why a CA certificate is not made or not taken.
#[derive(Debug, thiserror::Error)]
pub enum CaCertificateError {
    #[error("the CA certificate cannot be written: {0}")]
    Build(#[from] BuildError),
    #[error("the CSR cannot be written: {0}")]
    Csr(#[from] CsrBuildError),
    #[error("the CA certificate cannot be signed: {0}")]
    Key(#[from] KeyError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("the certificates are no chain: {0}")]
    Chain(#[from] ChainError),
    #[error(
        "a CA valid until {child} would outlive the one that signs it, which is valid until {parent}"
    )]
    Outlives { child: Timestamp, parent: Timestamp },
    #[error("`{0}` is not a CA certificate (basicConstraints CA:TRUE is missing)")]
    NotCa(DistinguishedName),
    #[error(
        "`{0}` may not sign certificates and CRLs (keyUsage keyCertSign and cRLSign are needed)"
    )]
    KeyUsage(DistinguishedName),
    #[error("`{subject}` is valid from {not_before} to {not_after}, which is not now")]
    NotValidNow {
        subject: DistinguishedName,
        not_before: Timestamp,
        not_after: Timestamp,
    },
    #[error("the certificate of `{0}` is not for this issuer's key; was it made from another CSR?")]
    OtherKey(DistinguishedName),
    #[error("`{subject}` has extensions that are not understood here: {extensions}")]
    Extensions {
        subject: DistinguishedName,
        extensions: String,
    },
    #[error("`{subject}` allows {allowed} CAs below it, but {below} are")]
    PathLength {
        subject: DistinguishedName,
        allowed: u32,
        below: usize,
    },
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

/// A request for an issuing CA's certificate, to be taken to a root that is elsewhere.
pub fn certificate_request(
    subject: &DistinguishedName,
    key: &dyn SigningKey,
) -> Result<Vec<u8>, CaCertificateError> {
    Ok(pki::csr::build(subject, &[], &[], key)?)
}

/// Checks certificates that came back from elsewhere, in whatever order, and puts them in order.
pub fn check_imported(
    certificates: &[Vec<u8>],
    key: &PublicKey,
    now: Timestamp,
) -> Result<Chain, CaCertificateError> {
    let parsed = certificates
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<Result<Vec<_>, _>>()?;
    let chain = order_chain(parsed)?;
    let own = chain.first().ok_or(ChainError::Empty)?;
    if own.public_key != *key {
        return Err(CaCertificateError::OtherKey(own.subject.clone()));
    }
    for (below, certificate) in chain.iter().enumerate() {
        check_ca(certificate, below, now)?;
    }
    Ok(Chain::new(
        chain
            .into_iter()
            .map(|certificate| certificate.der)
            .collect(),
    ))
}

/// Checks one CA certificate with `below` CAs under it.
pub fn check_ca(
    certificate: &Certificate,
    below: usize,
    now: Timestamp,
) -> Result<(), CaCertificateError> {
    let subject = || certificate.subject.clone();
    if !certificate.is_ca {
        return Err(CaCertificateError::NotCa(subject()));
    }
    let usage = KeyUsage::KEY_CERT_SIGN.union(KeyUsage::CRL_SIGN);
    if !certificate
        .key_usage
        .is_some_and(|found| found.contains(usage))
    {
        return Err(CaCertificateError::KeyUsage(subject()));
    }
    if now < certificate.not_before || now > certificate.not_after {
        return Err(CaCertificateError::NotValidNow {
            subject: subject(),
            not_before: certificate.not_before,
            not_after: certificate.not_after,
        });
    }
    let strange = [
        certificate.unknown_critical_extensions.as_slice(),
        certificate.malformed_extensions.as_slice(),
    ]
    .concat();
    if !strange.is_empty() {
        return Err(CaCertificateError::Extensions {
            subject: subject(),
            extensions: strange.join(", "),
        });
    }
    match certificate.path_len {
        Some(allowed) if usize::try_from(allowed).is_ok_and(|allowed| below > allowed) => {
            Err(CaCertificateError::PathLength {
                subject: subject(),
                allowed,
                below,
            })
        }
        Some(_) | None => Ok(()),
    }
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
