//! What was put somewhere for a CA to find, noted before it is put there, so that it is taken away
//! again whatever happens in between.

use async_trait::async_trait;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::IssuerId;

/// Where a CA looks for a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProofPlace {
    #[serde(rename = "http-01")]
    Http01,
    #[serde(rename = "dns-01")]
    Dns01,
}

impl ProofPlace {
    /// The challenge's type, as ACME names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::Dns01 => "dns-01",
        }
    }
}

/// A response to a challenge of a CA elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeResponse {
    pub issuer: IssuerId,
    /// The order's URL at the CA.
    pub order: String,
    pub place: ProofPlace,
    /// The token of http-01; the name of the TXT record of dns-01.
    pub name: String,
    /// The file's or the record's content.
    pub value: String,
    pub placed_at: Timestamp,
}

/// Remembers responses, for every node and across restarts.
#[async_trait]
pub trait ChallengeResponses: Send + Sync {
    /// Notes a response; one that is noted already keeps its time.
    async fn note(&self, response: &ChallengeResponse) -> Result<(), ResponsesError>;

    /// The responses of an order.
    async fn of_order(
        &self,
        issuer: &IssuerId,
        order: &str,
    ) -> Result<Vec<ChallengeResponse>, ResponsesError>;

    /// Responses of an issuer that were placed before an instant: nobody waits for them any more.
    async fn placed_before(
        &self,
        issuer: &IssuerId,
        before: Timestamp,
    ) -> Result<Vec<ChallengeResponse>, ResponsesError>;

    /// Forgets a response that is where it was no longer.
    async fn forget(&self, response: &ChallengeResponse) -> Result<(), ResponsesError>;
}

/// The notes cannot be read or written.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the responses to challenges cannot be noted: {0}")]
pub struct ResponsesError(pub String);
