//! The second factor: a code of an authenticator, or a recovery code; either works once.

use domain::id::UserId;
use domain::session::SignInMethod;
use domain::sign_in::RecoveryCode;
use domain::user::User;
use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use store::Tx;
use store::credentials::StoredCredentials;
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use super::SignInError;
use crate::Lifecycle;

/// How somebody showed who they are; what works once is spent with it.
pub(crate) enum Proof {
    /// The user has no authenticator.
    Password,
    Totp {
        step: u64,
    },
    Recovery {
        hash: Fingerprint,
    },
}

impl Proof {
    pub(crate) fn method(&self) -> SignInMethod {
        match self {
            Self::Password => SignInMethod::Password,
            Self::Totp { .. } => SignInMethod::PasswordAndCode,
            Self::Recovery { .. } => SignInMethod::RecoveryCode,
        }
    }

    /// Spends the code in the transaction that its use is part of: two who send the same code at the
    /// same time are one success and one failure.
    pub(crate) async fn spend(self, tx: &mut Tx<'_>, user: &UserId) -> Result<(), SignInError> {
        let was_good = match self {
            Self::Password => true,
            Self::Totp { step } => tx.spend_totp_step(user, step).await?,
            Self::Recovery { hash } => tx.spend_recovery_code(user, &hash).await?,
        };
        was_good.then_some(()).ok_or(SignInError::Refused)
    }
}

impl Lifecycle {
    /// Judges the code of somebody whose password was right.
    pub(super) async fn second_factor(
        &self,
        user: &User,
        credentials: &StoredCredentials,
        code: Option<&SecretString>,
    ) -> Result<Proof, SignInError> {
        let Some(sealed) = &credentials.sealed_totp else {
            return Ok(Proof::Password);
        };
        let code = code.ok_or(SignInError::CodeNeeded)?;
        let secret = self.sealer.open(&seal_context(&user.id), sealed)?;
        if let Some(step) = matching_step(&secret, code.expose_secret(), self.now())
            && step > credentials.totp_step
        {
            return Ok(Proof::Totp { step });
        }
        RecoveryCode::from_presented(code.expose_secret())
            .map(|code| Proof::Recovery { hash: code.hash() })
            .ok_or(SignInError::Refused)
    }
}

/// The step of which `code` is (RFC 6238 section 5.2: one step of delay either way).
pub(super) fn matching_step(secret: &[u8], code: &str, now: Timestamp) -> Option<u64> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let is_code = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit());
    let seconds = u64::try_from(now.millis() / 1000).ok()?;
    is_code
        .then(|| totp(secret)?.check(&digits, seconds))
        .flatten()
}

fn totp(secret: &[u8]) -> Option<Totp> {
    let secret = Zeroizing::new(secret.to_vec());
    Builder::new().with_secret(secret.to_vec()).build().ok()
}

/// What the sealed secret of an authenticator is bound to.
pub(super) fn seal_context(user: &UserId) -> String {
    format!("user_credentials/{user}/totp")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, SHA-1, cut to six digits.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, code, step) in [
            (59, "287082", 1),
            (1_111_111_109, "081804", 37_037_036),
            (1_234_567_890, "005924", 41_152_263),
            (2_000_000_000, "279037", 66_666_666),
        ] {
            let now = Timestamp::from_millis(seconds * 1000);
            assert_eq!(matching_step(SECRET, code, now), Some(step), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_or_late_and_names_its_own_step() {
        for (seconds, step) in [
            (59 - 30, Some(1)),
            (59, Some(1)),
            (59 + 30, Some(1)),
            (59 + 60, None),
        ] {
            let now = Timestamp::from_millis(seconds * 1000);
            assert_eq!(matching_step(SECRET, "287082", now), step, "{seconds}");
        }
    }

    #[test]
    fn blanks_change_nothing_and_other_texts_are_no_codes() {
        let now = Timestamp::from_millis(59_000);
        assert_eq!(matching_step(SECRET, " 287 082 ", now), Some(1));
        for text in ["", "28708", "2870820", "28708a", "-287082", "٢٨٧٠٨٢"] {
            assert_eq!(matching_step(SECRET, text, now), None, "{text}");
        }
    }
}
