//! Authenticators that show codes (RFC 6238), and the recovery codes for when they are lost.

use domain::id::UserId;
use domain::keystore::KeyStoreError;
use domain::sign_in::RecoveryCode;
use domain::user::User;
use pki::fingerprint::Fingerprint;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::StoreError;
use store::credentials::StoredCredentials;
use zeroize::Zeroizing;

use super::second_factor::{matching_step, seal_context};
use crate::Lifecycle;
use crate::actor::Caller;

/// What an authenticator has to be told: the only time it is shown.
pub struct TotpSecret {
    /// For typing, base32.
    pub secret: Zeroizing<String>,
    /// For a QR code.
    pub url: Zeroizing<String>,
}

/// Why an authenticator is not taken into use.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticatorError {
    #[error("no authenticator waits for its first code; begin again")]
    NonePending,
    #[error("this is not the code that the authenticator should show now; is its clock right?")]
    WrongCode,
    #[error("there is no authenticator; recovery codes are for when one is lost")]
    NoAuthenticator,
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How somebody can prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factors {
    pub password: bool,
    pub authenticator: bool,
    pub recovery_codes: u64,
    pub passkeys: usize,
}

impl Lifecycle {
    /// How a user can prove who they are.
    pub async fn factors(&self, user: &UserId) -> Result<Factors, StoreError> {
        let user = user.clone();
        self.store
            .read("user.factors", move |tx| {
                Box::pin(async move {
                    let credentials = tx.find_credentials(&user).await?;
                    Ok(Factors {
                        password: credentials.password_hash.is_some(),
                        authenticator: credentials.sealed_totp.is_some(),
                        recovery_codes: tx.count_recovery_codes(&user).await?,
                        passkeys: tx.list_passkeys(&user).await?.len(),
                    })
                })
            })
            .await
    }

    /// Makes the secret of a new authenticator. The one before stays in use until the first code.
    pub async fn begin_totp(&self, user: &User) -> Result<TotpSecret, AuthenticatorError> {
        let octets: Zeroizing<[u8; 20]> = Zeroizing::new(self.random.octets());
        let sealed = self.sealer.seal(&seal_context(&user.id), &*octets);
        let id = user.id.clone();
        self.store
            .write("user.totp_pending", move |tx| {
                Box::pin(async move { tx.put_pending_totp(&id, &sealed).await })
            })
            .await?;
        let secret = Zeroizing::new(data_encoding::BASE32_NOPAD.encode(&*octets));
        let url = otpauth(&self.settings.public_url, user.name.as_str(), &secret);
        Ok(TotpSecret { secret, url })
    }

    /// Takes the new authenticator into use, once it shows a right code. Gives fresh recovery codes.
    pub async fn confirm_totp(
        &self,
        user: &User,
        code: &SecretString,
        caller: &Caller,
    ) -> Result<Vec<RecoveryCode>, AuthenticatorError> {
        let credentials = self.credentials(&user.id).await?;
        let sealed = credentials
            .sealed_totp_pending
            .ok_or(AuthenticatorError::NonePending)?;
        let secret = self.sealer.open(&seal_context(&user.id), &sealed)?;
        let step = matching_step(&secret, code.expose_secret(), self.now())
            .ok_or(AuthenticatorError::WrongCode)?;
        let (codes, hashes) = self.new_codes();
        let event = self.event(
            caller,
            "user.authenticator_added",
            user.id.as_str(),
            json!({ "user": user.name, "replaced": credentials.sealed_totp.is_some() }),
        );
        let id = user.id.clone();
        self.store
            .write("user.totp_confirm", move |tx| {
                Box::pin(async move {
                    if !tx.confirm_totp(&id, &sealed, step).await? {
                        return Err(AuthenticatorError::NonePending);
                    }
                    tx.put_recovery_codes(&id, &hashes).await?;
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(codes)
    }

    /// Removes the authenticator with its recovery codes. Says whether there was one.
    pub async fn remove_totp(&self, user: &User, caller: &Caller) -> Result<bool, StoreError> {
        let event = self.event(
            caller,
            "user.authenticator_removed",
            user.id.as_str(),
            json!({ "user": user.name }),
        );
        let id = user.id.clone();
        self.store
            .write("user.totp_remove", move |tx| {
                Box::pin(async move {
                    let removed = tx.remove_totp(&id).await?;
                    if removed {
                        tx.delete_recovery_codes(&id).await?;
                        tx.insert_event(&event).await?;
                    }
                    Ok(removed)
                })
            })
            .await
    }

    /// Makes new recovery codes in place of those that are left.
    pub async fn replace_recovery_codes(
        &self,
        user: &User,
        caller: &Caller,
    ) -> Result<Vec<RecoveryCode>, AuthenticatorError> {
        let (codes, hashes) = self.new_codes();
        let event = self.event(
            caller,
            "user.recovery_codes_replaced",
            user.id.as_str(),
            json!({ "user": user.name }),
        );
        let id = user.id.clone();
        self.store
            .write("user.recovery_codes", move |tx| {
                Box::pin(async move {
                    if tx.find_credentials(&id).await?.sealed_totp.is_none() {
                        return Err(AuthenticatorError::NoAuthenticator);
                    }
                    tx.put_recovery_codes(&id, &hashes).await?;
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(codes)
    }

    fn new_codes(&self) -> (Vec<RecoveryCode>, Vec<Fingerprint>) {
        let codes: Vec<RecoveryCode> = (0..RECOVERY_CODES)
            .map(|_| RecoveryCode::generate(&*self.random))
            .collect();
        let hashes = codes.iter().map(RecoveryCode::hash).collect();
        (codes, hashes)
    }

    async fn credentials(&self, user: &UserId) -> Result<StoredCredentials, StoreError> {
        let user = user.clone();
        self.store
            .read("user.credentials", move |tx| {
                Box::pin(async move { tx.find_credentials(&user).await })
            })
            .await
    }
}

/// The URL that authenticators read, with what they show beside the code.
fn otpauth(public_url: &str, user: &str, secret: &str) -> Zeroizing<String> {
    let host = public_url.split("://").last().unwrap_or_default();
    let mut label = url::form_urlencoded::Serializer::new(String::new());
    label
        .append_pair("secret", secret)
        .append_pair("issuer", "Certwright");
    let encode = |text: &str| -> String {
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
    };
    Zeroizing::new(format!(
        "otpauth://totp/Certwright:{}?{}",
        encode(&format!("{user} {host}")).replace('+', "%20"),
        label.finish()
    ))
}

const RECOVERY_CODES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_whose_code_it_is() {
        let url = otpauth("https://ca.example:8443", "ada@example.org", "GEZDGNBV");
        assert_eq!(
            url.as_str(),
            "otpauth://totp/Certwright:ada%40example.org%20ca.example%3A8443?secret=GEZDGNBV&issuer=Certwright"
        );
    }
}
