//! An incident: one certificate that ends without a successor, from the first notice until it is
//! renewed, revoked, or accepted as it is.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::certificate::{InventoryCertificate, Origin};
use crate::id::{CertificateId, IncidentId};

/// What goes wrong with one certificate. There is one open incident at most for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    pub id: IncidentId,
    pub certificate_id: CertificateId,
    /// The lowest step of the ladder that was told.
    pub threshold: u8,
    pub opened_at: Timestamp,
    pub updated_at: Timestamp,
    pub acknowledgement: Option<Acknowledgement>,
    pub closed: Option<Closing>,
}

/// Somebody looks after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    pub at: Timestamp,
    /// An id or a name.
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    pub at: Timestamp,
    pub reason: ClosingReason,
}

/// Why an incident is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClosingReason {
    Renewed,
    Revoked,
    /// It expired long ago, and nobody missed it.
    Abandoned,
}

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentState {
    Open,
    Acknowledged,
    Closed,
}

impl Incident {
    /// Where it stands.
    pub fn state(&self) -> IncidentState {
        match (&self.closed, &self.acknowledgement) {
            (Some(_), _) => IncidentState::Closed,
            (None, Some(_)) => IncidentState::Acknowledged,
            (None, None) => IncidentState::Open,
        }
    }
}

/// Whether `new` takes the place of `old`: it lasts longer, has all its names, and belongs to the
/// same owner. A mere claim to replace silences nothing, or one team could silence the alarms of
/// another; and what was only imported counts if it comes from the same CA.
pub fn succeeds(new: &InventoryCertificate, old: &InventoryCertificate) -> bool {
    new.id != old.id
        && new.revocation.is_none()
        && new.not_after > old.not_after
        && new.team_id == old.team_id
        && (new.origin == Origin::Issued || new.issuer_name == old.issuer_name)
        && match old.names.as_slice() {
            [] => new.subject == old.subject,
            names => names.iter().all(|name| new.names.contains(name)),
        }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use pki::fingerprint::Fingerprint;
    use pki::random::SystemRandom;
    use pki::revocation::RevocationReason;
    use pki::serial::Serial;

    use super::*;
    use crate::certificate::Revocation;
    use crate::id::TeamId;

    fn certificate(names: &[&str], days: u64) -> InventoryCertificate {
        let start = Timestamp::from_seconds(1_800_000_000);
        let random = SystemRandom::new();
        InventoryCertificate {
            id: CertificateId::mint(start, &random),
            fingerprint: Fingerprint::of(b"x"),
            serial: Serial::random(&random),
            issuer_id: None,
            issuer_name: "CN=CA".to_owned(),
            subject: "CN=x".to_owned(),
            names: names.iter().map(ToString::to_string).collect(),
            not_before: start,
            not_after: start + Duration::from_secs(days * 24 * 60 * 60),
            key_kind: "p-256".to_owned(),
            is_weak: false,
            spki_sha256: [0; 32],
            authority_key_identifier: Vec::new(),
            der: Vec::new(),
            chain_id: None,
            origin: Origin::Issued,
            enrollment_id: None,
            profile_id: None,
            profile_version: None,
            account_id: None,
            directory_id: None,
            replaces: None,
            replaced_by: None,
            metadata: BTreeMap::new(),
            revocation: None,
            team_id: None,
            created_at: start,
        }
    }

    #[test]
    fn a_successor_lasts_longer_and_has_all_the_names() {
        let old = certificate(&["a.example", "b.example"], 90);
        let new = |names: &[&str], days| succeeds(&certificate(names, days), &old);
        assert!(new(&["a.example", "b.example"], 91));
        assert!(new(&["c.example", "b.example", "a.example"], 91));
        assert!(!new(&["a.example"], 91));
        assert!(!new(&["a.example", "b.example"], 90));
        assert!(!succeeds(&old, &old));
        let mut revoked = certificate(&["a.example", "b.example"], 91);
        revoked.revocation = Some(Revocation {
            at: old.not_before,
            reason: RevocationReason::Superseded,
        });
        assert!(!succeeds(&revoked, &old));
    }

    #[test]
    fn nobody_silences_the_alarms_of_another_team() {
        let team = || TeamId::mint(Timestamp::UNIX_EPOCH, &SystemRandom::new());
        let mut old = certificate(&["a.example"], 90);
        old.team_id = Some(team());
        let mut new = certificate(&["a.example"], 91);
        new.replaces = Some(old.id.clone());
        old.replaced_by = Some(new.id.clone());
        for other in [None, Some(team())] {
            new.team_id = other;
            assert!(!succeeds(&new, &old));
        }
        new.team_id = old.team_id.clone();
        assert!(succeeds(&new, &old));
        // Nor does a claim do without the names.
        new.names = vec!["b.example".to_owned()];
        assert!(!succeeds(&new, &old));
    }

    #[test]
    fn what_anybody_may_bring_along_counts_from_the_same_ca_only() {
        let old = certificate(&["a.example"], 90);
        let mut new = certificate(&["a.example"], 91);
        new.origin = Origin::Imported;
        assert!(succeeds(&new, &old));
        new.issuer_name = "CN=Self-made".to_owned();
        assert!(!succeeds(&new, &old));
    }
}
