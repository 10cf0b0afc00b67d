//! E-mail addresses as they stand in certificates (RFC 5280 section 4.2.1.6: an RFC 5321 mailbox).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DnsName, IdentifierError};

/// An address in ASCII. The domain is lower case; the local part is whatever its mail system says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mailbox {
    local: String,
    domain: DnsName,
}

impl Mailbox {
    /// Reads `local@domain`. Quoted local parts are refused: nobody has one, and parsers differ.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let refuse = |reason| IdentifierError::BadMailbox {
            value: text.chars().take(300).collect(),
            reason,
        };
        let (local, domain) = text.rsplit_once('@').ok_or(refuse(MailboxFault::NoAt))?;
        let atoms_are_fit = local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext));
        if local.len() > MAX_LOCAL || !atoms_are_fit {
            return Err(refuse(MailboxFault::Local));
        }
        let domain = DnsName::parse(&domain.to_ascii_lowercase())
            .ok()
            .filter(|domain| !domain.is_wildcard())
            .ok_or(refuse(MailboxFault::Domain))?;
        Ok(Self {
            local: local.to_owned(),
            domain,
        })
    }

    /// What stands after the `@`.
    pub fn domain(&self) -> &DnsName {
        &self.domain
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl TryFrom<String> for Mailbox {
    type Error = IdentifierError;

    fn try_from(text: String) -> Result<Self, IdentifierError> {
        Self::parse(&text)
    }
}

impl From<Mailbox> for String {
    fn from(mailbox: Mailbox) -> Self {
        mailbox.to_string()
    }
}

/// What is wrong with an e-mail address, and what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailboxFault {
    #[error("it has no @")]
    NoAt,
    #[error(
        "before the @ there must be 1 to 64 letters, digits and signs of an unquoted ASCII address"
    )]
    Local,
    #[error("after the @ there must be a DNS name in its A-label form")]
    Domain,
}

/// RFC 5322 section 3.2.3.
fn is_atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet)
}

/// RFC 5321 section 4.5.3.1.1.
const MAX_LOCAL: usize = 64;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("jane@example.org", "jane@example.org")]
    #[case("Jane.Doe+tls@Mail.Example.ORG", "Jane.Doe+tls@mail.example.org")]
    fn an_address_is_taken_with_its_domain_in_lower_case(#[case] text: &str, #[case] read: &str) {
        let mailbox = Mailbox::parse(text).unwrap();
        assert_eq!(mailbox.to_string(), read);
        assert_eq!(Mailbox::parse(read), Ok(mailbox));
    }

    #[rstest]
    #[case("jane", MailboxFault::NoAt)]
    #[case("@example.org", MailboxFault::Local)]
    #[case("a..b@example.org", MailboxFault::Local)]
    #[case("\"a b\"@example.org", MailboxFault::Local)]
    #[case("jäne@example.org", MailboxFault::Local)]
    #[case("jane@", MailboxFault::Domain)]
    #[case("jane@*.example.org", MailboxFault::Domain)]
    #[case("jane@192.0.2.1", MailboxFault::Domain)]
    #[case("jane@bücher.example", MailboxFault::Domain)]
    fn every_other_text_is_refused_with_its_reason(
        #[case] text: &str,
        #[case] reason: MailboxFault,
    ) {
        match Mailbox::parse(text) {
            Err(IdentifierError::BadMailbox { reason: found, .. }) => assert_eq!(found, reason),
            other => panic!("{text}: {other:?}"),
        }
    }
}
