//! URIs as they stand in certificates: absolute, in ASCII (RFC 5280 section 4.2.1.6).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::IdentifierError;

/// An absolute URI, such as a SPIFFE id. It is compared octet by octet, but for its scheme and
/// host, which are kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uri(String);

impl Uri {
    /// Reads a URI with a scheme, and where the scheme has an authority, with a host.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let refuse = |reason| IdentifierError::BadUri {
            value: text.chars().take(300).collect(),
            reason,
        };
        if text.len() > MAX_URI {
            return Err(refuse(UriFault::TooLong));
        }
        if !text.bytes().all(is_uri_octet) {
            return Err(refuse(UriFault::Character));
        }
        let (scheme, rest) = text.split_once(':').ok_or(refuse(UriFault::NoScheme))?;
        if !is_scheme(scheme) || rest.is_empty() {
            return Err(refuse(UriFault::NoScheme));
        }
        // Whoever resolves them ends up beside what a pattern allowed.
        if rest.split(['/', '?', '#']).any(is_dot_segment) {
            return Err(refuse(UriFault::DotSegment));
        }
        let scheme = scheme.to_ascii_lowercase();
        let Some(after) = rest.strip_prefix("//") else {
            return Ok(Self(format!("{scheme}:{rest}")));
        };
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let (authority, path) = after.split_at(end);
        // Who checks the name reads the host; a user part in front of it only misleads people.
        if authority.contains('@') {
            return Err(refuse(UriFault::UserInfo));
        }
        let is_host = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~:[]%".contains(&octet);
        if authority.is_empty() || !authority.bytes().all(is_host) {
            return Err(refuse(UriFault::NoHost));
        }
        let authority = authority.to_ascii_lowercase();
        Ok(Self(format!("{scheme}://{authority}{path}")))
    }

    /// The URI as it stands in a certificate.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Uri {
    type Error = IdentifierError;

    fn try_from(text: String) -> Result<Self, IdentifierError> {
        Self::parse(&text)
    }
}

impl From<Uri> for String {
    fn from(uri: Uri) -> Self {
        uri.0
    }
}

/// What is wrong with a URI, and what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriFault {
    #[error("it is longer than 2048 octets")]
    TooLong,
    #[error("it has a character that a URI has not; write it percent-encoded")]
    Character,
    #[error("it is not absolute; begin it with a scheme, as in spiffe://example.org/service")]
    NoScheme,
    #[error("it has no host; RFC 5280 wants one after `//`")]
    NoHost,
    #[error("it has a path segment `.` or `..`; write the path that is meant")]
    DotSegment,
    #[error("it has a user part; leave everything before the @ out")]
    UserInfo,
}

/// RFC 3986 section 3.1.
pub(super) fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
}

fn is_dot_segment(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

/// RFC 3986 section 2.
fn is_uri_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&octet)
}

const MAX_URI: usize = 2048;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("spiffe://Example.org/ns/Prod", "spiffe://example.org/ns/Prod")]
    #[case("URN:uuid:f81d4fae", "urn:uuid:f81d4fae")]
    #[case("https://example.org", "https://example.org")]
    fn a_uri_keeps_all_but_the_case_of_scheme_and_host(#[case] text: &str, #[case] read: &str) {
        assert_eq!(Uri::parse(text).unwrap().as_str(), read);
    }

    #[rstest]
    #[case("example.org/x", UriFault::NoScheme)]
    #[case("1a:b", UriFault::NoScheme)]
    #[case("spiffe:", UriFault::NoScheme)]
    #[case("spiffe:///x", UriFault::NoHost)]
    #[case("https://a@example.org/", UriFault::UserInfo)]
    #[case("spiffe://example.org/a/../b", UriFault::DotSegment)]
    #[case("spiffe://example.org/a/%2E%2e", UriFault::DotSegment)]
    #[case("spiffe://example.org/a b", UriFault::Character)]
    #[case("spiffe://bücher.example/", UriFault::Character)]
    fn every_other_text_is_refused_with_its_reason(#[case] text: &str, #[case] reason: UriFault) {
        match Uri::parse(text) {
            Err(IdentifierError::BadUri { reason: found, .. }) => assert_eq!(found, reason),
            other => panic!("{text}: {other:?}"),
        }
    }
}
