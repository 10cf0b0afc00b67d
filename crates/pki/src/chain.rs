//! Putting certificates in the order in which they sign each other.

use crate::certificate::Certificate;

/// Certificates that are no chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// No certificate.
    #[error("there is no certificate")]
    Empty,
    /// More certificates than a path has.
    #[error("{0} certificates are too many for a chain: at most {MAX_CERTIFICATES} are ordered")]
    TooMany(usize),
    /// No certificate, or several, that signed none of the others.
    #[error("the chain has {0} certificates that issued none of the others; it must have one leaf")]
    Leaf(usize),
    /// A certificate whose issuer is not there although others are left.
    #[error("the issuer of `{subject}`, `{issuer}`, is not among the other certificates")]
    Broken {
        /// Whose issuer is missing.
        subject: String,
        /// The missing name.
        issuer: String,
    },
}

const MAX_CERTIFICATES: usize = 32;

/// The chain, leaf first, each certificate signed by the next one; whatever order they came in.
///
/// Duplicates are dropped. That the issuers are CAs is checked, that the certificates are valid now
/// is not.
pub fn order_chain(mut certificates: Vec<Certificate>) -> Result<Vec<Certificate>, ChainError> {
    if certificates.len() > MAX_CERTIFICATES {
        return Err(ChainError::TooMany(certificates.len()));
    }
    let mut seen = Vec::new();
    certificates.retain(|certificate| {
        let fingerprint = certificate.fingerprint();
        let new = !seen.contains(&fingerprint);
        seen.push(fingerprint);
        new
    });
    let leaf = take_leaf(&mut certificates)?;
    let mut chain = vec![leaf];
    while let (Some(last), false) = (chain.last(), certificates.is_empty()) {
        let issuer = certificates
            .iter()
            .position(|candidate| candidate.is_ca && last.is_signed_by(candidate))
            .ok_or_else(|| ChainError::Broken {
                subject: last.subject.to_string(),
                issuer: last.issuer.to_string(),
            })?;
        chain.push(certificates.swap_remove(issuer));
    }
    Ok(chain)
}

fn take_leaf(certificates: &mut Vec<Certificate>) -> Result<Certificate, ChainError> {
    if certificates.is_empty() {
        return Err(ChainError::Empty);
    }
    let leaves: Vec<_> = (0..certificates.len())
        .filter(|&leaf| {
            !certificates.iter().enumerate().any(|(other, certificate)| {
                other != leaf && certificate.issuer_der == certificates[leaf].subject_der
            })
        })
        .collect();
    match leaves.as_slice() {
        [leaf] => Ok(certificates.swap_remove(*leaf)),
        others => Err(ChainError::Leaf(others.len())),
    }
}
