//! An ACME directory: an entry point with its own rules, bound to profiles.

use std::time::Duration;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::challenge::ChallengeKind;
use crate::id::{DirectoryId, TeamId};
use crate::identifier::Identifier;
use crate::metadata::{Values, map_of_scalars};

/// An ACME entry point, `/acme/<name>/directory`.
#[derive(Clone, Debug, PartialEq)]
pub struct Directory {
    pub id: DirectoryId,
    /// In its URL: lower-case letters, digits and hyphens.
    pub name: String,
    pub spec: DirectorySpec,
    /// The team that owns it; without one everybody shares it.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The rules of a directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DirectorySpec {
    /// Names of profiles that clients may ask for; the first is what they get unasked.
    pub profiles: Vec<String>,
    pub external_account_required: bool,
    /// The names an EAB key allows take the place of challenges.
    pub trusted: bool,
    /// Offered where they fit the identifier.
    pub challenges: Vec<ChallengeKind>,
    /// Whether `newAuthz` is offered (RFC 8555 section 7.4.1).
    pub pre_authorization: bool,
    pub terms_of_service: Option<String>,
    pub website: Option<String>,
    pub caa: Caa,
    /// How our names appear in CAA and dns-persist-01 records.
    pub caa_identities: Vec<String>,
    pub order_lifetime_seconds: u64,
    pub pending_authorization_lifetime_seconds: u64,
    /// How long a proof of control lasts; 0 asks for a new one with every order.
    pub authorization_reuse_seconds: u64,
    /// Values of custom metadata for orders that get them from nowhere nearer.
    #[serde(deserialize_with = "map_of_scalars")]
    pub metadata: Values,
    /// Misbehave like a CA that keeps its clients honest.
    pub test_mode: Option<TestMode>,
}

impl Default for DirectorySpec {
    fn default() -> Self {
        Self {
            profiles: vec!["default".to_owned()],
            external_account_required: false,
            trusted: false,
            challenges: ChallengeKind::ALL.to_vec(),
            pre_authorization: true,
            terms_of_service: None,
            website: None,
            caa: Caa::Ignored,
            caa_identities: Vec::new(),
            order_lifetime_seconds: 7 * 24 * 60 * 60,
            pending_authorization_lifetime_seconds: 24 * 60 * 60,
            authorization_reuse_seconds: 0,
            metadata: Values::new(),
            test_mode: None,
        }
    }
}

impl DirectorySpec {
    /// The challenges that can prove control of `identifier`.
    pub fn challenges_for(&self, identifier: &Identifier, wildcard: bool) -> Vec<ChallengeKind> {
        self.challenges
            .iter()
            .copied()
            .filter(|kind| kind.proves(identifier, wildcard))
            .collect()
    }

    /// Whether a client's word is taken for control of a name: only ever in a test directory.
    pub fn skips_validation(&self) -> bool {
        self.test_mode.is_some_and(|test| test.skip_validation)
    }

    /// How long an order may stay unfinished.
    pub fn order_lifetime(&self) -> Duration {
        Duration::from_secs(self.order_lifetime_seconds)
    }

    /// How long an authorization may stay pending.
    pub fn pending_authorization_lifetime(&self) -> Duration {
        Duration::from_secs(self.pending_authorization_lifetime_seconds)
    }

    /// How long a valid authorization serves further orders. An order always has time to finish.
    pub fn valid_authorization_lifetime(&self) -> Duration {
        Duration::from_secs(
            self.authorization_reuse_seconds
                .max(self.order_lifetime_seconds),
        )
    }
}

/// Whether CAA records are looked at (RFC 8659).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Caa {
    /// A private CA is seldom named in CAA records.
    Ignored,
    Enforced,
}

/// What a test directory does to its clients, in per cent of the occasions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TestMode {
    /// Good nonces refused with `badNonce`.
    pub refuse_nonces_percent: u8,
    /// Valid authorizations used again, where there are some.
    pub reuse_authorizations_percent: u8,
    /// Longest random wait before a validation, in milliseconds.
    pub validation_delay_millis: u64,
    /// Longest random wait in `processing` after finalize, in milliseconds.
    pub issuance_delay_millis: u64,
    /// Any challenge response is taken for valid without a look.
    pub skip_validation: bool,
}

impl Default for TestMode {
    fn default() -> Self {
        Self {
            refuse_nonces_percent: 5,
            reuse_authorizations_percent: 50,
            validation_delay_millis: 3000,
            issuance_delay_millis: 3000,
            skip_validation: false,
        }
    }
}
