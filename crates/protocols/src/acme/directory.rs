//! The directory, from which a client learns every URL (RFC 8555 section 7.1.1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The directory object. URLs are absolute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// Where a nonce is got.
    pub new_nonce: String,
    /// Where an account is made or found.
    pub new_account: String,
    /// Where an order is made.
    pub new_order: String,
    /// Where an identifier is authorised ahead of an order; absent where that is not offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_authz: Option<String>,
    /// Where a certificate is revoked.
    pub revoke_cert: String,
    /// Where an account changes its key.
    pub key_change: String,
    /// Where renewal windows are asked for (RFC 9773 section 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal_info: Option<String>,
    /// About the service.
    #[serde(default, skip_serializing_if = "Meta::is_empty")]
    pub meta: Meta,
}

/// What the service says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// The terms in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_of_service: Option<String>,
    /// A page about the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// The domain names by which CAA records name this CA.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caa_identities: Vec<String>,
    /// Whether newAccount needs an external account binding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external_account_required: bool,
    /// Profiles on offer, each with a description or a URL (draft-ietf-acme-profiles).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<String, String>,
    /// Whether an ancestor domain may be authorised for its subdomains (RFC 9444).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub subdomain_auth_allowed: bool,
    /// The names under which `dns-persist-01` records may name this CA.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuer_domain_names: Vec<String>,
    /// What precedes the account hash in `dns-persist-01` records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_hash_prefix: Option<String>,
}

impl Meta {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn minimal() -> serde_json::Value {
        json!({
            "newNonce": "https://ca.example/nonce",
            "newAccount": "https://ca.example/account",
            "newOrder": "https://ca.example/order",
            "revokeCert": "https://ca.example/revoke",
            "keyChange": "https://ca.example/key",
        })
    }

    #[test]
    fn what_is_not_offered_is_not_mentioned() {
        let directory: Directory = serde_json::from_value(minimal()).unwrap();
        assert_eq!(serde_json::to_value(directory).unwrap(), minimal());
    }

    #[test]
    fn every_member_has_its_registered_name() {
        let mut full = minimal();
        full["newAuthz"] = json!("https://ca.example/authz");
        full["renewalInfo"] = json!("https://ca.example/ari");
        full["meta"] = json!({
            "termsOfService": "https://ca.example/terms",
            "website": "https://ca.example/",
            "caaIdentities": ["ca.example"],
            "externalAccountRequired": true,
            "profiles": {"short": "six days"},
            "subdomainAuthAllowed": true,
            "issuerDomainNames": ["ca.example"],
            "accountHashPrefix": "https://ca.example/account-hash/",
        });
        let directory: Directory = serde_json::from_value(full.clone()).unwrap();
        assert_eq!(serde_json::to_value(directory).unwrap(), full);
    }

    #[test]
    fn a_client_ignores_what_it_does_not_know() {
        let mut extended = minimal();
        extended["Vh3kx9Wq"] = json!("https://ca.example/random-entry");
        assert!(serde_json::from_value::<Directory>(extended).is_ok());
    }
}
