//! Who the ids of an answer are: whoever is shown the id of a person or a program is told the name with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::approval::{Approval, ApprovalRule, Approver, Delegation};
use domain::enrollment::{Enrollment, Requester};
use lifecycle::Lifecycle;

use super::failure::Failure;

/// Names of people and programs by their ids.
pub(super) struct People(HashMap<String, String>);

impl People {
    pub(super) async fn load(
        lifecycle: &Lifecycle,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<Self, Failure> {
        let ids: BTreeSet<String> = ids.into_iter().collect();
        Ok(Self(
            lifecycle.principal_names(ids.into_iter().collect()).await?,
        ))
    }

    /// Those of them that are still there.
    pub(super) fn of(&self, ids: impl IntoIterator<Item = String>) -> BTreeMap<String, String> {
        let known = ids.into_iter().filter_map(|id| {
            let name = self.0.get(&id)?.clone();
            Some((id, name))
        });
        known.collect()
    }
}

/// Who asked, if it was somebody.
pub(super) fn of_enrollment(enrollment: &Enrollment) -> Option<String> {
    match &enrollment.requester {
        Requester::User { user } => Some(user.to_string()),
        Requester::Token { token } => Some(token.to_string()),
        Requester::AcmeAccount { .. } | Requester::Client { .. } | Requester::System => None,
    }
}

/// Who asked, who is asked, and who decided for whom.
pub(super) fn of_approval(approval: &Approval, enrollment: &Enrollment) -> Vec<String> {
    let mut ids = of_rule(&approval.rule);
    ids.extend(of_enrollment(enrollment));
    for decision in &approval.decisions {
        ids.push(decision.by.to_string());
        ids.extend(decision.on_behalf_of.as_ref().map(ToString::to_string));
    }
    ids
}

/// Whom a rule asks by name.
pub(super) fn of_rule(rule: &ApprovalRule) -> Vec<String> {
    let named = rule.approvers().filter_map(|approver| match approver {
        Approver::Named { principal } => Some(principal.to_string()),
        Approver::Role { .. } => None,
    });
    named.collect()
}

/// Who is away, who stands in, and who said so.
pub(super) fn of_delegation(delegation: &Delegation) -> Vec<String> {
    let delegate = delegation.delegate.as_ref().map(ToString::to_string);
    let said = [
        delegation.principal.to_string(),
        delegation.created_by.clone(),
    ];
    said.into_iter().chain(delegate).collect()
}
