//! What is kept of an order while it waits: enough to go on after a restart, on any node.

use std::collections::{BTreeMap, BTreeSet};

use domain::issuer::{Issuance, IssueError};
use pki::time::Timestamp;
use protocols::acme::base64url::Base64Url;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::issuer::remote;

/// An order at the CA. There is one for each enrollment; another takes its place only where the CA gave the
/// same order to two requests, and the other one's CSR was taken.
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
    /// Whether the CA took our CSR for it.
    #[serde(default)]
    pub(super) finalized: bool,
    /// How many orders were lost to other requests.
    #[serde(default)]
    pub(super) lost: u8,
}

impl Handle {
    pub(super) fn new(order: String, csr: &[u8]) -> Self {
        Self {
            order,
            csr: Base64Url(csr.to_vec()),
            put: BTreeMap::new(),
            told: BTreeSet::new(),
            finalized: false,
            lost: 0,
        }
    }

    /// The order went to another request for the same names; this one goes on with that.
    pub(super) fn move_to(&mut self, order: String) {
        let csr = std::mem::take(&mut self.csr.0);
        *self = Self {
            lost: self.lost.saturating_add(1),
            ..Self::new(order, &csr)
        };
    }

    pub(super) fn read(text: &str) -> Result<Self, IssueError> {
        remote::noted(text)
    }

    /// To be asked about again.
    pub(super) fn pending(&self, poll_after: Duration) -> Result<Issuance, IssueError> {
        remote::pending(self, poll_after)
    }
}
