//! A CA whose key we hold.

use serde::{Deserialize, Serialize};

use crate::certificate::Chain;
use crate::keystore::KeyReference;

/// A CA whose key we hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbeddedConfig {
    pub key: KeyReference,
    /// Its own certificate first, then those above it; empty while it waits for its certificate.
    pub chain: Chain,
    /// Whether this is a root, which signs CA certificates and CRLs only.
    pub is_root: bool,
}
