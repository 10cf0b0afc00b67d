//! The terms of what opens enrollments, from and to their wire forms.

use std::time::Duration;

use domain::enrolling::{NewTerms, Terms, TermsRefusal};
use domain::id::TeamId;
use domain::profile::NamePattern;
use pki::time::Timestamp;
use protocols::rest::enrollment_password::PasswordStatus;

use super::failure::Failure;

/// The patterns of names that a request lists.
pub(super) fn read_names(texts: &[String]) -> Result<Vec<NamePattern>, Failure> {
    let patterns = texts.iter().map(|text| text.parse());
    patterns
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::invalid(format!("`allowed_names`: {error}")))
}

/// The terms of a request but for its metadata.
pub(super) fn read_terms(
    allowed_names: &[String],
    max_uses: Option<u32>,
    lifetime_seconds: Option<u64>,
    team: Option<TeamId>,
) -> Result<NewTerms, Failure> {
    Ok(NewTerms {
        allowed_names: read_names(allowed_names)?,
        max_uses,
        lifetime: lifetime_seconds.map(Duration::from_secs),
        team,
        ..NewTerms::default()
    })
}

/// What has become of them by `now`.
pub(super) fn status(terms: &Terms, now: Timestamp) -> PasswordStatus {
    match terms.check_usable(now) {
        Ok(()) | Err(TermsRefusal::Name(_)) => PasswordStatus::Usable,
        Err(TermsRefusal::Used) => PasswordStatus::Used,
        Err(TermsRefusal::Expired) => PasswordStatus::Expired,
        Err(TermsRefusal::Revoked) => PasswordStatus::Revoked,
    }
}

/// The patterns as their texts.
pub(super) fn shown_names(names: &[NamePattern]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
