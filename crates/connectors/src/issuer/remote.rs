//! What connectors to CAs elsewhere have in common.

use domain::certificate::Chain;
use domain::issuer::IssueError;
use pki::certificate::Certificate;

use crate::net::ServiceError;

/// What the lack of an answer says about the request.
pub(super) fn unanswered(error: &ServiceError) -> IssueError {
    match error {
        // No octet of the request has left.
        ServiceError::Dial(_) | ServiceError::Plain(_) | ServiceError::Tls { .. } => {
            IssueError::NotReached(error.to_string())
        }
        ServiceError::Malformed { .. }
        | ServiceError::Lost { .. }
        | ServiceError::Timeout { .. } => IssueError::Unavailable(error.to_string()),
    }
}

/// A chain that a CA answered with, leaf first, whatever order it came in.
pub(super) fn chain_of_pem(pem: &[u8]) -> Result<Chain, IssueError> {
    let certificates = pki::pem::decode_all(pki::pem::CERTIFICATE, pem)
        .map_err(|error| IssueError::Unavailable(format!("the CA's answer: {error}")))?;
    chain_of(certificates)
}

/// The same of certificates in DER.
pub(super) fn chain_of(certificates: Vec<Vec<u8>>) -> Result<Chain, IssueError> {
    let unreadable = |error: &dyn std::fmt::Display| {
        IssueError::Unavailable(format!("the CA's answer cannot be read: {error}"))
    };
    if certificates.is_empty() {
        return Err(unreadable(&"it holds no certificate"));
    }
    let parsed = certificates
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreadable(&error))?;
    // What is no chain is passed on as it came: whoever checks it against the order tells what is wrong.
    Ok(match pki::chain::order_chain(parsed) {
        Ok(ordered) => Chain::new(ordered.into_iter().map(|one| one.der).collect()),
        Err(_) => Chain::new(certificates),
    })
}

/// Of all that a server shows, roots and roll-overs of several CAs, what leads up from this certificate.
pub(super) fn path_above(leaf: &[u8], shown: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut rest: Vec<Certificate> = shown
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect();
    let mut path = Vec::new();
    let Ok(mut below) = Certificate::from_der(leaf) else {
        return path;
    };
    while let Some(at) = rest.iter().position(|above| below.is_signed_by(above)) {
        below = rest.swap_remove(at);
        path.push(below.der.clone());
    }
    path
}
