//! AWS Private CA.

use serde::{Deserialize, Serialize};

use super::SecretRule;
use super::settings::{Faults, KindSettings, SettingFault, SettingForm, SettingRule};

/// Settings of the kind `aws-pca`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsPcaConfig {
    pub region: String,
    pub certificate_authority_arn: String,
    pub access_key_id: String,
    /// Such as `SHA256WITHRSA`; without it, what goes with the CA's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_algorithm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_arn: Option<String>,
    /// Where the service is, if not at the region's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Roots to trust instead of the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_anchors: Option<String>,
}

pub(super) const SECRETS: &[SecretRule] = &[
    SecretRule {
        name: "secret_access_key",
        required: true,
        summary: "what belongs to `access_key_id`",
    },
    SecretRule {
        name: "session_token",
        required: false,
        summary: "for credentials that were made for a time",
    },
];

pub(super) const FURTHER: &[SettingRule] = &[
    SettingRule {
        name: "signing_algorithm",
        form: SettingForm::Text,
        summary: "such as SHA256WITHRSA; empty: what goes with the CA's key",
    },
    SettingRule {
        name: "template_arn",
        form: SettingForm::Text,
        summary: "the template to sign by",
    },
    SettingRule {
        name: "url",
        form: SettingForm::Text,
        summary: "where the service is, if not at the region's own address",
    },
    SettingRule {
        name: "trust_anchors",
        form: SettingForm::Pem,
        summary: "roots to trust instead of the system's",
    },
];

pub(super) const EXAMPLE: &str = r#"{
  "region": "eu-central-1",
  "certificate_authority_arn": "arn:aws:acm-pca:eu-central-1:123456789012:certificate-authority/6f1c9f2e-0000-4000-8000-000000000000",
  "access_key_id": "AKIAIOSFODNN7EXAMPLE"
}"#;

impl KindSettings for AwsPcaConfig {
    fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Faults::default();
        faults.path("region", &self.region);
        if !self.certificate_authority_arn.starts_with("arn:") {
            faults.note("certificate_authority_arn", "must begin with `arn:`");
        }
        faults.text("access_key_id", &self.access_key_id);
        faults.optional_text("signing_algorithm", self.signing_algorithm.as_deref());
        faults.optional_text("template_arn", self.template_arn.as_deref());
        if let Some(url) = &self.url {
            faults.https("url", url);
        }
        faults.certificates("trust_anchors", self.trust_anchors.as_deref());
        faults.list()
    }

    fn destination(&self) -> Vec<&str> {
        // The secret signs requests and is never sent; a session token is.
        vec![
            self.url.as_deref().unwrap_or_default(),
            &self.region,
            self.trust_anchors.as_deref().unwrap_or_default(),
        ]
    }
}
