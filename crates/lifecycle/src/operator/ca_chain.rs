//! The certificates of a CA that was made elsewhere, checked before they are believed.

use domain::certificate::Chain;
use pki::certificate::{Certificate, CertificateError, KeyUsage};
use pki::chain::{ChainError, order_chain};
use pki::key::{PublicKey, WeakKey, weak};
use pki::time::Timestamp;

/// Why certificates are not taken as those of a CA of ours.
#[derive(Debug, thiserror::Error)]
pub enum CaChainError {
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("the certificates are no chain: {0}")]
    Chain(#[from] ChainError),
    #[error(
        "the certificate of `{0}` is not for this issuer's key; was it made from another request?"
    )]
    OtherKey(String),
    #[error("the CA's key is weak: {0}")]
    WeakKey(#[from] WeakKey),
    #[error("`{0}` is not a CA certificate; basicConstraints with CA:TRUE is missing")]
    NotCa(String),
    #[error("`{0}` may not sign certificates and CRLs; its keyUsage needs keyCertSign and cRLSign")]
    KeyUsage(String),
    #[error("`{subject}` is valid from {not_before} to {not_after}, which is not now")]
    NotValidNow {
        subject: String,
        not_before: Timestamp,
        not_after: Timestamp,
    },
    #[error("`{subject}` has critical extensions that are not understood here: {extensions}")]
    Extensions { subject: String, extensions: String },
    #[error("`{subject}` permits {allowed} CAs below it, but there are {below}")]
    PathLength {
        subject: String,
        allowed: u32,
        below: usize,
    },
}

/// A chain that was checked.
#[derive(Debug)]
pub struct CaChain {
    /// Parsed, the CA itself first.
    pub certificates: Vec<Certificate>,
    /// Whether the CA is its own issuer.
    pub is_root: bool,
}

impl CaChain {
    /// Checks certificates in any order: one chain from the CA with `key` upwards, each a CA
    /// that is valid at `now` and permits those below it (RFC 5280 section 6.1.4).
    pub fn check(
        certificates: &[Vec<u8>],
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<Self, CaChainError> {
        let parsed = certificates
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect::<Result<Vec<_>, _>>()?;
        let certificates = order_chain(parsed)?;
        let own = certificates.first().ok_or(ChainError::Empty)?;
        if own.public_key != *key {
            return Err(CaChainError::OtherKey(own.subject.to_string()));
        }
        weak::check(key)?;
        for (below, certificate) in certificates.iter().enumerate() {
            check_ca(certificate, below, now)?;
        }
        let is_root = own.is_self_issued() && own.is_signed_with(key);
        Ok(Self {
            certificates,
            is_root,
        })
    }

    /// The CA's certificate and those above it.
    pub fn chain(&self) -> Chain {
        Chain::new(self.certificates.iter().map(|c| c.der.clone()).collect())
    }
}

fn check_ca(certificate: &Certificate, below: usize, now: Timestamp) -> Result<(), CaChainError> {
    let subject = certificate.subject.to_string();
    if !certificate.is_ca {
        return Err(CaChainError::NotCa(subject));
    }
    let usage = KeyUsage::KEY_CERT_SIGN.union(KeyUsage::CRL_SIGN);
    // Roots of old leave the key usage out, which permits everything.
    if certificate
        .key_usage
        .is_some_and(|found| !found.contains(usage))
    {
        return Err(CaChainError::KeyUsage(subject));
    }
    if now < certificate.not_before || now > certificate.not_after {
        return Err(CaChainError::NotValidNow {
            subject,
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
        return Err(CaChainError::Extensions {
            subject,
            extensions: strange.join(", "),
        });
    }
    match certificate.path_len {
        // The last of those below may be an end entity, which does not count; none here is.
        Some(allowed) if below > usize::try_from(allowed).unwrap_or(usize::MAX) => {
            Err(CaChainError::PathLength {
                subject,
                allowed,
                below,
            })
        }
        Some(_) | None => Ok(()),
    }
}
