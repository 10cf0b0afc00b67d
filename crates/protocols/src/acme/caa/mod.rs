//! Certification Authority Authorization (RFC 8659, RFC 8657), evaluated over RRsets fetched elsewhere.

mod evaluate;
mod refusal;

pub use evaluate::{Query, evaluate};
pub use refusal::{CaaRefusal, Miss, MissReason};

/// One CAA record (RFC 8659 section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaaRecord {
    /// The flags octet; only the issuer-critical bit has a meaning.
    pub flags: u8,
    /// The property's tag.
    pub tag: String,
    /// The property's value.
    pub value: Vec<u8>,
}

impl CaaRecord {
    /// A record of these parts.
    pub fn new(flags: u8, tag: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self {
            flags,
            tag: tag.into(),
            value: value.into(),
        }
    }

    /// Bit 0, the most significant one.
    pub fn is_critical(&self) -> bool {
        self.flags & 0x80 != 0
    }

    fn has_tag(&self, tag: &str) -> bool {
        self.tag.eq_ignore_ascii_case(tag)
    }
}

/// The names to ask in order, from the domain up to its top-level domain (RFC 8659 section 3); the first
/// with records decides. A wildcard is asked for at the name behind `*.`. Aliases are the resolver's
/// business: there is no climbing at their target.
pub fn names_to_ask(domain: &str) -> impl Iterator<Item = &str> {
    let domain = domain.strip_prefix("*.").unwrap_or(domain);
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    std::iter::successors(Some(domain), |name| {
        name.split_once('.').map(|(_, parent)| parent)
    })
    .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
