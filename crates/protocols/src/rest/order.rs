//! ACME orders, with everything that explains where they stand.

use std::collections::BTreeMap;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::authorization::{Authorization, Identifier};
use super::enrollment::Enrollment;

/// An ACME order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    #[schema(example = "ord_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub status: OrderStatus,
    pub identifiers: Vec<Identifier>,
    pub account: String,
    pub directory: String,
    pub profile: String,
    pub profile_version: u32,
    /// Why it is invalid
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The certificate it led to
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrollment: Option<String>,
    /// The certificate that this one takes the place of (RFC 9773)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Name of the team that it is of
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// An order with all that its status follows from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderDetails {
    #[serde(flatten)]
    pub order: Order,
    /// Where it stands, in a sentence: what is waited for, or what went wrong
    pub explanation: String,
    pub authorizations: Vec<Authorization>,
    /// Custom metadata that its certificate has, or would have if it were issued now
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The pass through the issuance pipeline, once finalized
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Enrollment>,
}

/// RFC 8555 section 7.1.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OrderStatus {
    Pending,
    Ready,
    Processing,
    Valid,
    Invalid,
}

/// Filters of the list of orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrderQuery {
    /// Name of an ACME directory
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Id of an ACME account
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}
