//! What a connector has to remember between requests and restarts: an account, a token.

use async_trait::async_trait;

use crate::id::IssuerId;

/// Small durable texts of each issuer, sealed in the store and the same on every node.
#[async_trait]
pub trait ConnectorState: Send + Sync {
    /// The text of that name.
    async fn get(&self, issuer: &IssuerId, name: &str) -> Result<Option<String>, StateError>;

    /// Writes a text, in the place of what was there.
    async fn put(&self, issuer: &IssuerId, name: &str, text: &str) -> Result<(), StateError>;

    /// Writes a text unless there is one, and gives the one that is there then: of two nodes that make
    /// an account at once, both go on with the same.
    async fn put_if_absent(
        &self,
        issuer: &IssuerId,
        name: &str,
        text: &str,
    ) -> Result<String, StateError>;

    /// Forgets the text of that name.
    async fn delete(&self, issuer: &IssuerId, name: &str) -> Result<(), StateError>;
}

/// Why a text is not read or written; trying again can help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the connector remembers is not to be had: {0}")]
pub struct StateError(pub String);

impl From<StateError> for super::IssueError {
    fn from(error: StateError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
