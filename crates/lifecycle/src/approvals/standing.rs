//! What a request stands on, looked at again under lock: nothing is approved, and nothing of what
//! was approved is signed, that would not be taken any more.

use domain::acme::account::AccountStatus;
use domain::acme::authorization::AuthorizationStatus;
use domain::enrolling::ClientProof;
use domain::enrollment::{Enrollment, Requester};
use domain::id::{AccountId, DirectoryId, OrderId, TokenId};
use domain::profile::Profile;
use pki::csr::Csr;
use pki::time::Timestamp;
use store::{StoreError, Tx};

use crate::acme::authorizations::proof_is_accepted;

/// Whether a request may go on.
#[derive(Debug)]
pub(crate) enum Standing {
    Holds,
    /// The profile has other rules by now.
    ProfileChanged,
    /// Something it stood on is gone for good.
    Gone(String),
}

/// Looks at everything again. The enrollment's row is locked by the caller.
pub(crate) async fn standing(
    tx: &mut Tx<'_>,
    enrollment: &Enrollment,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    let key = match Csr::accepted(&enrollment.csr_der) {
        Ok(csr) => csr.public_key.spki_sha256(),
        Err(error) => return Ok(Standing::Gone(error.to_string())),
    };
    if tx.is_key_blocked(&key).await? {
        return Ok(Standing::Gone(
            "the key was reported as compromised since; generate a new key".to_owned(),
        ));
    }
    let asked_under = tx
        .find_profile_version(&enrollment.profile_id, enrollment.profile_version)
        .await?;
    let current = match &asked_under {
        Some(profile) => tx.find_profile(&profile.name).await?,
        None => None,
    };
    let Some(current) = current else {
        return Ok(Standing::Gone("the profile was withdrawn".to_owned()));
    };
    let gone = match &enrollment.requester {
        Requester::AcmeAccount {
            account,
            directory,
            order,
        } => acme_fault(tx, (account, directory, order), &current, now).await?,
        Requester::Token { token } => token_fault(tx, token).await?,
        Requester::Client { proof, .. } => client_fault(tx, proof).await?,
        Requester::User { .. } | Requester::System => None,
    };
    Ok(match gone {
        Some(reason) => Standing::Gone(reason),
        None if current.version != enrollment.profile_version => Standing::ProfileChanged,
        None => Standing::Holds,
    })
}

async fn acme_fault(
    tx: &mut Tx<'_>,
    (account, directory, order): (&AccountId, &DirectoryId, &OrderId),
    profile: &Profile,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let fault = |text: &str| Ok(Some(text.to_owned()));
    let account = tx.find_account(account).await?;
    if account.is_none_or(|account| account.status != AccountStatus::Valid) {
        return fault("the account was deactivated");
    }
    let (Some(directory), Some(order)) = (
        tx.find_directory(directory).await?,
        tx.find_order(order).await?,
    ) else {
        return fault("the order is gone");
    };
    if !directory.spec.profiles.contains(&profile.name) {
        return fault("the directory no longer offers the profile");
    }
    let authorizations = tx
        .list_authorizations_by_ids(&order.authorization_ids)
        .await?;
    if authorizations.len() != order.authorization_ids.len() {
        return fault("an authorization of the order is gone");
    }
    let lost = authorizations.iter().find(|authorization| {
        authorization.status(now) != AuthorizationStatus::Valid
            || !proof_is_accepted(authorization, &directory, profile)
    });
    Ok(lost.map(|authorization| {
        format!(
            "the proof of control over {} holds no longer",
            authorization.identifier
        )
    }))
}

/// A token whose time is over has asked while it was good; one that was revoked is not to be trusted.
async fn token_fault(tx: &mut Tx<'_>, token: &TokenId) -> Result<Option<String>, StoreError> {
    let token = tx.find_token(token).await?;
    Ok(match token.is_none_or(|token| token.revoked_at.is_some()) {
        true => Some("the token that asked for it was revoked".to_owned()),
        false => None,
    })
}

/// The same for a client: its password may be used up or over by now, but not revoked.
async fn client_fault(tx: &mut Tx<'_>, proof: &ClientProof) -> Result<Option<String>, StoreError> {
    let gone = match proof {
        ClientProof::Password { password } => {
            let password = tx.find_enrollment_password(password).await?;
            password.is_none_or(|password| password.terms.revoked_at.is_some())
        }
        ClientProof::Secret { secret } => {
            let secret = tx.find_cmp_secret(secret).await?;
            secret.is_none_or(|secret| secret.terms.revoked_at.is_some())
        }
        ClientProof::Certificate { certificate } => {
            let certificate = tx.find_certificate(certificate).await?;
            certificate.is_none_or(|certificate| certificate.revocation.is_some())
        }
        ClientProof::Stranger { .. } => false,
    };
    Ok(
        gone.then(|| {
            "the password, secret or certificate that asked for it was revoked".to_owned()
        }),
    )
}
