//! What an explanation says of people: whether they would be asked, and why.

use domain::enrollment::Enrollment;
use domain::policy::{Outcome, Step};
use domain::profile::Profile;
use pki::certificate::CertificateContent;
use pki::time::Timestamp;
use store::StoreError;

use super::facts::Request;
use crate::Lifecycle;
use crate::issuers::ConnectedIssuer;

impl Lifecycle {
    /// The step of an explanation that is about people.
    pub(crate) async fn explain_approval(
        &self,
        enrollment: &Enrollment,
        profile: &Profile,
        content: &CertificateContent,
        issuer: &ConnectedIssuer,
        now: Timestamp,
    ) -> Result<Step, StoreError> {
        let Some(rule) = &profile.spec.approval else {
            let text = "the profile asks nobody".to_owned();
            return Ok(step(Outcome::NotApplicable, text));
        };
        let request = Request {
            enrollment,
            profile,
            content,
            issuer: &issuer.issuer,
        };
        let reasons = rule.reasons(&self.approval_facts(&request, now).await?);
        if reasons.is_empty() {
            let text = "nobody is asked: no condition holds, or it is an unchanged renewal";
            return Ok(step(Outcome::NotApplicable, text.to_owned()));
        }
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        let stages: Vec<String> = rule
            .stages
            .iter()
            .map(|stage| {
                let approvers: Vec<String> =
                    stage.approvers.iter().map(ToString::to_string).collect();
                format!("{} of {}", stage.approvals, approvers.join(" or "))
            })
            .collect();
        let text = format!(
            "would wait for {}, because {}",
            stages.join(", then "),
            reasons.join(" and ")
        );
        Ok(step(Outcome::Passed, text))
    }
}

fn step(outcome: Outcome, message: String) -> Step {
    Step {
        rule: "approval".to_owned(),
        outcome,
        message,
        fix: None,
        identifier: None,
    }
}
