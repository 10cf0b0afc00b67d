//! A CA with a SCEP server (RFC 8894).

use serde::{Deserialize, Serialize};

use super::SecretRule;
use super::settings::{Faults, KindSettings, SettingFault, SettingForm, SettingRule};

/// Settings of the kind `scep`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScepConfig {
    /// The program's URL, often ending in `/pkiclient.exe`. Messages protect themselves: http will do.
    pub url: String,
    /// For TLS: roots to trust instead of the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_anchors: Option<String>,
    /// The CA among several, in `GetCACert` (RFC 8894 section 4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_identifier: Option<String>,
    /// SHA-256 of the CA's certificate, hex; what the server says is believed only if it fits.
    pub ca_fingerprint: String,
    /// A certificate that the CA knows, PEM, to sign requests with; its secret is `client_key`. Without
    /// it, requests are signed with a certificate made for the occasion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
    /// What requests are sent as.
    #[serde(default, skip_serializing_if = "ScepMessage::is_default")]
    pub message: ScepMessage,
    /// Whether SHA-1 and DES are read in answers, and 3DES is written, where the CA knows nothing better.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub old_algorithms: bool,
}

/// The message that a request is sent as (RFC 8894 section 3.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScepMessage {
    /// PKCSReq
    #[default]
    PkcsReq,
    /// RenewalReq, where the CA says that it knows it: signed with a certificate that it knows
    RenewalReq,
}

impl ScepMessage {
    fn is_default(&self) -> bool {
        *self == Self::PkcsReq
    }
}

pub(super) const SECRETS: &[SecretRule] = &[
    SecretRule {
        name: "challenge_password",
        required: false,
        summary: "what requests are let in by (RFC 8894 section 2.3); the CSR is then signed here, for the requester",
    },
    SecretRule {
        name: "client_key",
        required: false,
        summary: "the key of the client certificate, PKCS #8 in PEM",
    },
];

pub(super) const FURTHER: &[SettingRule] = &[
    SettingRule {
        name: "trust_anchors",
        form: SettingForm::Pem,
        summary: "for https: roots to trust instead of the system's",
    },
    SettingRule {
        name: "ca_identifier",
        form: SettingForm::Text,
        summary: "the CA among several",
    },
    SettingRule {
        name: "client_certificate",
        form: SettingForm::Pem,
        summary: "one that the CA knows, to sign requests with",
    },
    SettingRule {
        name: "message",
        form: SettingForm::Choice(&["pkcs-req", "renewal-req"]),
        summary: "what requests are sent as",
    },
    SettingRule {
        name: "old_algorithms",
        form: SettingForm::Flag,
        summary: "read SHA-1 and DES, and write 3DES, where the CA knows nothing better",
    },
];

pub(super) const EXAMPLE: &str = r#"{
  "url": "http://scep.example.org/scep",
  "ca_fingerprint": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
}"#;

impl KindSettings for ScepConfig {
    fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Faults::default();
        faults.http("url", &self.url);
        faults.certificates("trust_anchors", self.trust_anchors.as_deref());
        faults.optional_text("ca_identifier", self.ca_identifier.as_deref());
        let fingerprint = &self.ca_fingerprint;
        if fingerprint.len() != 64 || !fingerprint.bytes().all(|b| b.is_ascii_hexdigit()) {
            faults.note("ca_fingerprint", "must be 64 hexadecimal digits");
        }
        faults.certificates("client_certificate", self.client_certificate.as_deref());
        if self.message == ScepMessage::RenewalReq && self.client_certificate.is_none() {
            faults.note(
                "message",
                "may be `renewal-req` only with a `client_certificate` that the CA knows",
            );
        }
        faults.list()
    }

    fn destination(&self) -> Vec<&str> {
        // The challenge password is encrypted to whom the fingerprint names.
        vec![
            &self.url,
            self.trust_anchors.as_deref().unwrap_or_default(),
            &self.ca_fingerprint,
        ]
    }
}
