//! What a new order stands on: authorizations made with it, or earlier ones.

use std::time::Duration;

use domain::acme::account::Account;
use domain::acme::authorization::{Authorization, AuthorizationState, Proof};
use domain::acme::challenge::{Challenge, ChallengeKind};
use domain::acme::directory::Directory;
use domain::id::AuthorizationId;
use domain::identifier::Identifier;
use domain::profile::Profile;
use pki::time::Timestamp;
use store::{StoreError, Tx};

use super::NewOrderError;
use super::identifiers::{IdentifierFault, IdentifierReason, fault_of};
use crate::Lifecycle;
use crate::acme::authorizations::{proof_is_accepted, proof_is_recent};

impl Lifecycle {
    /// A pending authorization, or one that is valid at once where the binding proves the name.
    pub(super) fn new_authorization_for(
        &self,
        directory: &Directory,
        account: &Account,
        profile: &Profile,
        identifier: &Identifier,
        bound: bool,
        now: Timestamp,
    ) -> Authorization {
        let accepts = |kind| profile.spec.accepts_challenge(kind);
        let mut authorization =
            self.pending_authorization(directory, account, identifier, &accepts, now);
        // A profile that names its challenges wants one of them, whoever the account is bound to.
        if bound && profile.spec.challenges.is_empty() {
            authorization.state = AuthorizationState::Valid {
                validated_at: now,
                by: Proof::TrustedBinding,
                caa_fresh_until: None,
            };
            authorization.challenges.clear();
            authorization.expires_at = now + directory.spec.valid_authorization_lifetime();
        }
        authorization
    }

    pub(crate) fn pending_authorization(
        &self,
        directory: &Directory,
        account: &Account,
        identifier: &Identifier,
        accepts: &dyn Fn(ChallengeKind) -> bool,
        now: Timestamp,
    ) -> Authorization {
        let token: [u8; 32] = self.random.octets();
        let base = identifier.without_wildcard();
        let wildcard = identifier.is_wildcard();
        Authorization {
            id: AuthorizationId::mint(now, &*self.random),
            account_id: account.id.clone(),
            directory_id: directory.id.clone(),
            challenges: directory
                .spec
                .challenges_for(&base, wildcard)
                .into_iter()
                .filter(|kind| accepts(*kind) && self.can_offer(*kind))
                .map(Challenge::pending)
                .collect(),
            identifier: base,
            wildcard,
            state: AuthorizationState::Pending,
            token: data_encoding::BASE64URL_NOPAD.encode(&token),
            expires_at: now + directory.spec.pending_authorization_lifetime(),
            created_at: now,
        }
    }
}

/// A pending authorization that offers no way to prove control would never end.
pub(super) fn require_challenges(authorizations: &[Authorization]) -> Result<(), NewOrderError> {
    let faults: Vec<IdentifierFault> = authorizations
        .iter()
        .filter(|a| a.state == AuthorizationState::Pending && a.challenges.is_empty())
        .map(|a| {
            let reason = match a.identifier.is_device() {
                true => IdentifierReason::NoMaker(a.identifier.clone()),
                false => IdentifierReason::NoChallenge(a.identifier.clone()),
            };
            fault_of(&a.identifier, reason)
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(NewOrderError::Identifiers(faults))
    }
}

/// An earlier authorization for the same, if the directory's rules still let orders stand on it.
pub(super) async fn reusable_authorization(
    tx: &mut Tx<'_>,
    wanted: &Authorization,
    directory: &Directory,
    profile: &Profile,
    now: Timestamp,
) -> Result<Option<Authorization>, StoreError> {
    let earlier = tx
        .find_valid_authorization(
            &wanted.account_id,
            &wanted.directory_id,
            &wanted.identifier,
            wanted.wildcard,
            now + MINIMUM_LEFT,
        )
        .await?;
    // A test directory reuses by chance, not by age.
    Ok(earlier.filter(|earlier| {
        // An attestation is about one key, and the next certificate mostly has another.
        earlier.attested_key().is_none()
            && proof_is_accepted(earlier, directory, profile)
            && (directory.spec.test_mode.is_some() || proof_is_recent(earlier, directory, now))
    }))
}

/// A reused authorization must leave time to finish the order.
const MINIMUM_LEFT: Duration = Duration::from_secs(60 * 60);
