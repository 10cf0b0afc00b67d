//! Microsoft Active Directory Certificate Services by the pages of its web enrollment (`/certsrv`).

use serde::{Deserialize, Serialize};

use super::SecretRule;
use super::settings::{Faults, KindSettings, SettingFault, SettingForm, SettingRule};

/// Settings of the kind `adcs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdcsConfig {
    /// The pages, usually ending in `/certsrv`.
    pub url: String,
    /// Roots to trust instead of the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_anchors: Option<String>,
    /// The template's name, not what it is shown as.
    pub template: String,
    #[serde(default)]
    pub authentication: AdcsAuthentication,
    pub username: String,
    /// The domain of the user, for NTLM, or the realm, for Kerberos.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Whether names are repeated as an attribute of the request. A CA that takes names from there lets
    /// everybody who may request choose them; prefer those in the CSR.
    #[serde(default)]
    pub names_as_attribute: bool,
}

/// How the pages know who asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdcsAuthentication {
    #[default]
    Ntlm,
    Kerberos,
    Basic,
}

pub(super) const SECRETS: &[SecretRule] = &[SecretRule {
    name: "password",
    required: true,
    summary: "what belongs to the user name",
}];

pub(super) const FURTHER: &[SettingRule] = &[
    SettingRule {
        name: "trust_anchors",
        form: SettingForm::Pem,
        summary: "roots to trust instead of the system's",
    },
    SettingRule {
        name: "authentication",
        form: SettingForm::Choice(&["ntlm", "kerberos", "basic"]),
        summary: "how the pages know who asks",
    },
    SettingRule {
        name: "names_as_attribute",
        form: SettingForm::Flag,
        summary: "repeat names as an attribute of the request; prefer those in the CSR",
    },
];

pub(super) const EXAMPLE: &str = r#"{
  "url": "https://ca.corp.example.org/certsrv",
  "template": "WebServer",
  "username": "svc-certwright",
  "domain": "CORP"
}"#;

impl KindSettings for AdcsConfig {
    fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Faults::default();
        faults.https("url", &self.url);
        faults.certificates("trust_anchors", self.trust_anchors.as_deref());
        faults.text("template", &self.template);
        faults.text("username", &self.username);
        faults.optional_text("domain", self.domain.as_deref());
        faults.list()
    }

    fn destination(&self) -> Vec<&str> {
        let method = match self.authentication {
            AdcsAuthentication::Ntlm => "ntlm",
            AdcsAuthentication::Kerberos => "kerberos",
            AdcsAuthentication::Basic => "basic",
        };
        vec![
            &self.url,
            self.trust_anchors.as_deref().unwrap_or_default(),
            method,
        ]
    }
}
