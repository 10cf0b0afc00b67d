//! A CMP endpoint: a path bound to profiles, with rules for who may ask there.

use std::time::Duration;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::enrolling::CertificateUse;
use crate::id::{EntryPointId, TeamId};
use crate::metadata::{Values, map_of_scalars};

/// `/.well-known/cmp/p/<name>`; the one called `default` is also `/.well-known/cmp`.
#[derive(Clone, Debug, PartialEq)]
pub struct CmpEndpoint {
    pub id: EntryPointId,
    /// In its URL: lower-case letters, digits and hyphens.
    pub name: String,
    pub spec: CmpRules,
    /// The team that owns it; without one everybody shares it.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The name of the endpoint that the path without a name leads to.
pub const DEFAULT_ENDPOINT: &str = "default";

/// The rules of an endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CmpRules {
    /// Names of profiles that requests may name by `certProfile`; the first is what they get unasked.
    pub profiles: Vec<String>,
    /// Whether messages protected with a shared secret are taken.
    pub secrets: bool,
    /// What a certificate that was issued here opens beside its own update and revocation.
    pub certificates: CertificateUse,
    /// Certificates of registration authorities, in PEM: who holds the key of one may ask for any
    /// name that the profile allows, vouch for keys, and have certificates revoked.
    pub authorities: Vec<String>,
    /// Whether a requester may do without confirming the certificate.
    pub implicit_confirm: bool,
    /// How long a confirmation is waited for before the certificate is revoked.
    pub confirm_wait_seconds: u64,
    /// How far a message's time may be from ours; 0 does not look.
    pub max_clock_skew_seconds: u64,
    /// Values of custom metadata for requests that get them from nowhere nearer.
    #[serde(deserialize_with = "map_of_scalars")]
    pub metadata: Values,
}

impl Default for CmpRules {
    fn default() -> Self {
        Self {
            profiles: vec!["default".to_owned()],
            secrets: true,
            certificates: CertificateUse::SameNames,
            authorities: Vec::new(),
            implicit_confirm: true,
            confirm_wait_seconds: 60 * 60,
            max_clock_skew_seconds: 5 * 60,
            metadata: Values::new(),
        }
    }
}

impl CmpRules {
    /// How long a confirmation is waited for.
    pub fn confirm_wait(&self) -> Duration {
        Duration::from_secs(self.confirm_wait_seconds)
    }

    /// Whether a message made at `made` can be of `now`.
    pub fn is_timely(&self, made: Timestamp, now: Timestamp) -> bool {
        let skew = Duration::from_secs(self.max_clock_skew_seconds);
        skew.is_zero() || (made.since(now) <= skew && now.since(made) <= skew)
    }
}
