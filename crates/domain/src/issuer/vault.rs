//! The PKI secrets engine of HashiCorp Vault or OpenBao.

use serde::{Deserialize, Serialize};

use super::SecretRule;
use super::settings::{Faults, KindSettings, SettingFault, SettingForm, SettingRule};

/// Settings of the kind `vault`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// The server, without `/v1`.
    pub url: String,
    /// Roots to trust instead of the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_anchors: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Where the engine is mounted.
    #[serde(default = "default_mount")]
    pub mount: String,
    /// The role that requests are signed under.
    pub role: String,
    /// One of several issuers of the engine, by name or id; without it the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_ref: Option<String>,
    #[serde(default)]
    pub authentication: VaultAuthentication,
}

/// How the server knows who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum VaultAuthentication {
    /// A token that was made for us, renewed while it may be; its secret is `token`.
    #[default]
    Token,
    /// Tokens are got by a role's id and its secret, `secret_id`.
    #[serde(rename = "approle")]
    AppRole {
        role_id: String,
        #[serde(default = "default_approle_mount")]
        mount: String,
    },
}

pub(super) const SECRETS: &[SecretRule] = &[
    SecretRule {
        name: "token",
        required: false,
        summary: "the token, where authentication is by one",
    },
    SecretRule {
        name: "secret_id",
        required: false,
        summary: "what belongs to the AppRole's `role_id`",
    },
];

pub(super) const FURTHER: &[SettingRule] = &[
    SettingRule {
        name: "trust_anchors",
        form: SettingForm::Pem,
        summary: "roots to trust instead of the system's",
    },
    SettingRule {
        name: "namespace",
        form: SettingForm::Text,
        summary: "the namespace of the engine",
    },
    SettingRule {
        name: "issuer_ref",
        form: SettingForm::Text,
        summary: "one of several issuers of the engine, by name or id",
    },
];

pub(super) const EXAMPLE: &str = r#"{
  "url": "https://vault.example.org:8200",
  "mount": "pki_int",
  "role": "web",
  "authentication": {"method": "approle", "role_id": "675a50e7-cfe0-be76-e35f-49ec009731ea"}
}"#;

impl KindSettings for VaultConfig {
    fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Faults::default();
        faults.https("url", &self.url);
        faults.certificates("trust_anchors", self.trust_anchors.as_deref());
        if let Some(namespace) = &self.namespace {
            faults.path("namespace", namespace.trim_end_matches('/'));
        }
        faults.path("mount", &self.mount);
        faults.path("role", &self.role);
        if let Some(issuer_ref) = &self.issuer_ref {
            faults.path("issuer_ref", issuer_ref);
        }
        if let VaultAuthentication::AppRole { role_id, mount } = &self.authentication {
            faults.text("authentication.role_id", role_id);
            faults.path("authentication.mount", mount);
        }
        faults.list()
    }

    fn destination(&self) -> Vec<&str> {
        vec![&self.url, self.trust_anchors.as_deref().unwrap_or_default()]
    }
}

fn default_mount() -> String {
    "pki".to_owned()
}

fn default_approle_mount() -> String {
    "approle".to_owned()
}
