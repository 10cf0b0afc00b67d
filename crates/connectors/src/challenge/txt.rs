//! What dns-01 and dns-account-01 have in common: a TXT record with the digest of the key authorization.

use domain::acme::validation::{FailureKind, ValidationFailure};

use super::{dns_failure, key_authorization_record};
use crate::net::{Resolver, excerpt};

/// How many records a message shows.
const SHOWN: usize = 3;

/// Looks for the digest among the TXT records of `name`; any of several may match, since several
/// orders can be under way for one name.
pub(super) async fn look_for_digest(
    resolver: &Resolver,
    name: &str,
    key_authorization: &str,
) -> Result<(), ValidationFailure> {
    let expected = key_authorization_record(key_authorization);
    let advice = format!("publish a TXT record at {name} with the content {expected}");
    let texts = resolver
        .lookup_txt(name)
        .await
        .map_err(|error| dns_failure(&error, &advice))?;
    if texts
        .iter()
        .any(|text| text.as_slice() == expected.as_bytes())
    {
        return Ok(());
    }
    let detail = format!(
        "the TXT records of {name} do not match: {}; {advice}",
        shown(&texts)
    );
    Err(ValidationFailure::passing(
        FailureKind::IncorrectResponse,
        detail,
    ))
}

/// The first few records, fit for a message.
pub(super) fn shown(texts: &[Vec<u8>]) -> String {
    let some: Vec<String> = texts
        .iter()
        .take(SHOWN)
        .map(|text| format!("`{}`", excerpt(text)))
        .collect();
    match texts.len().saturating_sub(SHOWN) {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}
