//! What goes wrong with a token, and which of it a new session mends.

use std::path::PathBuf;

use cryptoki::error::{Error, RvError};
use domain::keystore::KeyStoreError;
use pki::key::KeyError;

/// Why the token did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("the PKCS#11 module {module} cannot be loaded: {source}")]
    Module { module: PathBuf, source: Error },
    #[error("the PKCS#11 module has no token {wanted}; it has {found}")]
    NoToken { wanted: String, found: String },
    #[error(
        "the token refused the PIN; it is not tried again, because a few wrong ones lock the token. Correct ca.pkcs11_pin or ca.pkcs11_pin_file and restart"
    )]
    PinRefused,
    #[error(
        "the token's PIN is locked or expired; let its security officer set it anew, and restart"
    )]
    PinLocked,
    #[error("the token has no private key `{label}` with id {id}")]
    NoKey { label: String, id: String },
    #[error("the token has {count} private keys with the label `{label}`, not one")]
    Ambiguous { label: String, count: usize },
    #[error(
        "the public half of key `{label}` is missing in the token, or of a kind that is not supported"
    )]
    NoPublicKey { label: String },
    #[error("{0}")]
    Call(#[from] Error),
}

impl TokenError {
    /// Whether the session, the login or the token went away, so that a new session can help.
    pub(super) fn is_lost(&self) -> bool {
        let Self::Call(Error::Pkcs11(error, _)) = self else {
            return false;
        };
        matches!(
            error,
            RvError::SessionHandleInvalid
                | RvError::SessionClosed
                | RvError::UserNotLoggedIn
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::DeviceRemoved
                | RvError::DeviceError
                | RvError::GeneralError
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::SlotIdInvalid
                | RvError::CryptokiNotInitialized
        )
    }
}

impl From<TokenError> for KeyStoreError {
    fn from(error: TokenError) -> Self {
        Self::Token(error.to_string())
    }
}

impl From<TokenError> for KeyError {
    fn from(error: TokenError) -> Self {
        Self::Device(Box::new(error))
    }
}
