//! Signing in, and what belongs to whoever is signed in.

use std::fmt;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// What somebody signs in with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    #[schema(example = "ada", max_length = 64)]
    pub name: String,
    #[schema(format = Password, max_length = 512)]
    pub password: String,
    /// The code of an authenticator, or a recovery code, where the user has an authenticator
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "287082", max_length = 64)]
    pub code: Option<String>,
}

/// Somebody who is signed in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CurrentSession {
    #[serde(flatten)]
    pub session: Session,
    #[schema(example = "usr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub user: String,
    #[schema(example = "ada")]
    pub name: String,
    #[schema(example = "Ada Lovelace")]
    pub display_name: String,
    /// What changes have to carry as the header `X-CSRF-Token`
    pub csrf_token: String,
    pub factors: Factors,
}

/// One of a user's sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    #[schema(example = "ses_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub method: SignInMethod,
    /// Where it was begun
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Mozilla/5.0")]
    pub user_agent: Option<String>,
    /// Whether it is the one that asks
    pub is_current: bool,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the user last proved who they are; what is delicate asks for that to be a moment ago
    #[schema(value_type = String, format = DateTime)]
    pub authenticated_at: Timestamp,
    /// To the minute
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Timestamp,
    /// When it ends if it is not used again
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
}

/// How a session was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignInMethod {
    Password,
    PasswordAndCode,
    RecoveryCode,
    Passkey,
    SignOn,
    SetupLink,
}

/// How a user can prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Factors {
    pub password: bool,
    pub authenticator: bool,
    /// Recovery codes that are left
    #[schema(example = 10)]
    pub recovery_codes: u64,
    pub passkeys: usize,
}

/// A proof that the user is still there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reauthenticate {
    #[schema(format = Password, max_length = 512)]
    pub password: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "287082", max_length = 64)]
    pub code: Option<String>,
}

/// Another password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    #[schema(format = Password, max_length = 512)]
    pub password: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "287082", max_length = 64)]
    pub code: Option<String>,
    #[schema(format = Password, min_length = 12, max_length = 512)]
    pub new_password: String,
}

/// A setup link, redeemed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemSetup {
    /// The last part of the link
    #[schema(max_length = 128)]
    pub secret: String,
    #[schema(format = Password, min_length = 12, max_length = 512)]
    pub password: String,
    /// For the first administrator: what to sign in as
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "ada")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Ada Lovelace")]
    pub display_name: Option<String>,
}

/// What came of a setup link.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RedeemedSetup {
    #[serde(flatten)]
    pub session: CurrentSession,
    /// For the first administrator: an API token for the command line, shown this once
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// What an authenticator has to be told: shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TotpSecret {
    /// For typing, base32
    pub secret: String,
    /// For a QR code
    #[schema(example = "otpauth://totp/Certwright:ada%20ca.example?secret=…&issuer=Certwright")]
    pub url: String,
}

/// The first code of an authenticator.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmTotp {
    #[schema(example = "287082", max_length = 64)]
    pub code: String,
}

/// Recovery codes: shown this once, each works once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecoveryCodes {
    #[schema(example = json!(["abcd-efgh-ijkl-mnop"]))]
    pub codes: Vec<String>,
}

/// One of a user's passkeys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Passkey {
    #[schema(example = "psk_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    #[schema(example = "laptop")]
    pub name: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}

/// A challenge for an authenticator (WebAuthn Level 3).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasskeyChallenge {
    /// Comes back with the answer; good once, for five minutes
    pub ticket: String,
    /// What `navigator.credentials` takes, binary values in base64url
    #[schema(value_type = Object)]
    pub options: Value,
}

/// The answer of an authenticator that is to be registered.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterPasskey {
    #[schema(max_length = 128)]
    pub ticket: String,
    /// Which authenticator it is
    #[schema(example = "laptop", min_length = 1, max_length = 100)]
    pub name: String,
    #[schema(value_type = Object)]
    pub credential: Value,
}

/// The answer of an authenticator that signs somebody in.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeySignIn {
    #[schema(max_length = 128)]
    pub ticket: String,
    #[schema(value_type = Object)]
    pub credential: Value,
}

/// A sign-on provider as a sign-in page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignOnChoice {
    #[schema(example = "staff")]
    pub name: String,
    /// What to write on the button
    #[schema(example = "Sign in with the staff directory")]
    pub title: String,
    /// Where the button leads
    #[schema(example = "/api/v1/session/sign-on/staff")]
    pub url: String,
}

/// Where to go on after sign-on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DepartQuery {
    /// A path of this server; anything else is the start page
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
}

/// What a provider sends a browser back with (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CallbackQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

macro_rules! without_secrets {
    ($($name:ident)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

without_secrets! {
    SignIn CurrentSession Reauthenticate ChangePassword RedeemSetup RedeemedSetup TotpSecret
    ConfirmTotp RecoveryCodes PasskeyChallenge RegisterPasskey PasskeySignIn CallbackQuery
}
