//! A CA with a CMP server (RFC 9810, RFC 9811, RFC 9483).

use serde::{Deserialize, Serialize};

use super::SecretRule;
use super::settings::{Faults, KindSettings, SettingFault, SettingForm, SettingRule};

/// Settings of the kind `cmp`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CmpConfig {
    /// Where messages are posted to. They protect themselves: http will do.
    pub url: String,
    /// For TLS: roots to trust instead of the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_anchors: Option<String>,
    /// Those that answers may be signed by or under, PEM. Not needed where both sides use a shared secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_certificates: Option<String>,
    /// The CA's name as in RFC 4514, in the header of messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Which shared secret it is (`senderKID`); its secret is `shared_secret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// To sign messages with, with those above it, PEM; its secret is `client_key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
    #[serde(default)]
    pub message: CmpMessage,
    /// The profile to ask for (RFC 9810 section 5.1.1.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Whether to ask for certificates that need no confirmation.
    #[serde(default)]
    pub implicit_confirmation: bool,
}

/// How certificates are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CmpMessage {
    /// The CSR as it is, which carries its own proof of possession (RFC 9483 section 4.1.4).
    #[default]
    P10cr,
    /// From us as a registration authority that has seen the proof of possession.
    Ir,
    Cr,
}

pub(super) const SECRETS: &[SecretRule] = &[
    SecretRule {
        name: "shared_secret",
        required: false,
        summary: "what messages are protected with by a MAC",
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
        name: "server_certificates",
        form: SettingForm::Pem,
        summary: "those that answers are signed by or under",
    },
    SettingRule {
        name: "client_certificate",
        form: SettingForm::Pem,
        summary: "to sign messages with, with those above it",
    },
    SettingRule {
        name: "message",
        form: SettingForm::Choice(&["p10cr", "ir", "cr"]),
        summary: "what requests are sent as",
    },
    SettingRule {
        name: "profile",
        form: SettingForm::Text,
        summary: "the profile to ask for",
    },
    SettingRule {
        name: "implicit_confirmation",
        form: SettingForm::Flag,
        summary: "ask for certificates that need no confirmation",
    },
];

pub(super) const EXAMPLE: &str = r#"{
  "url": "https://cmp.example.org/.well-known/cmp",
  "recipient": "CN=Example Issuing CA,O=Example",
  "reference": "certwright"
}"#;

impl KindSettings for CmpConfig {
    fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Faults::default();
        faults.http("url", &self.url);
        faults.certificates("trust_anchors", self.trust_anchors.as_deref());
        faults.certificates("server_certificates", self.server_certificates.as_deref());
        faults.certificates("client_certificate", self.client_certificate.as_deref());
        faults.optional_text("reference", self.reference.as_deref());
        faults.optional_text("profile", self.profile.as_deref());
        if let Some(recipient) = &self.recipient
            && let Err(error) = pki::name::DistinguishedName::parse(recipient)
        {
            faults.note("recipient", format!("is no distinguished name: {error}"));
        }
        if self.reference.is_none() && self.client_certificate.is_none() {
            faults.note(
                "reference",
                "is needed for a shared secret; or give a `client_certificate`",
            );
        }
        faults.list()
    }

    fn destination(&self) -> Vec<&str> {
        // Neither secret is ever sent.
        Vec::new()
    }
}
