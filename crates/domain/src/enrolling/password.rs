//! Enrollment passwords: what HTTP Basic in EST and the challenge password in SCEP are checked against.

use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;

use crate::id::{EnrollmentPasswordId, EntryPointId, TeamId};
use crate::identifier::Identifier;
use crate::metadata::Values;
use crate::profile::NamePattern;

/// A password as we keep it: by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrollmentPassword {
    pub id: EnrollmentPasswordId,
    /// What people call it: the device, the batch.
    pub name: String,
    /// The entry point that it opens, and no other.
    pub entry_point: EntryPointId,
    pub hash: Fingerprint,
    /// Where set, the user name that has to come with it over HTTP Basic.
    pub username: Option<String>,
    /// Where not empty, only these names may be asked for with it.
    pub allowed_names: Vec<NamePattern>,
    /// How many enrollments it opens; any number without it.
    pub max_uses: Option<u32>,
    pub uses: u32,
    /// Values of custom metadata that enrollments with it inherit.
    pub metadata: Values,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    /// The team that owns it, and what is enrolled with it.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
}

/// Why a password opens nothing, or not this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    #[error("the enrollment password is revoked; ask for a new one")]
    Revoked,
    #[error("the enrollment password has expired; ask for a new one")]
    Expired,
    #[error("the enrollment password has been used as often as it may be; ask for a new one")]
    Used,
    #[error("the enrollment password is not for `{0}`")]
    Name(String),
}

impl EnrollmentPassword {
    /// Whether it says who somebody is at `now`: also after its last use, for who waits for an answer.
    pub fn check_alive(&self, now: Timestamp) -> Result<(), PasswordRefusal> {
        if self.revoked_at.is_some() {
            return Err(PasswordRefusal::Revoked);
        }
        match self.expires_at.is_some_and(|end| now >= end) {
            true => Err(PasswordRefusal::Expired),
            false => Ok(()),
        }
    }

    /// Whether it opens one more enrollment at `now`.
    pub fn check_usable(&self, now: Timestamp) -> Result<(), PasswordRefusal> {
        self.check_alive(now)?;
        match self.max_uses.is_some_and(|most| self.uses >= most) {
            true => Err(PasswordRefusal::Used),
            false => Ok(()),
        }
    }

    /// Whether these names may be asked for with it; where there are none, the subject's common name.
    pub fn check_names(
        &self,
        identifiers: &[Identifier],
        common_name: Option<&str>,
    ) -> Result<(), PasswordRefusal> {
        if self.allowed_names.is_empty() {
            return Ok(());
        }
        let allows = |one: &Identifier| self.allowed_names.iter().any(|p| p.matches(one));
        if identifiers.is_empty() {
            let name = common_name.unwrap_or_default();
            let identifier = Identifier::from_text(&name.to_ascii_lowercase()).ok();
            return match identifier.as_ref().is_some_and(allows) {
                true => Ok(()),
                false => Err(PasswordRefusal::Name(name.chars().take(80).collect())),
            };
        }
        match identifiers.iter().find(|one| !allows(one)) {
            Some(one) => Err(PasswordRefusal::Name(one.to_string())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password() -> EnrollmentPassword {
        EnrollmentPassword {
            id: "pwd_00000000000000000000000001".parse().unwrap(),
            name: "printers".into(),
            entry_point: "ept_00000000000000000000000001".parse().unwrap(),
            hash: Fingerprint([7; 32]),
            username: None,
            allowed_names: vec![".printers.example.org".parse().unwrap()],
            max_uses: Some(1),
            uses: 0,
            metadata: Values::new(),
            expires_at: Some(Timestamp::from_seconds(1_800_000_000)),
            revoked_at: None,
            last_used_at: None,
            team_id: None,
            created_at: Timestamp::from_seconds(1_700_000_000),
        }
    }

    #[test]
    fn a_used_password_still_says_who_waits_and_an_ended_one_says_nothing() {
        let now = Timestamp::from_seconds(1_750_000_000);
        let mut password = password();
        assert_eq!(password.check_usable(now), Ok(()));
        password.uses = 1;
        assert_eq!(password.check_usable(now), Err(PasswordRefusal::Used));
        assert_eq!(password.check_alive(now), Ok(()));
        let end = Timestamp::from_seconds(1_800_000_000);
        assert_eq!(password.check_alive(end), Err(PasswordRefusal::Expired));
        password.revoked_at = Some(now);
        assert_eq!(password.check_alive(now), Err(PasswordRefusal::Revoked));
    }

    #[test]
    fn a_password_opens_the_names_of_its_patterns_only() {
        let names = |text: &str| vec![Identifier::from_text(text).unwrap()];
        let password = password();
        let check = |text| password.check_names(&names(text), None).is_ok();
        assert!(check("a.printers.example.org"));
        assert!(!check("www.example.org"));
        let nameless = |name| password.check_names(&[], name).is_ok();
        assert!(nameless(Some("A.printers.example.org")));
        assert!(!nameless(Some("www.example.org")));
        assert!(!nameless(None));
    }
}
