//! What events say of a request that no enrollment came of: the same as of those that have one.

use domain::identifier::Identifier;
use domain::policy::Violation;
use serde_json::{Value, json};
use store::StoreError;

use super::admit::EnrollmentRequest;
use crate::Lifecycle;
use crate::actor::Caller;

impl EnrollmentRequest {
    /// Whose it is, what it is for and who could sign it.
    pub(crate) fn facts(&self) -> Value {
        let choices = self.profile.spec.issuers.iter();
        let issuers: Vec<&str> = choices
            .filter(|choice| choice.weight > 0)
            .map(|choice| choice.issuer.as_str())
            .collect();
        let issuer = match issuers.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        json!({
            "profile": self.profile.name,
            "names": values(&self.identifiers),
            "team": self.team,
            "metadata": self.metadata,
            "issuer": issuer,
            "issuers": issuers,
        })
    }
}

/// Names as events write them.
pub(crate) fn values(identifiers: &[Identifier]) -> Vec<String> {
    identifiers.iter().map(Identifier::value).collect()
}

impl Lifecycle {
    /// A request that the rules refuse is in the audit trail, with each rule that it broke.
    pub(crate) async fn note_rejection(
        &self,
        mut facts: Value,
        violations: &[Violation],
        caller: &Caller,
    ) -> Result<(), StoreError> {
        facts["violations"] = json!(violations);
        let event = self.event(caller, "enrollment.rejected", &caller.actor.id, facts);
        self.store
            .write("enrollment.reject", move |tx| {
                Box::pin(async move { tx.insert_event(&event).await })
            })
            .await
    }
}
