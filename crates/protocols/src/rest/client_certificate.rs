//! Client certificates that stand for tokens.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A rule by which certificates open what a token opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientCertificate {
    #[schema(example = "ccr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    #[schema(example = "build host 7")]
    pub name: String,
    /// Id of the token
    #[schema(example = "tok_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub token: String,
    /// The issuer's name, or the SHA-256 of a CA certificate in the configuration
    #[schema(example = "issuing")]
    pub ca: String,
    pub subject: CertificateMatch,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// To the minute
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}

/// What has to stand in the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "value", rename_all = "kebab-case")]
pub enum CertificateMatch {
    /// This one certificate, by its serial number in hexadecimal digits
    Serial(String),
    /// The whole subject, as RFC 4514 writes it
    Subject(String),
    /// A DNS name among the subject alternative names
    Dns(String),
    /// An e-mail address among them
    Email(String),
    /// A URI among them
    Uri(String),
}

/// A rule to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateClientCertificate {
    /// Which machine it is
    #[schema(example = "build host 7", min_length = 1)]
    pub name: String,
    /// Id of the token whose rights the certificates have
    #[schema(example = "tok_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub token: String,
    /// The issuer's name, or the SHA-256 of a CA certificate in server.client_authorities
    #[schema(example = "issuing")]
    pub ca: String,
    pub subject: CertificateMatch,
}
