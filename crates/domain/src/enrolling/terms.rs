//! The terms of what opens enrollments (passwords, shared secrets of CMP): for which names, how often, until
//! when, for whom.

use std::time::Duration;

use pki::time::Timestamp;

use crate::id::TeamId;
use crate::identifier::Identifier;
use crate::metadata::Values;
use crate::profile::NamePattern;

/// Terms with what has become of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Where not empty, only these names may be asked for.
    pub allowed_names: Vec<NamePattern>,
    /// How many enrollments are opened; any number without it.
    pub max_uses: Option<u32>,
    pub uses: u32,
    /// Values of custom metadata that enrollments inherit.
    pub metadata: Values,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    /// The team that owns what has these terms, and what is enrolled with it.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
}

/// Terms to begin with.
#[derive(Clone, Debug, Default)]
pub struct NewTerms {
    pub allowed_names: Vec<NamePattern>,
    pub max_uses: Option<u32>,
    pub metadata: Values,
    pub lifetime: Option<Duration>,
    pub team: Option<TeamId>,
}

impl NewTerms {
    /// The terms from `now` on, nothing used yet.
    pub fn begin(self, now: Timestamp) -> Terms {
        Terms {
            allowed_names: self.allowed_names,
            max_uses: self.max_uses,
            uses: 0,
            metadata: self.metadata,
            expires_at: self.lifetime.map(|lifetime| now + lifetime),
            revoked_at: None,
            last_used_at: None,
            team_id: self.team,
            created_at: now,
        }
    }
}

/// Why something opens nothing, or not this; what it is goes before the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsRefusal {
    #[error("is revoked; ask for a new one")]
    Revoked,
    #[error("has expired; ask for a new one")]
    Expired,
    #[error("has been used as often as it may be; ask for a new one")]
    Used,
    #[error("is not for `{0}`")]
    Name(String),
}

impl Terms {
    /// Whether they say who somebody is at `now`: also after its last use, for who waits for an answer.
    pub fn check_alive(&self, now: Timestamp) -> Result<(), TermsRefusal> {
        if self.revoked_at.is_some() {
            return Err(TermsRefusal::Revoked);
        }
        match self.expires_at.is_some_and(|end| now >= end) {
            true => Err(TermsRefusal::Expired),
            false => Ok(()),
        }
    }

    /// Whether they open one more enrollment at `now`.
    pub fn check_usable(&self, now: Timestamp) -> Result<(), TermsRefusal> {
        self.check_alive(now)?;
        match self.max_uses.is_some_and(|most| self.uses >= most) {
            true => Err(TermsRefusal::Used),
            false => Ok(()),
        }
    }

    /// Whether these names may be asked for; where there are none, the subject's common name.
    pub fn check_names(
        &self,
        identifiers: &[Identifier],
        common_name: Option<&str>,
    ) -> Result<(), TermsRefusal> {
        if self.allowed_names.is_empty() {
            return Ok(());
        }
        let allows = |one: &Identifier| self.allowed_names.iter().any(|p| p.matches(one));
        if identifiers.is_empty() {
            let name = common_name.unwrap_or_default();
            let identifier = Identifier::from_text(&name.to_ascii_lowercase()).ok();
            return match identifier.as_ref().is_some_and(allows) {
                true => Ok(()),
                false => Err(TermsRefusal::Name(name.chars().take(80).collect())),
            };
        }
        match identifiers.iter().find(|one| !allows(one)) {
            Some(one) => Err(TermsRefusal::Name(one.to_string())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        let new = NewTerms {
            allowed_names: vec![".printers.example.org".parse().unwrap()],
            max_uses: Some(1),
            lifetime: Some(Duration::from_secs(100_000_000)),
            ..NewTerms::default()
        };
        new.begin(Timestamp::from_seconds(1_700_000_000))
    }

    #[test]
    fn what_is_used_up_still_says_who_waits_and_what_has_ended_says_nothing() {
        let now = Timestamp::from_seconds(1_750_000_000);
        let mut terms = terms();
        assert_eq!(terms.check_usable(now), Ok(()));
        terms.uses = 1;
        assert_eq!(terms.check_usable(now), Err(TermsRefusal::Used));
        assert_eq!(terms.check_alive(now), Ok(()));
        let end = Timestamp::from_seconds(1_800_000_000);
        assert_eq!(terms.check_alive(end), Err(TermsRefusal::Expired));
        terms.revoked_at = Some(now);
        assert_eq!(terms.check_alive(now), Err(TermsRefusal::Revoked));
    }

    #[test]
    fn the_names_of_the_patterns_only_are_opened() {
        let names = |text: &str| vec![Identifier::from_text(text).unwrap()];
        let terms = terms();
        let check = |text| terms.check_names(&names(text), None).is_ok();
        assert!(check("a.printers.example.org"));
        assert!(!check("www.example.org"));
        let nameless = |name| terms.check_names(&[], name).is_ok();
        assert!(nameless(Some("A.printers.example.org")));
        assert!(!nameless(Some("www.example.org")));
        assert!(!nameless(None));
    }
}
