//! Orders (RFC 8555 sections 7.1.3 and 7.4).

use std::fmt;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::identifier::Identifier;
use super::problem::Problem;

/// The state of an order (RFC 8555 section 7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderStatus {
    /// Authorizations are outstanding.
    Pending,
    /// Every authorization is valid; the order waits to be finalized.
    Ready,
    /// Finalized, and the certificate is on its way.
    Processing,
    /// The certificate is issued.
    Valid,
    /// Nothing will come of it.
    Invalid,
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The body of a newOrder request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewOrder {
    /// What the certificate is to name.
    pub identifiers: Vec<Identifier>,
    /// The start of validity asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The end of validity asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// The certificate that this order renews (RFC 9773 section 5); to be read as a
    /// [`CertId`](super::renewal_info::CertId).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The profile asked for (draft-ietf-acme-profiles).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// An order as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The state.
    pub status: OrderStatus,
    /// When the order becomes invalid by itself; required while pending or valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// What the certificate names.
    pub identifiers: Vec<Identifier>,
    /// The start of validity asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The end of validity asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// Why the order is invalid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// URLs of the authorizations.
    pub authorizations: Vec<String>,
    /// Where the CSR goes.
    pub finalize: String,
    /// Where the certificate is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The certificate that this order renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The profile in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({}))]
    #[case(json!({"identifiers": {}}))]
    #[case(json!({"identifiers": ["a.example"]}))]
    #[case(json!({"identifiers": [["dns", "a.example"]]}))]
    #[case(json!({"identifiers": [], "notBefore": "tomorrow"}))]
    #[case(json!({"identifiers": [], "notAfter": 1_800_000_000}))]
    #[case(json!({"identifiers": [], "profile": ["a"]}))]
    fn a_new_order_of_the_wrong_form_is_refused(#[case] body: serde_json::Value) {
        assert!(serde_json::from_value::<NewOrder>(body).is_err());
    }

    #[test]
    fn an_order_is_written_with_the_names_of_the_text() {
        let wire = json!({
            "status": "valid",
            "expires": "2027-01-01T00:00:00Z",
            "identifiers": [{"type": "dns", "value": "a.example"}],
            "notBefore": "2026-12-01T00:00:00Z",
            "notAfter": "2026-12-31T00:00:00Z",
            "authorizations": ["https://ca.example/authz/1"],
            "finalize": "https://ca.example/order/1/finalize",
            "certificate": "https://ca.example/certificate/1",
            "replaces": "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE",
            "profile": "default",
        });
        let order: Order = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(order.status.to_string(), "valid");
        assert_eq!(serde_json::to_value(order).unwrap(), wire);
    }
}
