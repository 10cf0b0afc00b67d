//! What `names.allow` and `names.deny` of a profile are made of: one text per set of names.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::identifier::{DnsName, Identifier, Mailbox, Uri};
use crate::pattern::{Pattern, PatternError};
use crate::policy::names::NamePattern;

/// A set of names in one text:
///
/// | text | covers |
/// |---|---|
/// | `host.example.org`, `*.example.org` | this DNS name |
/// | `.example.org` | DNS names below it, wildcards included |
/// | `192.0.2.7`, `2001:db8::/32` | this address, this network |
/// | `jane@example.org` | this mailbox |
/// | `@example.org`, `@.example.org` | mailboxes of this domain, of domains below it |
/// | `spiffe://example.org/a`, `spiffe://example.org/a/*` | this URI, URIs below it |
/// | `dns:/…/`, `email:/…/`, `uri:/…/`, `device:/…/` | names that match a regular expression as a whole |
///
/// It is read as it is, so that what is stored can always be shown; [`check`](Self::check) says
/// whether it can be used.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct SanPattern {
    source: String,
    parsed: OnceLock<Option<Matcher>>,
}

#[derive(Clone, Debug)]
enum Matcher {
    Name(NamePattern),
    Mailbox(Mailbox),
    MailDomain(DnsName),
    MailDomainsBelow(DnsName),
    Uri(Uri),
    UrisBelow(String),
    Regex(RegexKind, Pattern),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RegexKind {
    Dns,
    Email,
    Uri,
    Device,
}

/// A text that is no set of names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SanPatternError {
    #[error(
        "`{0}` is no name pattern; write a name (host.example.org), a suffix (.example.org), \
         an address or a network (192.0.2.0/24), a mailbox (jane@example.org), a mail domain \
         (@example.org), a URI (spiffe://example.org/*) or a regular expression (dns:/…/)"
    )]
    Form(String),
    #[error("{0}")]
    Regex(PatternError),
}

impl SanPatternError {
    /// The character of the text at fault, where it is one.
    pub fn offset(&self) -> Option<usize> {
        match self {
            Self::Form(_) => None,
            Self::Regex(error) => error.offset,
        }
    }
}

impl SanPattern {
    /// The pattern that was written so.
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            parsed: OnceLock::new(),
        }
    }

    /// Why the pattern cannot be used, if so.
    pub fn check(&self) -> Result<(), SanPatternError> {
        parse(&self.source).map(drop)
    }

    /// Whether the pattern covers a name; `None` from one that cannot be used.
    pub fn covers(&self, identifier: &Identifier) -> Option<bool> {
        self.parsed
            .get_or_init(|| parse(&self.source).ok())
            .as_ref()
            .map(|matcher| matcher.covers(identifier))
    }
}

impl Matcher {
    fn covers(&self, identifier: &Identifier) -> bool {
        match (self, identifier) {
            (Self::Name(pattern), _) => pattern.matches(identifier),
            (Self::Mailbox(wanted), Identifier::Email(found)) => wanted == found,
            (Self::MailDomain(wanted), Identifier::Email(found)) => wanted == found.domain(),
            (Self::MailDomainsBelow(above), Identifier::Email(found)) => {
                above != found.domain() && found.domain().is_within(above.as_str())
            }
            (Self::Uri(wanted), Identifier::Uri(found)) => wanted == found,
            (Self::UrisBelow(prefix), Identifier::Uri(found)) => {
                found.as_str().len() > prefix.len() && found.as_str().starts_with(prefix)
            }
            (Self::Regex(kind, regex), _) => {
                *kind == RegexKind::of(identifier) && regex.matches(&identifier.value())
            }
            _ => false,
        }
    }
}

impl RegexKind {
    /// `None` for addresses: those have networks.
    fn of(identifier: &Identifier) -> Option<Self> {
        match identifier {
            Identifier::Dns(_) => Some(Self::Dns),
            Identifier::Email(_) => Some(Self::Email),
            Identifier::Uri(_) => Some(Self::Uri),
            Identifier::Permanent(_) | Identifier::Hardware(_) => Some(Self::Device),
            Identifier::Ip(_) => None,
        }
    }
}

impl PartialEq<Option<RegexKind>> for RegexKind {
    fn eq(&self, other: &Option<RegexKind>) -> bool {
        other.is_some_and(|other| other == *self)
    }
}

fn parse(text: &str) -> Result<Matcher, SanPatternError> {
    let form = || SanPatternError::Form(text.chars().take(300).collect());
    for (prefix, kind) in [
        ("dns:/", RegexKind::Dns),
        ("email:/", RegexKind::Email),
        ("uri:/", RegexKind::Uri),
        ("device:/", RegexKind::Device),
    ] {
        // `uri://…` is a URI of a strange scheme, not a regular expression.
        let rest = text
            .strip_prefix(prefix)
            .filter(|rest| !rest.starts_with('/'));
        if let Some(rest) = rest {
            let source = rest.strip_suffix('/').ok_or_else(form)?;
            let regex = Pattern::new(source);
            regex.check().map_err(|mut error| {
                error.offset = error.offset.map(|offset| offset + prefix.len());
                SanPatternError::Regex(error)
            })?;
            return Ok(Matcher::Regex(kind, regex));
        }
    }
    if let Ok(pattern) = text.parse::<NamePattern>() {
        return Ok(Matcher::Name(pattern));
    }
    if let Some(domain) = text.strip_prefix('@') {
        return mail_domain(domain).ok_or_else(form);
    }
    if let Some(prefix) = text.strip_suffix('*').filter(|p| p.ends_with(['/', ':'])) {
        // Read with something in the star's place, so that scheme and host get their one form.
        let uri = Uri::parse(&format!("{prefix}x")).map_err(|_| form())?;
        let prefix = uri.as_str().strip_suffix('x').unwrap_or_default();
        return Ok(Matcher::UrisBelow(prefix.to_owned()));
    }
    // A star that covers nothing would look as if it did.
    if text.contains('*') {
        return Err(form());
    }
    Uri::parse(text)
        .map(Matcher::Uri)
        .or_else(|_| Mailbox::parse(text).map(Matcher::Mailbox))
        .map_err(|_| form())
}

fn mail_domain(text: &str) -> Option<Matcher> {
    let name = |text: &str| DnsName::parse(text).ok().filter(|name| !name.is_wildcard());
    match text.strip_prefix('.') {
        Some(above) => name(above).map(Matcher::MailDomainsBelow),
        None => name(text).map(Matcher::MailDomain),
    }
}

impl fmt::Debug for SanPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SanPattern({})", self.source)
    }
}

impl fmt::Display for SanPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl PartialEq for SanPattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for SanPattern {}

impl FromStr for SanPattern {
    type Err = SanPatternError;

    fn from_str(text: &str) -> Result<Self, SanPatternError> {
        parse(text).map(|_| Self::new(text))
    }
}

impl From<String> for SanPattern {
    fn from(source: String) -> Self {
        Self::new(source)
    }
}

impl From<SanPattern> for String {
    fn from(pattern: SanPattern) -> Self {
        pattern.source
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(".example.org", "www.example.org", true)]
    #[case(".example.org", "example.org", false)]
    #[case("192.0.2.0/24", "192.0.2.9", true)]
    #[case("192.0.2.0/24", "192.0.3.9", false)]
    #[case("jane@example.org", "jane@example.org", true)]
    #[case("jane@example.org", "Jane@example.org", false)]
    #[case("@example.org", "jane@example.org", true)]
    #[case("@example.org", "jane@mail.example.org", false)]
    #[case("@.example.org", "jane@mail.example.org", true)]
    #[case("@.example.org", "jane@badexample.org", false)]
    #[case("spiffe://example.org/a", "spiffe://example.org/a", true)]
    #[case("spiffe://example.org/a", "spiffe://example.org/a/b", false)]
    #[case("spiffe://example.org/a/*", "spiffe://example.org/a/b", true)]
    #[case("spiffe://example.org/a/*", "spiffe://example.org/ab", false)]
    #[case("spiffe://Example.org/*", "spiffe://example.org/x", true)]
    #[case("dns:/web-[0-9]+[.]example[.]org/", "web-1.example.org", true)]
    #[case("dns:/web-[0-9]+[.]example[.]org/", "web-1.example.org.evil", false)]
    #[case("dns:/.*/", "jane@example.org", false)]
    #[case("email:/[a-z]+@example[.]org/", "jane@example.org", true)]
    #[case("uri:/spiffe:.*/", "spiffe://example.org/x", true)]
    fn a_pattern_covers_what_it_says(
        #[case] pattern: &str,
        #[case] name: &str,
        #[case] covered: bool,
    ) {
        let pattern: SanPattern = pattern.parse().unwrap();
        let identifier = Identifier::from_text(name).unwrap();
        assert_eq!(pattern.covers(&identifier), Some(covered));
    }

    #[rstest]
    #[case("")]
    #[case("a b")]
    #[case("192.0.2.0/33")]
    #[case("spiffe://example.org*")]
    #[case("spiffe://example.org/a*")]
    #[case("@*.example.org")]
    #[case("dns:/unclosed")]
    fn other_texts_are_refused_and_cover_nothing(#[case] text: &str) {
        assert!(text.parse::<SanPattern>().is_err());
        let name = Identifier::from_text("example.org").unwrap();
        assert_eq!(SanPattern::new(text).covers(&name), None);
    }

    #[test]
    fn a_fault_in_a_regular_expression_has_its_place_in_the_whole_text() {
        let error = "dns:/ab(c/".parse::<SanPattern>().unwrap_err();
        assert_eq!(error.offset(), Some(7), "{error}");
    }
}
