//! A CA that speaks ACME (RFC 8555). One account there serves all clients here.

use serde::{Deserialize, Serialize};

use super::dns::DnsProvider;
use super::settings::{Faults, KindSettings, SettingFault, SettingForm, SettingRule};
use super::{SecretRule, dns};

/// Settings of the kind `acme`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcmeConfig {
    /// The CA's directory (RFC 8555 section 7.1.1).
    pub directory_url: String,
    /// Roots to trust instead of the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_anchors: Option<String>,
    /// `mailto:` URLs that the CA may write to.
    #[serde(default)]
    pub contact: Vec<String>,
    /// Whether the CA's terms of service are agreed to.
    #[serde(default)]
    pub terms_of_service_agreed: bool,
    /// The key identifier of an external account binding (RFC 8555 section 7.3.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eab_kid: Option<String>,
    /// The profile to ask for, where the CA has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Of alternate chains the one whose topmost certificate has this common name as its issuer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_chain: Option<String>,
    /// Whether `notAfter` of an order says what the profile decided; many CAs refuse it.
    #[serde(default)]
    pub sends_not_after: bool,
    /// Whether the public trusts what this CA signs.
    #[serde(default = "yes")]
    pub is_public: bool,
    /// How control over names is shown to the CA.
    pub solver: AcmeSolver,
    /// New orders per hour, at most, where the CA sets a limit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders_per_hour: Option<u32>,
}

/// How challenges of the CA are solved, for all clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "challenge", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AcmeSolver {
    /// Our own responder answers; the names, or a redirect of theirs, lead to this server.
    #[serde(rename = "http-01")]
    Http01,
    #[serde(rename = "dns-01")]
    Dns01 {
        provider: DnsProvider,
        /// How long to wait until a record is seen everywhere.
        #[serde(default = "default_propagation")]
        propagation_seconds: u64,
    },
    /// The CA asks for none: it knows the account, or trusts the network.
    None,
}

pub(super) const SECRETS: &[SecretRule] = &[
    SecretRule {
        name: "eab_hmac_key",
        required: false,
        summary: "the HMAC key of the external account binding, base64url",
    },
    dns::TSIG_SECRET,
    dns::API_KEY,
    dns::SECRET_ACCESS_KEY,
    dns::PASSWORD,
];

pub(super) const FURTHER: &[SettingRule] = &[
    SettingRule {
        name: "trust_anchors",
        form: SettingForm::Pem,
        summary: "roots to trust instead of the system's",
    },
    SettingRule {
        name: "eab_kid",
        form: SettingForm::Text,
        summary: "the key identifier of an external account binding",
    },
    SettingRule {
        name: "profile",
        form: SettingForm::Text,
        summary: "the profile to ask for, where the CA has any",
    },
    SettingRule {
        name: "preferred_chain",
        form: SettingForm::Text,
        summary: "of several chains the one below a root of this common name",
    },
    SettingRule {
        name: "sends_not_after",
        form: SettingForm::Flag,
        summary: "ask for an end of validity; many CAs refuse that",
    },
    SettingRule {
        name: "is_public",
        form: SettingForm::Flag,
        summary: "the public trusts what this CA signs",
    },
    SettingRule {
        name: "orders_per_hour",
        form: SettingForm::Number,
        summary: "new orders an hour at most, where the CA sets a limit",
    },
];

pub(super) const EXAMPLE: &str = r#"{
  "directory_url": "https://acme.example.org/directory",
  "contact": ["mailto:pki@example.org"],
  "terms_of_service_agreed": true,
  "solver": {
    "challenge": "dns-01",
    "provider": {"type": "rfc2136", "server": "192.0.2.53:53", "tsig_name": "certwright."}
  }
}"#;

impl KindSettings for AcmeConfig {
    fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Faults::default();
        faults.https("directory_url", &self.directory_url);
        faults.certificates("trust_anchors", self.trust_anchors.as_deref());
        for contact in &self.contact {
            if !contact.starts_with("mailto:") {
                faults.note("contact", "takes URLs like mailto:pki@example.org");
            }
        }
        faults.optional_text("eab_kid", self.eab_kid.as_deref());
        faults.optional_text("profile", self.profile.as_deref());
        faults.optional_text("preferred_chain", self.preferred_chain.as_deref());
        if self.orders_per_hour == Some(0) {
            faults.note("orders_per_hour", "of 0 would let nothing be issued");
        }
        if let AcmeSolver::Dns01 { provider, .. } = &self.solver {
            provider.faults(&mut faults);
        }
        faults.list()
    }

    fn destination(&self) -> Vec<&str> {
        let mut places = vec![
            self.directory_url.as_str(),
            self.trust_anchors.as_deref().unwrap_or_default(),
        ];
        if let AcmeSolver::Dns01 { provider, .. } = &self.solver {
            places.extend(provider.destination());
        }
        places
    }
}

const fn yes() -> bool {
    true
}

const fn default_propagation() -> u64 {
    10
}
