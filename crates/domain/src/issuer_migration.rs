//! Moving what one issuer signed to another, in waves: who renews by themselves, how a wave went,
//! whether the next one begins.

use std::time::Duration;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::certificate::InventoryCertificate;
use crate::event::Actor;
use crate::id::{CertificateId, IssuerId, MigrationId};
use crate::profile::IssuerChoice;

/// What of one issuer is moved to another, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IssuerMigration {
    pub id: MigrationId,
    pub from: IssuerId,
    pub to: IssuerId,
    pub pace: Pace,
    pub state: MigrationState,
    /// Which wave is under way; 0 before the first.
    pub wave: u32,
    pub wave_started_at: Option<Timestamp>,
    /// The last wave whose failures were looked at: going on after a stop does not stop for it again.
    pub judged_wave: u32,
    /// Whether the profiles are routed to the new issuer.
    pub routed: bool,
    /// The issuers of each profile before that, to be put back.
    pub routes_before: Vec<RouteBefore>,
    pub created_by: Actor,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// How fast, and when to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Certificates in a wave.
    pub wave_size: u32,
    /// How long a wave has. Clients ask every six hours when to renew, so a shorter time fits emergencies only.
    pub wave_seconds: u64,
    /// More than so many of a hundred of a wave that were not renewed in time stop it all.
    pub stop_above_percent: u8,
}

/// The issuers of a profile as they were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteBefore {
    pub profile: String,
    pub before: Vec<IssuerChoice>,
    pub after: Vec<IssuerChoice>,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum MigrationState {
    Running,
    /// By somebody, or by itself for that reason. Nothing new is pulled forward.
    Paused {
        reason: String,
    },
    /// The profiles are on their way back.
    RollingBack,
    RolledBack,
    Finished,
}

impl MigrationState {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused { .. } => "paused",
            Self::RollingBack => "rolling-back",
            Self::RolledBack => "rolled-back",
            Self::Finished => "finished",
        }
    }

    /// Whether nothing will come of it any more.
    pub fn is_over(&self) -> bool {
        match self {
            Self::RolledBack | Self::Finished => true,
            Self::Running | Self::Paused { .. } | Self::RollingBack => false,
        }
    }
}

/// One certificate of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationItem {
    pub certificate: CertificateId,
    pub readiness: Readiness,
    pub state: ItemState,
    pub wave: Option<u32>,
    /// What took its place.
    pub successor: Option<CertificateId>,
}

/// The same with the names in the certificate, for people who look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedItem {
    pub item: MigrationItem,
    pub names: Vec<String>,
}

/// Who renews a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readiness {
    /// An ACME client, which asks when it should (RFC 9773).
    Automatic,
    /// Somebody has to.
    Person,
    /// Whoever relies on it knows this certificate or its CA by heart: a person has to see to it first.
    Pinned,
}

/// What became of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemState {
    /// Its wave has not come.
    Waiting,
    /// Its client is told to renew now.
    Pulled,
    Renewed,
    /// Not renewed in the time of its wave. It still may be.
    Late,
    /// Left to a person.
    Left,
}

/// How many certificates there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MigrationCounts {
    pub waiting: u64,
    pub pulled: u64,
    pub renewed: u64,
    pub late: u64,
    pub left: u64,
}

impl MigrationCounts {
    /// Adds to the count of a state.
    pub fn add(&mut self, state: ItemState, count: u64) {
        let place = match state {
            ItemState::Waiting => &mut self.waiting,
            ItemState::Pulled => &mut self.pulled,
            ItemState::Renewed => &mut self.renewed,
            ItemState::Late => &mut self.late,
            ItemState::Left => &mut self.left,
        };
        *place += count;
    }
}

/// How a wave stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has time yet.
    Wait,
    /// It is over, and too many were not renewed.
    Stop { reason: String },
    /// It is over, or there was none: the next may begin.
    Next,
}

impl IssuerMigration {
    /// How the wave under way stands, by the counts of its certificates.
    pub fn verdict(&self, wave: MigrationCounts, now: Timestamp) -> Verdict {
        let Some(started) = self.wave_started_at else {
            return Verdict::Next;
        };
        let is_over = now >= started + Duration::from_secs(self.pace.wave_seconds);
        if wave.pulled > 0 && !is_over {
            return Verdict::Wait;
        }
        let (missing, all) = (
            wave.pulled + wave.late,
            wave.pulled + wave.late + wave.renewed,
        );
        let is_too_many = missing * 100 > all * u64::from(self.pace.stop_above_percent);
        match is_too_many && self.judged_wave < self.wave {
            false => Verdict::Next,
            true => Verdict::Stop {
                reason: format!(
                    "{missing} of the {all} certificates of wave {} were not renewed in time; look at \
                     them, then resume or roll back",
                    self.wave
                ),
            },
        }
    }

    /// When the client of a certificate of the wave should renew: now, and within the first half of the
    /// wave, so that those who are late are noticed in it.
    pub fn window(&self, pulled_at: Timestamp) -> (Timestamp, Timestamp) {
        let half = Duration::from_secs((self.pace.wave_seconds / 2).max(2));
        (
            pulled_at.floor_to_second(),
            (pulled_at + half).floor_to_second(),
        )
    }
}

/// Who renews a certificate, as far as can be told: `pin_field` is a field of custom metadata that marks
/// what is pinned.
pub fn readiness(certificate: &InventoryCertificate, pin_field: &str) -> Readiness {
    let mark = certificate.metadata.get(pin_field).map(String::as_str);
    if matches!(mark, Some("true" | "yes" | "1")) {
        return Readiness::Pinned;
    }
    match certificate.account_id {
        Some(_) => Readiness::Automatic,
        None => Readiness::Person,
    }
}

/// A profile's issuers with one in the place of another; `None` where the other is not among them.
pub fn rerouted(choices: &[IssuerChoice], from: &str, to: &str) -> Option<Vec<IssuerChoice>> {
    choices.iter().find(|choice| choice.issuer == from)?;
    let mut after: Vec<IssuerChoice> = Vec::with_capacity(choices.len());
    for choice in choices {
        let mut choice = choice.clone();
        if choice.issuer == from {
            choice.issuer = to.to_owned();
        }
        let twin = after.iter_mut().find(|known| {
            known.issuer == choice.issuer && known.when == choice.when && known.tier == choice.tier
        });
        match twin {
            Some(known) => known.weight = known.weight.saturating_add(choice.weight),
            None => after.push(choice),
        }
    }
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(wave: u32, judged_wave: u32) -> IssuerMigration {
        let random = pki::random::SystemRandom::new();
        let at = Timestamp::from_seconds(1_800_000_000);
        IssuerMigration {
            id: MigrationId::mint(at, &random),
            from: IssuerId::mint(at, &random),
            to: IssuerId::mint(at, &random),
            pace: Pace {
                wave_size: 100,
                wave_seconds: 3600,
                stop_above_percent: 10,
            },
            state: MigrationState::Running,
            wave,
            wave_started_at: (wave > 0).then_some(at),
            judged_wave,
            routed: true,
            routes_before: Vec::new(),
            created_by: Actor::system(),
            created_at: at,
            finished_at: None,
        }
    }

    fn counts(pulled: u64, renewed: u64, late: u64) -> MigrationCounts {
        MigrationCounts {
            pulled,
            renewed,
            late,
            ..MigrationCounts::default()
        }
    }

    #[test]
    fn a_wave_waits_ends_or_stops_everything() {
        let (early, over) = (
            Timestamp::from_seconds(1_800_000_010),
            Timestamp::from_seconds(1_800_003_600),
        );
        for (wave, judged, counts, now, stops, waits) in [
            (0, 0, counts(0, 0, 0), early, false, false),
            (1, 0, counts(5, 95, 0), early, false, true),
            (1, 0, counts(0, 100, 0), early, false, false),
            (1, 0, counts(10, 90, 0), over, false, false),
            (1, 0, counts(11, 89, 0), over, true, false),
            (1, 1, counts(0, 89, 11), over, false, false),
        ] {
            let verdict = migration(wave, judged).verdict(counts, now);
            assert_eq!(matches!(verdict, Verdict::Stop { .. }), stops, "{counts:?}");
            assert_eq!(verdict == Verdict::Wait, waits, "{counts:?}");
        }
    }

    #[test]
    fn the_new_issuer_takes_the_place_and_the_weight_of_the_old_one() {
        let choices = [
            IssuerChoice::new("a", 3),
            IssuerChoice::new("b", 1),
            IssuerChoice::new("c", 2),
        ];
        let after = rerouted(&choices, "a", "b").unwrap();
        assert_eq!(
            after,
            [IssuerChoice::new("b", 4), IssuerChoice::new("c", 2)]
        );
        assert_eq!(rerouted(&choices, "x", "b"), None);
    }
}
