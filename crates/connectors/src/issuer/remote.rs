//! CAs elsewhere: what a connector says of its own, and what all of them have in common.

use std::time::Duration;

use async_trait::async_trait;
use domain::certificate::Chain;
use domain::issuer::{
    Abilities, Issuance, IssueError, Issuer, IssuerConnector, LocalCa, Prepared, RevocationError,
    RevocationRequest, SigningRequest,
};
use pki::certificate::Certificate;
use pki::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::net::ServiceError;

/// The end of what has none (RFC 5280 section 4.1.2.5).
pub(super) const NO_END: Timestamp = Timestamp::from_seconds(253_402_300_799);

/// A CA elsewhere. It holds its own key, chooses serials and answers for what it revoked, so that a
/// connector has to say no more than how it is asked; [`Remote`] makes an issuer of it.
#[async_trait]
pub trait RemoteCa: Send + Sync {
    /// Refuses what it can never be asked for, before anything of the request is durable.
    fn admits(&self, _request: &SigningRequest) -> Result<(), IssueError> {
        Ok(())
    }

    /// Asks for the certificate. Called again with the same arguments after a crash.
    async fn issue(&self, request: &SigningRequest) -> Result<Issuance, IssueError>;

    /// Asks about a pending certificate; for a CA that answers [`Issuance::Pending`].
    async fn poll(&self, _handle: &str) -> Result<Issuance, IssueError> {
        Err(IssueError::Refused(
            "this issuer signs at once, there is nothing to wait for".to_owned(),
        ))
    }

    /// Tells the CA of a revocation, where it can be told; see [`IssuerConnector::revoke`].
    async fn revoke(&self, _request: &RevocationRequest) -> Result<(), RevocationError> {
        Err(RevocationError::Unsupported)
    }

    /// The last instant that a certificate of it may be valid at: `known` is its own certificate with
    /// those above it, and empty while nobody knows them.
    fn not_after(&self, known: &Chain) -> Timestamp {
        match known.leaf() {
            Some(Ok(own)) => own.not_after,
            Some(Err(_)) | None => NO_END,
        }
    }

    /// What else it can do.
    fn abilities(&self) -> Abilities<'_>;
}

/// A CA elsewhere as an issuer.
pub struct Remote<C> {
    ca: C,
    chain: Chain,
    not_after: Timestamp,
}

impl<C: RemoteCa> Remote<C> {
    /// The connector of this issuer.
    pub fn new(issuer: &Issuer, ca: C) -> Self {
        let chain = issuer.chain().clone();
        Self {
            not_after: ca.not_after(&chain),
            chain,
            ca,
        }
    }
}

#[async_trait]
impl<C: RemoteCa> IssuerConnector for Remote<C> {
    fn prepare(
        &self,
        request: &SigningRequest,
        _now: Timestamp,
    ) -> Result<Option<Prepared>, IssueError> {
        self.ca.admits(request).map(|()| None)
    }

    async fn issue(
        &self,
        request: &SigningRequest,
        _prepared: Option<&Prepared>,
    ) -> Result<Issuance, IssueError> {
        self.ca.issue(request).await
    }

    async fn poll(&self, handle: &str) -> Result<Issuance, IssueError> {
        self.ca.poll(handle).await
    }

    async fn revoke(&self, request: &RevocationRequest) -> Result<(), RevocationError> {
        self.ca.revoke(request).await
    }

    fn chain(&self) -> &Chain {
        &self.chain
    }

    fn not_after(&self) -> Timestamp {
        self.not_after
    }

    fn local_ca(&self) -> Option<&LocalCa> {
        None
    }

    fn abilities(&self) -> Abilities<'_> {
        self.ca.abilities()
    }
}

/// A request that is asked about again, with what its connector notes of it until then.
pub(super) fn pending(
    noted: &impl Serialize,
    poll_after: Duration,
) -> Result<Issuance, IssueError> {
    let handle =
        serde_json::to_string(noted).map_err(|error| IssueError::Refused(error.to_string()))?;
    Ok(Issuance::Pending { handle, poll_after })
}

/// What was noted of a request.
pub(super) fn noted<T: DeserializeOwned>(handle: &str) -> Result<T, IssueError> {
    serde_json::from_str(handle).map_err(|error| lost(&error))
}

/// What was noted of a request is of no use.
pub(super) fn lost(error: &dyn std::fmt::Display) -> IssueError {
    IssueError::Refused(format!(
        "what was noted of the request cannot be read: {error}"
    ))
}

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
