//! ACME accounts, as operators see them.

use std::collections::BTreeMap;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An ACME account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    #[schema(example = "acc_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub directory: String,
    pub status: AccountStatus,
    /// `mailto:` URLs
    pub contacts: Vec<String>,
    /// Of its key, RFC 7638
    pub thumbprint: String,
    pub terms_agreed: bool,
    /// The external account binding key it was made with
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eab_key: Option<String>,
    /// Name of the team that it is of
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Values of custom metadata that its orders inherit
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The address it was made from
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_from: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// RFC 8555 section 7.1.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccountStatus {
    Valid,
    /// By its holder
    Deactivated,
    /// By an operator
    Revoked,
}

/// Filters of the list of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AccountQuery {
    /// Name of an ACME directory
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub status: Option<AccountStatus>,
    /// Id of an external account binding key
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eab_key: Option<String>,
}
