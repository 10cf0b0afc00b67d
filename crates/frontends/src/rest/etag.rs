//! Entity tags: changes name the version they are made to (RFC 9110 section 13.1).

use http::header::{ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue};
use lifecycle::operator::Expected;
use pki::time::Timestamp;
use protocols::rest::problem::ProblemKind;

use super::failure::Failure;

/// The header that names a version.
pub(crate) fn tag(version: i64) -> [(HeaderName, HeaderValue); 1] {
    // Unwrap safety: digits, a sign and quotes are visible ASCII.
    let value = HeaderValue::from_str(&format!("\"{version}\"")).expect("a tag is ASCII");
    [(ETAG, value)]
}

/// What a change says it was made to.
pub(crate) fn expected(headers: &HeaderMap) -> Result<Expected<i64>, Failure> {
    match (headers.get(IF_MATCH), headers.get(IF_NONE_MATCH)) {
        (None, None) => Ok(Expected::Anything),
        (None, Some(value)) if value == "*" => Ok(Expected::Absent),
        (Some(value), None) => read(value).map(Expected::Version).ok_or_else(|| {
            Failure::new(
                ProblemKind::Changed,
                "`If-Match` names no version that ever was; send the `ETag` of a GET as it is",
            )
        }),
        (None | Some(_), Some(_)) => Err(Failure::invalid(
            "send either `If-Match` with the ETag of what you read, or `If-None-Match: *` to make \
             something new",
        )),
    }
}

/// The same where versions are told apart by when they were made.
pub(crate) fn expected_time(headers: &HeaderMap) -> Result<Expected<Timestamp>, Failure> {
    Ok(match expected(headers)? {
        Expected::Anything => Expected::Anything,
        Expected::Absent => Expected::Absent,
        Expected::Version(version) => Expected::Version(Timestamp::from_millis(version)),
    })
}

fn read(value: &HeaderValue) -> Option<i64> {
    let quoted = value.to_str().ok()?.trim();
    quoted.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(HeaderName, &'static str)]) -> Option<Expected<i64>> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        expected(&headers).ok()
    }

    #[test]
    fn a_tag_is_read_as_it_was_given() {
        let [(_, value)] = tag(7);
        assert_eq!(read(&value), Some(7));
    }

    #[test]
    fn conditions_are_what_the_headers_say() {
        assert_eq!(of(&[]), Some(Expected::Anything));
        assert_eq!(of(&[(IF_MATCH, "\"3\"")]), Some(Expected::Version(3)));
        assert_eq!(of(&[(IF_NONE_MATCH, "*")]), Some(Expected::Absent));
    }

    #[test]
    fn a_condition_that_is_not_understood_stops_the_change() {
        for headers in [
            &[(IF_MATCH, "W/\"3\"")][..],
            &[(IF_MATCH, "3")],
            &[(IF_MATCH, "\"x\"")],
            &[(IF_NONE_MATCH, "\"3\"")],
            &[(IF_MATCH, "\"3\""), (IF_NONE_MATCH, "*")],
        ] {
            assert_eq!(of(headers), None, "{headers:?}");
        }
    }
}
