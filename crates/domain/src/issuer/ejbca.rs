//! EJBCA by its REST interface.

use serde::{Deserialize, Serialize};

use super::SecretRule;
use super::settings::{Faults, KindSettings, SettingFault, SettingForm, SettingRule};

/// Settings of the kind `ejbca`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EjbcaConfig {
    /// The interface, usually ending in `/ejbca/ejbca-rest-api`.
    pub url: String,
    /// Roots to trust instead of the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_anchors: Option<String>,
    pub ca_name: String,
    pub certificate_profile: String,
    pub end_entity_profile: String,
    /// What end entities are called: this and the enrollment's id.
    #[serde(default = "default_prefix")]
    pub username_prefix: String,
    /// For TLS, with those above it, PEM; its secret is `client_key`.
    pub client_certificate: String,
}

pub(super) const SECRETS: &[SecretRule] = &[
    SecretRule {
        name: "client_key",
        required: true,
        summary: "the key of the client certificate, PKCS #8 in PEM",
    },
    SecretRule {
        name: "enrollment_code",
        required: false,
        summary: "the password of new end entities; without it each gets one of its own",
    },
];

/// A certificate that nobody has the key of: it shows what goes there.
pub(super) const FURTHER: &[SettingRule] = &[
    SettingRule {
        name: "trust_anchors",
        form: SettingForm::Pem,
        summary: "roots to trust instead of the system's",
    },
    SettingRule {
        name: "username_prefix",
        form: SettingForm::Text,
        summary: "what end entities are called: this and the request's id",
    },
];

pub(super) const EXAMPLE: &str = r#"{
  "url": "https://ejbca.example.org/ejbca/ejbca-rest-api",
  "ca_name": "ManagementCA",
  "certificate_profile": "SERVER",
  "end_entity_profile": "Servers",
  "client_certificate": "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
}"#;

impl KindSettings for EjbcaConfig {
    fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Faults::default();
        faults.https("url", &self.url);
        faults.certificates("trust_anchors", self.trust_anchors.as_deref());
        faults.text("ca_name", &self.ca_name);
        faults.text("certificate_profile", &self.certificate_profile);
        faults.text("end_entity_profile", &self.end_entity_profile);
        faults.text("username_prefix", &self.username_prefix);
        faults.certificates("client_certificate", Some(&self.client_certificate));
        faults.list()
    }

    fn destination(&self) -> Vec<&str> {
        // An enrollment code is sent there; the key never is.
        vec![&self.url, self.trust_anchors.as_deref().unwrap_or_default()]
    }
}

fn default_prefix() -> String {
    "certwright-".to_owned()
}
