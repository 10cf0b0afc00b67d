//! What is kept of an order while it waits: enough to go on after a restart, on any node.

use std::collections::{BTreeMap, BTreeSet};

use domain::issuer::{Issuance, IssueError};
use pki::time::Timestamp;
use protocols::acme::base64url::Base64Url;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::issuer::remote;

/// An order at the CA. There is one for each enrollment, and it is never replaced by another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Handle {
    /// The order's URL.
    pub(super) order: String,
    pub(super) csr: Base64Url,
    /// Challenges by URL, and when their responses were last put in place.
    #[serde(default)]
    pub(super) put: BTreeMap<String, Timestamp>,
    /// Challenges that the CA was told to look at.
    #[serde(default)]
    pub(super) told: BTreeSet<String>,
}

impl Handle {
    pub(super) fn new(order: String, csr: &[u8]) -> Self {
        Self {
            order,
            csr: Base64Url(csr.to_vec()),
            put: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    pub(super) fn read(text: &str) -> Result<Self, IssueError> {
        remote::noted(text)
    }

    /// To be asked about again.
    pub(super) fn pending(&self, poll_after: Duration) -> Result<Issuance, IssueError> {
        remote::pending(self, poll_after)
    }
}
