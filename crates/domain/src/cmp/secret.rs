//! Shared secrets of CMP: a reference that clients send, and a secret that protects their messages.

use pki::time::Timestamp;

use crate::id::{CmpSecretId, EntryPointId, TeamId};
use crate::identifier::Identifier;
use crate::metadata::Values;
use crate::profile::NamePattern;

/// A secret as we keep it: sealed, for a MAC needs it whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CmpSecret {
    pub id: CmpSecretId,
    /// What clients send as senderKID; one secret of an endpoint has it.
    pub reference: String,
    /// What people call it: the device, the batch.
    pub name: String,
    /// The endpoint that it opens, and no other.
    pub endpoint: EntryPointId,
    pub sealed_secret: String,
    /// Where not empty, only these names may be asked for with it.
    pub allowed_names: Vec<NamePattern>,
    /// How many certificates it opens; any number without it.
    pub max_uses: Option<u32>,
    pub uses: u32,
    /// Values of custom metadata that requests with it inherit.
    pub metadata: Values,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    /// The team that owns it, and what is asked for with it.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
}

/// Why a secret opens nothing, or not this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretRefusal {
    #[error("the shared secret is revoked; ask for a new one")]
    Revoked,
    #[error("the shared secret has expired; ask for a new one")]
    Expired,
    #[error("the shared secret has been used as often as it may be; ask for a new one")]
    Used,
    #[error("the shared secret is not for `{0}`")]
    Name(String),
}

impl CmpSecret {
    /// Whether it protects messages at `now`; after its last use still those that confirm and poll.
    pub fn check_alive(&self, now: Timestamp) -> Result<(), SecretRefusal> {
        if self.revoked_at.is_some() {
            return Err(SecretRefusal::Revoked);
        }
        match self.expires_at.is_some_and(|end| now >= end) {
            true => Err(SecretRefusal::Expired),
            false => Ok(()),
        }
    }

    /// Whether it opens one more certificate.
    pub fn check_usable(&self, now: Timestamp) -> Result<(), SecretRefusal> {
        self.check_alive(now)?;
        match self.max_uses.is_some_and(|most| self.uses >= most) {
            true => Err(SecretRefusal::Used),
            false => Ok(()),
        }
    }

    /// Whether these names may be asked for with it; where there are none, the subject's common name.
    pub fn check_names(
        &self,
        identifiers: &[Identifier],
        common_name: Option<&str>,
    ) -> Result<(), SecretRefusal> {
        if self.allowed_names.is_empty() {
            return Ok(());
        }
        let allows = |one: &Identifier| self.allowed_names.iter().any(|p| p.matches(one));
        if identifiers.is_empty() {
            let name = common_name.unwrap_or_default();
            let identifier = Identifier::parse("dns", &name.to_ascii_lowercase()).ok();
            return match identifier.as_ref().is_some_and(allows) {
                true => Ok(()),
                false => Err(SecretRefusal::Name(name.chars().take(80).collect())),
            };
        }
        match identifiers.iter().find(|one| !allows(one)) {
            Some(one) => Err(SecretRefusal::Name(one.to_string())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> CmpSecret {
        CmpSecret {
            id: "cms_00000000000000000000000001".parse().unwrap(),
            reference: "line-7".into(),
            name: "line 7".into(),
            endpoint: "ept_00000000000000000000000001".parse().unwrap(),
            sealed_secret: "sealed".into(),
            allowed_names: vec![".plant.example.org".parse().unwrap()],
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
    fn a_used_secret_still_confirms_and_an_ended_one_does_nothing() {
        let now = Timestamp::from_seconds(1_750_000_000);
        let mut secret = secret();
        assert_eq!(secret.check_usable(now), Ok(()));
        secret.uses = 1;
        assert_eq!(secret.check_usable(now), Err(SecretRefusal::Used));
        assert_eq!(secret.check_alive(now), Ok(()));
        let end = Timestamp::from_seconds(1_800_000_000);
        assert_eq!(secret.check_alive(end), Err(SecretRefusal::Expired));
        secret.revoked_at = Some(now);
        assert_eq!(secret.check_alive(now), Err(SecretRefusal::Revoked));
    }

    #[test]
    fn a_secret_opens_the_names_of_its_patterns_only() {
        let names = |text: &str| vec![Identifier::parse("dns", text).unwrap()];
        let check = |text| secret().check_names(&names(text), None).is_ok();
        assert!(check("a.plant.example.org"));
        assert!(!check("www.example.org"));
        let nameless = |name| secret().check_names(&[], name).is_ok();
        assert!(nameless(Some("A.plant.example.org")));
        assert!(!nameless(None));
    }
}
