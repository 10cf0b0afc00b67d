//! A CA with an EST server (RFC 7030, RFC 8951).

use serde::{Deserialize, Serialize};

use super::SecretRule;
use super::settings::{Faults, KindSettings, SettingFault, SettingForm, SettingRule};

/// Settings of the kind `est`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstConfig {
    /// The server, without `/.well-known/est`.
    pub url: String,
    /// The label of one of several CAs (RFC 7030 section 3.2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Roots to trust instead of the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_anchors: Option<String>,
    /// For HTTP Basic; its secret is `password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TLS, with those above it, PEM; its secret is `client_key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
}

pub(super) const SECRETS: &[SecretRule] = &[
    SecretRule {
        name: "password",
        required: false,
        summary: "what belongs to the user name",
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
        summary: "roots to trust instead of the system's",
    },
    SettingRule {
        name: "client_certificate",
        form: SettingForm::Pem,
        summary: "to be known by, with those above it",
    },
];

pub(super) const EXAMPLE: &str = r#"{
  "url": "https://est.example.org",
  "label": "servers",
  "username": "certwright"
}"#;

impl KindSettings for EstConfig {
    fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Faults::default();
        faults.https("url", &self.url);
        if let Some(label) = &self.label {
            faults.path("label", label);
        }
        faults.certificates("trust_anchors", self.trust_anchors.as_deref());
        faults.optional_text("username", self.username.as_deref());
        faults.certificates("client_certificate", self.client_certificate.as_deref());
        faults.list()
    }

    fn destination(&self) -> Vec<&str> {
        vec![&self.url, self.trust_anchors.as_deref().unwrap_or_default()]
    }
}
