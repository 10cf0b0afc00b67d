//! Accounts (RFC 8555 sections 7.1.2 and 7.3).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::json;
use super::jws::FlattenedJws;

/// The state of an account (RFC 8555 section 7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountStatus {
    /// In use.
    Valid,
    /// Given up by its owner.
    Deactivated,
    /// Closed by the server.
    Revoked,
}

impl fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The body of a newAccount request. Other members, such as `orders` or `status`, are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAccount {
    /// Contact URLs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Vec<String>>,
    /// Agreement to the directory's terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_of_service_agreed: Option<bool>,
    /// Only look up, never create (RFC 8555 section 7.3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_return_existing: Option<bool>,
    /// The binding to an account known elsewhere (RFC 8555 section 7.3.4).
    #[serde(
        default,
        deserialize_with = "binding",
        skip_serializing_if = "Option::is_none"
    )]
    pub external_account_binding: Option<FlattenedJws>,
}

fn binding<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FlattenedJws>, D::Error> {
    json::object(deserializer).map(Some)
}

/// A status that a client asks for; the only one with an effect is `deactivated`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum RequestedStatus {
    /// Give the object up, for good.
    Deactivated,
    /// Anything else, to be ignored or refused as the resource prescribes.
    Other(String),
}

impl From<String> for RequestedStatus {
    fn from(name: String) -> Self {
        match name.as_str() {
            "deactivated" => Self::Deactivated,
            _ => Self::Other(name),
        }
    }
}

impl From<RequestedStatus> for String {
    fn from(status: RequestedStatus) -> Self {
        match status {
            RequestedStatus::Deactivated => "deactivated".to_owned(),
            RequestedStatus::Other(name) => name,
        }
    }
}

/// The body of an update of an account (RFC 8555 sections 7.3.2 and 7.3.6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountUpdate {
    /// New contact URLs; absent to leave them as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Vec<String>>,
    /// `deactivated` to close the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<RequestedStatus>,
    /// Agreement to changed terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_of_service_agreed: Option<bool>,
}

impl AccountUpdate {
    /// Whether the account is to be closed.
    pub fn deactivates(&self) -> bool {
        self.status == Some(RequestedStatus::Deactivated)
    }
}

/// An account as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The state.
    pub status: AccountStatus,
    /// Contact URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contact: Vec<String>,
    /// Whether terms were agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_of_service_agreed: Option<bool>,
    /// The binding as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_account_binding: Option<FlattenedJws>,
    /// Where the account's orders are listed. Required by the text, left out by many servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<String>,
}

/// One page of an account's orders (RFC 8555 section 7.1.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderList {
    /// URLs of orders.
    pub orders: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn a_new_account_ignores_what_only_the_server_may_set() {
        let request: NewAccount = serde_json::from_value(json!({
            "contact": ["mailto:a@example.com"],
            "termsOfServiceAgreed": true,
            "status": "revoked",
            "orders": "https://elsewhere.example/",
            "unknown": {},
        }))
        .unwrap();
        assert_eq!(request.contact.unwrap(), ["mailto:a@example.com"]);
        assert_eq!(request.terms_of_service_agreed, Some(true));
        assert_eq!(request.only_return_existing, None);
    }

    #[rstest]
    #[case(json!({"externalAccountBinding": "text"}))]
    #[case(json!({"externalAccountBinding": ["e30", "", "AA"]}))]
    #[case(json!({"externalAccountBinding": {"protected": "e30", "payload": ""}}))]
    #[case(json!({"externalAccountBinding": null}))]
    #[case(json!({"onlyReturnExisting": "true"}))]
    #[case(json!({"contact": "mailto:a@example.com"}))]
    fn a_new_account_with_a_member_of_the_wrong_form_is_refused(#[case] body: serde_json::Value) {
        assert!(serde_json::from_value::<NewAccount>(body).is_err());
    }

    #[rstest]
    #[case(json!({"status": "deactivated"}), true)]
    #[case(json!({"status": "valid"}), false)]
    #[case(json!({"status": "Deactivated"}), false)]
    #[case(json!({}), false)]
    fn only_the_status_deactivated_closes_an_account(
        #[case] body: serde_json::Value,
        #[case] closes: bool,
    ) {
        let update: AccountUpdate = serde_json::from_value(body).unwrap();
        assert_eq!(update.deactivates(), closes);
    }
}
