//! Keys that are never certified again.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A key that no profile and no issuer here certifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockedKey {
    /// SHA-256 of its SubjectPublicKeyInfo, hex
    #[schema(example = "5b7d1a6f0c1e4d0a9a0f6f4f1f0b6d6a3c2e1d0c9b8a7f6e5d4c3b2a19080706")]
    pub spki_sha256: String,
    /// What was said when it was blocked first; `keyCompromise` by a revocation
    pub reason: String,
    #[schema(value_type = String, format = DateTime)]
    pub blocked_at: Timestamp,
}

/// Keys to be blocked: all of them, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockKeys {
    /// Each by the SHA-256 of its SubjectPublicKeyInfo (hex), the id of a certificate that has it, or PEM of
    /// the public key, a certificate or a CSR
    #[schema(min_items = 1, max_items = 1000, example = json!(["crt_06ek9q3v5c8m2k7t1r4x0z9w8y"]))]
    pub keys: Vec<String>,
    /// Why, for whoever wonders later
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "found in a public repository"
    )]
    pub reason: String,
}

/// How the keys stand that were to be blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockedKeys {
    pub items: Vec<BlockedKey>,
}
