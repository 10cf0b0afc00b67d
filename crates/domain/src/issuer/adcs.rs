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
    /// The domain of the user, for NTLM, or the realm, for Kerberos, which needs the name that DNS has for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// For Kerberos: the domain's KDCs, `host` or `host:port`. Without any, DNS is asked for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kdc: Vec<String>,
    /// For Kerberos: what the pages are registered as, if not as `HTTP/` with the URL's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_principal: Option<String>,
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
        name: "kdc",
        form: SettingForm::List,
        summary: "for Kerberos: the domain's KDCs, host or host:port; without any, DNS is asked",
    },
    SettingRule {
        name: "service_principal",
        form: SettingForm::Text,
        summary: "for Kerberos: what the pages are registered as, if not as HTTP/ with the URL's host",
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
        self.kerberos_faults(&mut faults);
        faults.list()
    }

    fn destination(&self) -> Vec<&str> {
        let method = match self.authentication {
            AdcsAuthentication::Ntlm => "ntlm",
            AdcsAuthentication::Kerberos => "kerberos",
            AdcsAuthentication::Basic => "basic",
        };
        let mut places = vec![
            self.url.as_str(),
            self.trust_anchors.as_deref().unwrap_or_default(),
            method,
        ];
        // No KDC is told the password, but whoever answers as one can try passwords on what it is sent.
        if self.authentication == AdcsAuthentication::Kerberos {
            places.push(self.domain.as_deref().unwrap_or_default());
            places.extend(self.kdc.iter().map(String::as_str));
        }
        places
    }
}

impl AdcsConfig {
    fn kerberos_faults(&self, faults: &mut Faults) {
        for kdc in &self.kdc {
            faults.text("kdc", kdc);
        }
        let principal = self.service_principal.as_deref();
        faults.optional_text("service_principal", principal);
        if principal.is_some_and(|principal| !principal.contains('/') || principal.contains('@')) {
            let message = "is a service and a host, like HTTP/ca.example.org, without a realm";
            faults.note("service_principal", message);
        }
        if self.authentication == AdcsAuthentication::Kerberos {
            match &self.domain {
                None => faults.note("domain", "is needed for Kerberos: it is the realm"),
                Some(_) if self.username.contains(['@', '\\']) => faults.note(
                    "username",
                    "is the name alone for Kerberos; the realm is `domain`",
                ),
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(change: &str, value: serde_json::Value) -> Vec<String> {
        let mut settings: serde_json::Value = serde_json::from_str(EXAMPLE).unwrap();
        settings["authentication"] = "kerberos".into();
        settings[change] = value;
        let config: AdcsConfig = serde_json::from_value(settings).unwrap();
        config.faults().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn kerberos_needs_a_realm_and_plain_names() {
        assert_eq!(faults("template", "Web".into()), Vec::<String>::new());
        for (member, value) in [
            ("domain", serde_json::Value::Null),
            ("username", "svc@corp.example.org".into()),
            ("username", "CORP\\svc".into()),
            ("service_principal", "ca.corp.example.org".into()),
            ("service_principal", "HTTP/ca@CORP".into()),
            ("kdc", serde_json::json!([" "])),
        ] {
            let found = faults(member, value);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(member), "{found:?}");
        }
    }
}
