//! What a CA publishes for those who rely on its certificates, and what of it was found in order.

use async_trait::async_trait;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Fetches from addresses that certificates name, as anybody would who relies on them.
#[async_trait]
pub trait PublishedFetcher: Send + Sync {
    /// The octets at a CRL distribution point.
    async fn crl(&self, url: &str) -> Result<Vec<u8>, FetchFault>;

    /// What an OCSP responder answers to a request.
    async fn ocsp(&self, url: &str, request: Vec<u8>) -> Result<Vec<u8>, FetchFault>;
}

/// Why there is nothing to look at, for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchFault(pub String);

/// An address that certificates of a CA name, as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    pub kind: PublishedKind,
    pub url: String,
    /// The number of a CRL (RFC 5280 section 5.2.3), where it has one.
    #[serde(default)]
    pub number: Option<String>,
    /// Until when what is there may be relied on.
    pub fresh_until: Option<Timestamp>,
    /// What is wrong with it, and what to do.
    pub problem: Option<String>,
    /// Since when it is not reached.
    pub unreached_since: Option<Timestamp>,
}

/// What is at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PublishedKind {
    Crl,
    Ocsp,
}

impl PublishedKind {
    /// Its name, as people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Crl => "CRL",
            Self::Ocsp => "OCSP",
        }
    }
}
