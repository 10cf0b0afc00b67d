//! When people have to agree to a request, and which people: a part of a profile.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::access::Principal;
use crate::profile::SpecFault;

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

/// What makes a request wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    Always,
    /// It names a wildcard.
    Wildcard,
    /// It names something for which no certificate was ever issued here.
    NewName,
    /// It names something for which another team has a certificate.
    ForeignTeam,
    /// The certificate would be trusted by the public.
    PublicCa,
    /// The certificate would be valid for longer than so many seconds.
    #[serde(rename = "validity_above_seconds")]
    ValidityAbove(u64),
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

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub wildcard: bool,
    pub new_name: bool,
    pub foreign_team: bool,
    pub public_ca: bool,
    pub validity: Duration,
    pub renewal: Renewal,
}

/// How a request relates to the last certificate of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// There is none that counts, or something differs.
    None,
    /// Nothing differs but the key.
    NewKey,
    /// Nothing differs.
    SameKey,
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

    /// Everything that is wrong with the rule, each with its place in the profile.
    pub fn faults(&self) -> Vec<SpecFault> {
        let checks = [
            (
                self.when.is_empty(),
                "approval.when",
                "is empty, so nothing would ever wait; name a condition, or leave it out for `always`",
            ),
            (
                self.stages.is_empty() || self.stages.len() > MAX_STAGES,
                "approval.stages",
                "must be 1 to 8",
            ),
            (
                !(SHORTEST..=LONGEST).contains(&self.deadline_seconds),
                "approval.deadline_seconds",
                "must be between a minute and 90 days",
            ),
            (
                self.remind_every_seconds != 0 && self.remind_every_seconds < SHORTEST,
                "approval.remind_every_seconds",
                "must be 0, for no reminders, or at least a minute",
            ),
            (
                self.escalation.len() > MAX_STAGES,
                "approval.escalation",
                "has more than 8 steps",
            ),
        ];
        let mut faults: Vec<SpecFault> = checks
            .into_iter()
            .filter(|(is_wrong, ..)| *is_wrong)
            .map(|(_, place, text)| SpecFault::new(place, text))
            .collect();
        for (number, stage) in self.stages.iter().enumerate() {
            stage.check(&format!("approval.stages[{number}]"), &mut faults);
        }
        self.check_escalation(&mut faults);
        faults
    }

    fn check_escalation(&self, faults: &mut Vec<SpecFault>) {
        let mut earliest = 0;
        for (number, step) in self.escalation.iter().enumerate() {
            let place = format!("approval.escalation[{number}]");
            let after = format!("{place}.after_seconds");
            if step.after_seconds <= earliest {
                let text = "must be later than the step before it";
                faults.push(SpecFault::new(after.clone(), text));
            }
            if step.after_seconds >= self.deadline_seconds {
                let text = "is not before the deadline, so nobody would be asked";
                faults.push(SpecFault::new(after, text));
            }
            earliest = step.after_seconds;
            check_approvers(&step.to, &format!("{place}.to"), faults);
        }
    }
}

impl Stage {
    fn check(&self, place: &str, faults: &mut Vec<SpecFault>) {
        if !(1..=MAX_APPROVALS).contains(&self.approvals) {
            let text = format!("must be a number from 1 to {MAX_APPROVALS}");
            faults.push(SpecFault::new(format!("{place}.approvals"), text));
        }
        check_approvers(&self.approvers, &format!("{place}.approvers"), faults);
        let all_named = self
            .approvers
            .iter()
            .all(|approver| matches!(approver, Approver::Named { .. }));
        if all_named && (self.approvals as usize) > self.approvers.len() {
            let text = format!(
                "asks for {} approvals of {} people, so it could never be reached; name more people or a role",
                self.approvals,
                self.approvers.len()
            );
            faults.push(SpecFault::new(place, text));
        }
    }
}

fn check_approvers(approvers: &[Approver], place: &str, faults: &mut Vec<SpecFault>) {
    if approvers.is_empty() || approvers.len() > MAX_APPROVERS {
        let text = format!("must name 1 to {MAX_APPROVERS} approvers");
        faults.push(SpecFault::new(place, text));
    }
    let mut seen = BTreeSet::new();
    for approver in approvers {
        if !seen.insert(approver.to_string()) {
            faults.push(SpecFault::new(place, format!("names {approver} twice")));
        }
        if let Approver::Role { role, .. } = approver
            && (role.is_empty() || role.len() > 63)
        {
            faults.push(SpecFault::new(place, "names a role without a name"));
        }
    }
}

impl Condition {
    fn holds(self, facts: &Facts) -> bool {
        match self {
            Self::Always => true,
            Self::Wildcard => facts.wildcard,
            Self::NewName => facts.new_name,
            Self::ForeignTeam => facts.foreign_team,
            Self::PublicCa => facts.public_ca,
            Self::ValidityAbove(seconds) => facts.validity > Duration::from_secs(seconds),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("every request of this profile waits for approval"),
            Self::Wildcard => f.write_str("it names a wildcard"),
            Self::NewName => f.write_str("it names something that was never certified here"),
            Self::ForeignTeam => {
                f.write_str("it names something that another team has a certificate for")
            }
            Self::PublicCa => f.write_str("the certificate would be publicly trusted"),
            Self::ValidityAbove(seconds) => {
                write!(f, "it would be valid for more than {seconds} seconds")
            }
        }
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
const SHORTEST: u64 = 60;
const LONGEST: u64 = 90 * DAY;
const MAX_STAGES: usize = 8;
const MAX_APPROVALS: u32 = 20;
const MAX_APPROVERS: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str) -> Approver {
        Approver::Role {
            role: name.to_owned(),
            scope: RoleScope::OwnerTeam,
        }
    }

    fn rule() -> ApprovalRule {
        serde_json::from_str(
            r#"{"stages": [{"approvals": 1, "approvers": [{"kind": "role", "role": "approver"}]}]}"#,
        )
        .unwrap()
    }

    const NOTHING: Facts = Facts {
        wildcard: false,
        new_name: false,
        foreign_team: false,
        public_ca: false,
        validity: Duration::from_secs(90 * DAY),
        renewal: Renewal::None,
    };

    #[test]
    fn a_short_rule_makes_everything_wait_for_five_days() {
        let rule = rule();
        assert_eq!(rule.when, [Condition::Always]);
        assert_eq!(rule.deadline_seconds, 5 * DAY);
        assert!(rule.faults().is_empty(), "{:?}", rule.faults());
        assert_eq!(rule.reasons(&NOTHING), [Condition::Always]);
    }

    #[test]
    fn each_condition_holds_for_what_it_is_about_and_for_nothing_else() {
        let cases = [
            (
                Condition::Wildcard,
                Facts {
                    wildcard: true,
                    ..NOTHING
                },
            ),
            (
                Condition::NewName,
                Facts {
                    new_name: true,
                    ..NOTHING
                },
            ),
            (
                Condition::ForeignTeam,
                Facts {
                    foreign_team: true,
                    ..NOTHING
                },
            ),
            (
                Condition::PublicCa,
                Facts {
                    public_ca: true,
                    ..NOTHING
                },
            ),
            (
                Condition::ValidityAbove(90 * DAY),
                Facts {
                    validity: Duration::from_secs(90 * DAY + 1),
                    ..NOTHING
                },
            ),
        ];
        for (condition, facts) in cases {
            let rule = ApprovalRule {
                when: cases.iter().map(|(condition, _)| *condition).collect(),
                ..rule()
            };
            assert_eq!(rule.reasons(&facts), [condition]);
            assert!(rule.reasons(&NOTHING).is_empty());
        }
    }

    #[test]
    fn an_unchanged_renewal_waits_as_the_rule_says() {
        use Renewal::{NewKey, None, SameKey};
        use UnchangedRenewals::{Skip, SkipWithSameKey, Wait};
        for (unchanged_renewals, renewal, waits) in [
            (Wait, SameKey, true),
            (Wait, None, true),
            (SkipWithSameKey, SameKey, false),
            (SkipWithSameKey, NewKey, true),
            (SkipWithSameKey, None, true),
            (Skip, SameKey, false),
            (Skip, NewKey, false),
            (Skip, None, true),
        ] {
            let rule = ApprovalRule {
                unchanged_renewals,
                ..rule()
            };
            let facts = Facts { renewal, ..NOTHING };
            assert_eq!(
                !rule.reasons(&facts).is_empty(),
                waits,
                "{unchanged_renewals:?} {renewal:?}"
            );
        }
    }

    #[test]
    fn every_fault_of_a_rule_is_named_with_its_place() {
        let step = |after_seconds, to| EscalationStep { after_seconds, to };
        let named = Approver::Named {
            principal: "tok_00000000000000000000000001".parse().unwrap(),
        };
        let broken = ApprovalRule {
            when: Vec::new(),
            stages: vec![
                Stage {
                    approvals: 0,
                    approvers: Vec::new(),
                },
                Stage {
                    approvals: 2,
                    approvers: vec![named],
                },
            ],
            deadline_seconds: 7200,
            remind_every_seconds: 1,
            escalation: vec![
                step(3600, vec![role("a"), role("a")]),
                step(3600, vec![role("")]),
                step(7200, vec![role("b")]),
            ],
            ..rule()
        };
        let faults: Vec<String> = broken.faults().iter().map(ToString::to_string).collect();
        let faults = faults.join("\n");
        for place in [
            "approval.when",
            "approval.stages[0].approvals",
            "approval.stages[0].approvers",
            "approval.stages[1]: asks for 2",
            "approval.remind_every_seconds",
            "approval.escalation[0].to: names role `a` twice",
            "approval.escalation[1].after_seconds: must be later",
            "approval.escalation[1].to: names a role without",
            "approval.escalation[2].after_seconds: is not before",
        ] {
            assert!(faults.contains(place), "{place} in\n{faults}");
        }
    }

    #[test]
    fn a_misspelt_member_is_refused() {
        for text in [
            r#"{"stages": [], "deadline": 5}"#,
            r#"{"stages": [{"approvals": 1, "approvers": [{"kind": "role", "role": "a", "team": "x"}]}]}"#,
            r#"{"stages": [], "when": ["wildcards"]}"#,
        ] {
            assert!(
                serde_json::from_str::<ApprovalRule>(text).is_err(),
                "{text}"
            );
        }
        let text = r#"{"stages": [], "when": ["wildcard", {"validity_above_seconds": 60}]}"#;
        let rule: ApprovalRule = serde_json::from_str(text).unwrap();
        assert_eq!(
            rule.when,
            [Condition::Wildcard, Condition::ValidityAbove(60)]
        );
    }
}
