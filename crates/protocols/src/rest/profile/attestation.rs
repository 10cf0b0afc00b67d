//! Attested keys: whose word is taken, and what was said.

use std::collections::BTreeMap;

use pki::attestation::AttestationFormat;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The makers of devices that a profile trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AttestationRules {
    /// Certificates of makers' CAs in PEM, by the format of attestation they are trusted for: `tpm`,
    /// `step`, `apple` or `hsm`. A format that is not here is not taken
    #[schema(value_type = BTreeMap<String, Vec<String>>, example = json!({
        "tpm": ["-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n"],
    }))]
    pub roots: BTreeMap<AttestationFormat, Vec<String>>,
    /// Whether the names that devices were attested by are left out of certificates
    pub withhold_names: bool,
}

/// What a device's maker said of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttestedKey {
    #[schema(value_type = String, example = "tpm")]
    pub format: AttestationFormat,
    /// SHA-256 of the key's SubjectPublicKeyInfo, in hex
    pub key: String,
    /// Fingerprint of the maker's root
    pub root: String,
    /// Subject of the maker's root
    #[schema(example = "CN=Example TPM Root,O=Example")]
    pub maker: String,
    /// What the maker calls the device
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["C02XK1234"]))]
    pub devices: Vec<String>,
}
