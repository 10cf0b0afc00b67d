//! Contact URLs (RFC 8555 section 7.3): one mailbox per `mailto`, nothing else.

use std::fmt;

use super::problem::{Problem, ProblemType};

/// RFC 5321 section 4.5.3.1.3 leaves 254 octets for a mailbox.
const MAX_MAILBOX: usize = 254;
/// RFC 5321 section 4.5.3.1.1.
const MAX_LOCAL_PART: usize = 64;
/// RFC 1035 section 2.3.4.
const MAX_LABEL: usize = 63;

/// A contact that mail can be sent to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contact {
    mailbox: String,
}

/// Why a contact is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContactError {
    /// Not a URL at all.
    #[error("a contact is a URL such as mailto:admin@example.com")]
    NotUrl,
    /// A URL of another scheme.
    #[error("contacts of the scheme `{0}` are not supported; use mailto")]
    Scheme(String),
    /// Header fields, as in `?subject=`.
    #[error("a mailto contact must not have header fields (`?`)")]
    HeaderFields,
    /// `a@example.com,b@example.com`.
    #[error("a mailto contact must hold exactly one address")]
    SeveralAddresses,
    /// Not a mailbox we could write to.
    #[error("the mailto contact is not an address of the form name@domain: {0}")]
    Address(&'static str),
}

impl ContactError {
    /// The problem document for this refusal.
    pub fn problem(&self) -> Problem {
        let kind = match self {
            Self::Scheme(_) => ProblemType::UnsupportedContact,
            Self::NotUrl | Self::HeaderFields | Self::SeveralAddresses | Self::Address(_) => {
                ProblemType::InvalidContact
            }
        };
        Problem::new(kind, self.to_string())
    }
}

impl Contact {
    /// Reads a contact URL.
    pub fn parse(url: &str) -> Result<Self, ContactError> {
        let (scheme, rest) = url.split_once(':').ok_or(ContactError::NotUrl)?;
        if !is_scheme(scheme) {
            return Err(ContactError::NotUrl);
        }
        if !scheme.eq_ignore_ascii_case("mailto") {
            return Err(ContactError::Scheme(scheme.chars().take(40).collect()));
        }
        if rest.contains('?') || rest.contains('#') {
            return Err(ContactError::HeaderFields);
        }
        if rest.contains(',') {
            return Err(ContactError::SeveralAddresses);
        }
        let mailbox = percent_decode(rest).ok_or(ContactError::Address(
            "a percent sign is not followed by two hex digits of ASCII",
        ))?;
        check_mailbox(&mailbox)?;
        Ok(Self { mailbox })
    }

    /// The address to write to.
    pub fn mailbox(&self) -> &str {
        &self.mailbox
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mailbox)
    }
}

/// RFC 3986 section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
}

/// RFC 6068 section 2; only ASCII is taken.
fn percent_decode(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('%') {
        let digits = after.get(..2).filter(|digits| !digits.starts_with('+'))?;
        let octet = u8::from_str_radix(digits, 16).ok().filter(u8::is_ascii)?;
        decoded.push_str(plain);
        decoded.push(char::from(octet));
        rest = after.get(2..)?;
    }
    decoded.push_str(rest);
    Some(decoded)
}

/// A dot-atom local part (RFC 5322 section 3.2.3) at a domain name. Quoted local parts and address literals
/// are legal mail, and in practice always a mistake or an attack on what prints them.
fn check_mailbox(mailbox: &str) -> Result<(), ContactError> {
    let wrong = |reason| Err(ContactError::Address(reason));
    if mailbox.len() > MAX_MAILBOX {
        return wrong("it is longer than 254 characters");
    }
    let Some((local, domain)) = mailbox.split_once('@') else {
        return wrong("there is no `@`");
    };
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
    if local.len() > MAX_LOCAL_PART || !local.split('.').all(is_atom) {
        return wrong("the part before `@` is not plain text with single dots");
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= MAX_LABEL
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
    };
    if !domain.contains('.') || !domain.split('.').all(is_label) {
        return wrong("the part after `@` is not a full domain name");
    }
    Ok(())
}

fn is_atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("mailto:admin@example.com", "admin@example.com")]
    #[case(
        "MAILTO:first.last+tag@mail.example.com",
        "first.last+tag@mail.example.com"
    )]
    #[case("mailto:gorby%25kremvax@example.com", "gorby%kremvax@example.com")]
    #[case("mailto:a@xn--bcher-kva.example", "a@xn--bcher-kva.example")]
    fn one_mailbox_is_accepted(#[case] url: &str, #[case] mailbox: &str) {
        assert_eq!(Contact::parse(url).unwrap().mailbox(), mailbox);
    }

    #[rstest]
    #[case("mailto:admin@example.com?subject=x")]
    #[case("mailto:a@example.com,b@example.com")]
    #[case("mailto:a@example.com%2Cb@example.com")]
    #[case("mailto:a@example.com%0d%0aBcc:b@example.com")]
    #[case("mailto:a@b@example.com")]
    #[case("mailto:")]
    #[case("mailto:admin")]
    #[case("mailto:@example.com")]
    #[case("mailto:admin@")]
    #[case("mailto:admin@localhost")]
    #[case("mailto:admin@example..com")]
    #[case("mailto:admin@example.com.")]
    #[case("mailto:admin@-example.com")]
    #[case("mailto:.admin@example.com")]
    #[case("mailto:\"a b\"@example.com")]
    #[case("mailto:admin@[192.0.2.1]")]
    #[case("mailto:admin@exämple.com")]
    #[case("mailto:a%@example.com")]
    #[case("mailto:a%+1@example.com")]
    #[case("mailto:a%ff@example.com")]
    #[case("admin@example.com")]
    #[case("")]
    fn what_is_not_one_mailbox_is_an_invalid_contact(#[case] url: &str) {
        let problem = Contact::parse(url).unwrap_err().problem();
        assert_eq!(problem.kind, ProblemType::InvalidContact, "{problem}");
    }

    #[rstest]
    #[case("tel:+12025551212")]
    #[case("https://example.com/contact")]
    #[case("javascript:alert(1)")]
    fn another_scheme_is_an_unsupported_contact(#[case] url: &str) {
        let problem = Contact::parse(url).unwrap_err().problem();
        assert_eq!(problem.kind, ProblemType::UnsupportedContact);
    }

    #[test]
    fn an_address_that_no_mail_server_takes_is_refused() {
        let long_local = format!("mailto:{}@example.com", "a".repeat(65));
        let long_label = format!("mailto:a@{}.com", "a".repeat(64));
        let long = format!("mailto:a@{}example.com", "a.".repeat(130));
        for url in [long_local, long_label, long] {
            assert!(Contact::parse(&url).is_err(), "{url}");
        }
    }

    proptest! {
        #[test]
        fn n07_no_text_makes_the_reader_panic(text in "(mailto:)?.{0,40}") {
            if let Ok(contact) = Contact::parse(&text) {
                prop_assert!(contact.mailbox().is_ascii());
            }
        }
    }
}
