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

    /// The same for a CA whose key is elsewhere.
    pub fn check_remote(certificates: &[Vec<u8>], now: Timestamp) -> Result<Self, CaChainError> {
        let parsed = certificates
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect::<Result<Vec<_>, _>>()?;
        let ordered = order_chain(parsed)?;
        let own = ordered.first().ok_or(ChainError::Empty)?;
        Self::check(certificates, &own.public_key, now)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pki::certificate::{BasicConstraints, CertificateContent, IssuerFacts, encode_tbs, sign};
    use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
    use pki::name::DistinguishedName;
    use pki::random::SystemRandom;
    use pki::serial::Serial;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn key() -> LocalKey {
        LocalKey::generate(KeyAlgorithm::EcP256).unwrap()
    }

    fn content(name: &str, key: &LocalKey, path_len: Option<u8>) -> CertificateContent {
        CertificateContent {
            subject: DistinguishedName::parse(&format!("CN={name}")).unwrap(),
            basic_constraints: BasicConstraints::Ca { path_len },
            key_usage: KeyUsage::KEY_CERT_SIGN.union(KeyUsage::CRL_SIGN),
            subject_key_identifier: true,
            ..CertificateContent::new(key.public_key().clone(), now() - DAY, now() + DAY)
        }
    }

    fn root(content: &CertificateContent, key: &LocalKey) -> Vec<u8> {
        let facts = IssuerFacts::self_signed(content, key.signature_algorithm());
        signed(content, &facts, key)
    }

    fn below(content: &CertificateContent, parent: &[u8], key: &LocalKey) -> Vec<u8> {
        let parent = Certificate::from_der(parent).unwrap();
        let facts = IssuerFacts::from_certificate(&parent, key.signature_algorithm());
        signed(content, &facts, key)
    }

    fn signed(content: &CertificateContent, facts: &IssuerFacts, key: &LocalKey) -> Vec<u8> {
        let serial = Serial::random(&SystemRandom::new());
        sign(&encode_tbs(content, &serial, facts).unwrap(), key).unwrap()
    }

    fn check(certificates: &[Vec<u8>], key: &LocalKey) -> Result<CaChain, CaChainError> {
        CaChain::check(certificates, key.public_key(), now())
    }

    #[test]
    fn a_root_and_a_ca_below_it_are_told_apart() {
        let (above, own) = (key(), key());
        let root = root(&content("root", &above, None), &above);
        assert!(check(std::slice::from_ref(&root), &above).unwrap().is_root);
        let issuing = below(&content("issuing", &own, Some(0)), &root, &above);
        // In whatever order they come.
        let chain = check(&[root.clone(), issuing.clone()], &own).unwrap();
        assert!(!chain.is_root);
        assert_eq!(chain.chain().certificates(), [issuing, root]);
    }

    #[test]
    fn a_certificate_for_another_key_is_refused() {
        let (ours, theirs) = (key(), key());
        let root = root(&content("root", &theirs, None), &theirs);
        assert!(matches!(
            check(&[root], &ours),
            Err(CaChainError::OtherKey(_))
        ));
    }

    #[test]
    fn what_may_not_sign_is_refused() {
        let key = key();
        let mut server = content("server", &key, None);
        server.basic_constraints = BasicConstraints::EndEntity;
        server.key_usage = KeyUsage::DIGITAL_SIGNATURE;
        let refused = check(&[root(&server, &key)], &key);
        assert!(
            matches!(refused, Err(CaChainError::NotCa(_))),
            "{refused:?}"
        );
        let mut silent = content("silent", &key, None);
        silent.key_usage = KeyUsage::KEY_CERT_SIGN;
        let refused = check(&[root(&silent, &key)], &key);
        assert!(
            matches!(refused, Err(CaChainError::KeyUsage(_))),
            "{refused:?}"
        );
    }

    #[test]
    fn a_certificate_that_is_over_or_not_yet_begun_is_refused() {
        let key = key();
        let der = root(&content("root", &key, None), &key);
        for time in [now() - DAY * 2, now() + DAY * 2] {
            let refused = CaChain::check(std::slice::from_ref(&der), key.public_key(), time);
            assert!(matches!(refused, Err(CaChainError::NotValidNow { .. })));
        }
    }

    #[test]
    fn a_parent_that_permits_no_cas_below_it_is_refused() {
        let (above, own) = (key(), key());
        let root = root(&content("root", &above, Some(0)), &above);
        let issuing = below(&content("issuing", &own, None), &root, &above);
        let refused = check(&[issuing, root], &own);
        assert!(
            matches!(refused, Err(CaChainError::PathLength { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn certificates_of_two_chains_are_refused() {
        let (one, two) = (key(), key());
        let certificates = [
            root(&content("one", &one, None), &one),
            root(&content("two", &two, None), &two),
        ];
        assert!(matches!(
            check(&certificates, &one),
            Err(CaChainError::Chain(_))
        ));
    }
}
