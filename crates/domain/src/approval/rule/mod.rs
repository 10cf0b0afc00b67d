//! When people have to agree to a request, and which people: a part of a profile.

mod condition;
mod faults;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use condition::{Condition, Facts, Renewal};

use crate::access::Principal;

/// Who has to agree before a certificate of a profile is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRule {
    /// A request waits where any of these holds.
    #[serde(default = "always")]
    pub when: Vec<Condition>,
    /// One after the other; a person decides in one of them only.
    pub stages: Vec<Stage>,
    #[serde(default)]
    pub unchanged_renewals: UnchangedRenewals,
    /// From the request to its end, if nobody has decided by then.
    #[serde(default = "five_days")]
    pub deadline_seconds: u64,
    /// How often those whose turn it is are told again; 0 for never.
    #[serde(default = "a_day")]
    pub remind_every_seconds: u64,
    /// Who may decide as well when those who were asked have not, step by step.
    #[serde(default)]
    pub escalation: Vec<EscalationStep>,
}

/// Some people of whom so many have to agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// How many different people.
    pub approvals: u32,
    pub approvers: Vec<Approver>,
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Approver {
    /// Whoever holds a role, one of the built-in or a custom one.
    Role {
        role: String,
        #[serde(default)]
        scope: RoleScope,
    },
    /// This person, or this program.
    Named { principal: Principal },
}

/// Where a role has to be held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleScope {
    /// In the team that will own the certificate, or everywhere.
    #[default]
    OwnerTeam,
    /// Everywhere: people who belong to no team in particular.
    Everywhere,
}

/// Whether a renewal waits that differs in nothing: same names, same rules, same requester or team.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnchangedRenewals {
    /// As everything else.
    #[default]
    Wait,
    /// Not, if the key is the same too.
    SkipWithSameKey,
    /// Not.
    Skip,
}

/// One step of an escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    /// Since the request.
    pub after_seconds: u64,
    /// May decide from then on, beside those who were asked before.
    pub to: Vec<Approver>,
}

impl ApprovalRule {
    /// Why a request has to wait; nothing where it has not.
    pub fn reasons(&self, facts: &Facts) -> Vec<Condition> {
        let skips = match (self.unchanged_renewals, facts.renewal) {
            (UnchangedRenewals::Wait, _) | (_, Renewal::None) => false,
            (UnchangedRenewals::SkipWithSameKey, renewal) => renewal == Renewal::SameKey,
            (UnchangedRenewals::Skip, Renewal::NewKey | Renewal::SameKey) => true,
        };
        let holding = self.when.iter().copied().filter(|when| when.holds(facts));
        match skips {
            true => Vec::new(),
            false => holding.collect(),
        }
    }

    /// From the request to its end.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_seconds)
    }

    /// Between two reminders, where there are any.
    pub fn reminder_interval(&self) -> Option<Duration> {
        (self.remind_every_seconds > 0).then(|| Duration::from_secs(self.remind_every_seconds))
    }

    /// Everyone the rule names, stages before escalation.
    pub fn approvers(&self) -> impl Iterator<Item = &Approver> {
        let stages = self.stages.iter().flat_map(|stage| &stage.approvers);
        stages.chain(self.escalation.iter().flat_map(|step| &step.to))
    }
}

impl fmt::Display for Approver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role {
                role,
                scope: RoleScope::OwnerTeam,
            } => write!(f, "role `{role}`"),
            Self::Role {
                role,
                scope: RoleScope::Everywhere,
            } => write!(f, "role `{role}` held everywhere"),
            Self::Named { principal } => write!(f, "{principal}"),
        }
    }
}

fn always() -> Vec<Condition> {
    vec![Condition::Always]
}

const fn five_days() -> u64 {
    5 * DAY
}

const fn a_day() -> u64 {
    DAY
}

const DAY: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests;
