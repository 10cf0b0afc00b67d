//! Authorizations: control over one identifier (RFC 8555 sections 7.1.4, 7.4.1 and 7.5).

use std::fmt;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::account::RequestedStatus;
use super::challenge::Challenge;
use super::identifier::Identifier;

/// The state of an authorization (RFC 8555 section 7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthorizationStatus {
    /// No challenge has been met yet.
    Pending,
    /// Control was shown.
    Valid,
    /// A challenge failed.
    Invalid,
    /// Given up by the account.
    Deactivated,
    /// Control was shown too long ago.
    Expired,
    /// Withdrawn by the server.
    Revoked,
}

impl fmt::Display for AuthorizationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The body of a newAuthz request (RFC 8555 section 7.4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAuthorization {
    /// What control is to be shown over.
    pub identifier: Identifier,
}

/// The body of an update; only `deactivated` is possible (RFC 8555 section 7.5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationUpdate {
    /// What the authorization shall become.
    pub status: RequestedStatus,
}

/// An authorization as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// The identifier, without `*.` for a wildcard.
    pub identifier: Identifier,
    /// The state.
    pub status: AuthorizationStatus,
    /// When it ends; required while valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The ways to show control, or the one that did.
    pub challenges: Vec<Challenge>,
    /// Present and true only for a wildcard.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wildcard: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wildcard_is_absent_unless_it_is_true() {
        let wire = json!({
            "identifier": {"type": "dns", "value": "a.example"},
            "status": "deactivated",
            "challenges": [],
        });
        let mut authorization: Authorization = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(serde_json::to_value(&authorization).unwrap(), wire);
        authorization.wildcard = true;
        assert_eq!(
            serde_json::to_value(&authorization).unwrap()["wildcard"],
            json!(true)
        );
    }
}
