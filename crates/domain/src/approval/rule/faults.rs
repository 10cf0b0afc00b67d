//! What is wrong with a rule, each fault with its place in the profile.

use std::collections::BTreeSet;

use super::{ApprovalRule, Approver, DAY, Stage};
use crate::profile::SpecFault;

impl ApprovalRule {
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

const SHORTEST: u64 = 60;
const LONGEST: u64 = 90 * DAY;
const MAX_STAGES: usize = 8;
const MAX_APPROVALS: u32 = 20;
const MAX_APPROVERS: usize = 50;
