//! People.

use std::fmt;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::grant::HeldRole;

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    #[schema(example = "usr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    /// What the person signs in as
    #[schema(example = "ada")]
    pub name: String,
    #[schema(example = "Ada Lovelace")]
    pub display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ada@example.org")]
    pub email: Option<String>,
    pub state: UserState,
    /// The sign-on provider that vouches for the person; absent: signs in here
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "staff")]
    pub provider: Option<String>,
    /// The person's groups there, as of the last sign-in
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["pki"]))]
    pub groups: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sign_in_at: Option<Timestamp>,
}

/// Whether a person may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UserState {
    /// Has not opened the setup link yet
    Invited,
    Active,
    /// Stays out, whoever vouches
    Disabled,
}

/// A person to be invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteUser {
    /// What the person will sign in as; an e-mail address is fine
    #[schema(example = "ada", min_length = 1, max_length = 64)]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Ada Lovelace", max_length = 200)]
    pub display_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "ada@example.org")]
    pub email: Option<String>,
    /// What the person may do from the first day
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<HeldRole>,
}

/// A person with a fresh setup link: shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitedUser {
    #[serde(flatten)]
    pub user: User,
    /// By which the person chooses a password; works once
    #[schema(example = "https://ca.example/setup/cwk_…")]
    pub setup_url: String,
    #[schema(value_type = String, format = DateTime)]
    pub setup_expires_at: Timestamp,
}

impl fmt::Debug for InvitedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvitedUser")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Somebody who has to wait before the next sign-in is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInLock {
    pub kind: SignInLockKind,
    /// A user name, known or not, or an address
    #[schema(example = "ada")]
    pub subject: String,
    #[schema(example = 7)]
    pub failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub locked_until: Option<Timestamp>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignInLockKind {
    User,
    Address,
}

/// Which wait to lift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LiftLockQuery {
    #[param(inline)]
    pub kind: SignInLockKind,
    /// The user name or the address
    pub subject: String,
}
