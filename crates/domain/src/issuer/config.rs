//! What kind of CA an issuer is, with what its connector needs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::settings::{KindSettings, SettingRule};
use super::{
    AcmeConfig, AdcsConfig, AwsPcaConfig, CmpConfig, CommandConfig, EjbcaConfig, EmbeddedConfig,
    EstConfig, ScepConfig, SecretRule, VaultConfig, acme, adcs, aws_pca, cmp, command, ejbca, est,
    scep, vault,
};

/// The settings of an issuer, by its kind. Secrets are kept beside them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ConnectorConfig {
    Embedded(EmbeddedConfig),
    Acme(AcmeConfig),
    Est(EstConfig),
    Scep(ScepConfig),
    Cmp(CmpConfig),
    Adcs(AdcsConfig),
    Vault(VaultConfig),
    Ejbca(EjbcaConfig),
    AwsPca(AwsPcaConfig),
    Command(CommandConfig),
}

/// The kinds of CAs, without settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectorKind {
    Embedded,
    Acme,
    Est,
    Scep,
    Cmp,
    Adcs,
    Vault,
    Ejbca,
    AwsPca,
    Command,
}

impl ConnectorConfig {
    /// Its kind.
    pub fn kind(&self) -> ConnectorKind {
        match self {
            Self::Embedded(_) => ConnectorKind::Embedded,
            Self::Acme(_) => ConnectorKind::Acme,
            Self::Est(_) => ConnectorKind::Est,
            Self::Scep(_) => ConnectorKind::Scep,
            Self::Cmp(_) => ConnectorKind::Cmp,
            Self::Adcs(_) => ConnectorKind::Adcs,
            Self::Vault(_) => ConnectorKind::Vault,
            Self::Ejbca(_) => ConnectorKind::Ejbca,
            Self::AwsPca(_) => ConnectorKind::AwsPca,
            Self::Command(_) => ConnectorKind::Command,
        }
    }

    /// Whether the public trusts what this CA signs.
    pub fn is_public(&self) -> bool {
        match self {
            Self::Acme(config) => config.is_public,
            // Their roots are an organisation's own: browsers know nothing of them.
            Self::Embedded(_)
            | Self::Est(_)
            | Self::Scep(_)
            | Self::Cmp(_)
            | Self::Adcs(_)
            | Self::Vault(_)
            | Self::Ejbca(_)
            | Self::AwsPca(_)
            | Self::Command(_) => false,
        }
    }

    /// The settings of a CA whose key we hold.
    pub fn embedded(&self) -> Option<&EmbeddedConfig> {
        match self {
            Self::Embedded(config) => Some(config),
            _ => None,
        }
    }

    /// The settings of a CA elsewhere; an embedded one has none that people write.
    pub fn settings(&self) -> Option<&dyn KindSettings> {
        Some(match self {
            Self::Embedded(_) => return None,
            Self::Acme(config) => config,
            Self::Est(config) => config,
            Self::Scep(config) => config,
            Self::Cmp(config) => config,
            Self::Adcs(config) => config,
            Self::Vault(config) => config,
            Self::Ejbca(config) => config,
            Self::AwsPca(config) => config,
            Self::Command(config) => config,
        })
    }
}

impl ConnectorKind {
    /// Every kind there is.
    pub const ALL: [Self; 10] = [
        Self::Embedded,
        Self::Acme,
        Self::Est,
        Self::Scep,
        Self::Cmp,
        Self::Adcs,
        Self::Vault,
        Self::Ejbca,
        Self::AwsPca,
        Self::Command,
    ];

    /// What the API and the command line call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Acme => "acme",
            Self::Est => "est",
            Self::Scep => "scep",
            Self::Cmp => "cmp",
            Self::Adcs => "adcs",
            Self::Vault => "vault",
            Self::Ejbca => "ejbca",
            Self::AwsPca => "aws-pca",
            Self::Command => "command",
        }
    }

    /// One line for those who choose.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Embedded => "a CA whose key is kept here; made by an import or a request",
            Self::Acme => "any ACME CA (RFC 8555), whose challenges are solved centrally",
            Self::Est => "any CA with an EST server (RFC 7030)",
            Self::Scep => "any CA with a SCEP server (RFC 8894)",
            Self::Cmp => "any CA with a CMP server (RFC 9810)",
            Self::Adcs => "Microsoft AD CS by its web enrollment pages",
            Self::Vault => "the PKI engine of HashiCorp Vault or OpenBao",
            Self::Ejbca => "EJBCA by its REST interface",
            Self::AwsPca => "AWS Private CA",
            Self::Command => "a program of yours on the server, for every other CA",
        }
    }

    /// The secrets that it takes; empty where it takes none.
    pub fn secrets(self) -> &'static [SecretRule] {
        match self {
            Self::Embedded => &[],
            Self::Acme => acme::SECRETS,
            Self::Est => est::SECRETS,
            Self::Scep => scep::SECRETS,
            Self::Cmp => cmp::SECRETS,
            Self::Adcs => adcs::SECRETS,
            Self::Vault => vault::SECRETS,
            Self::Ejbca => ejbca::SECRETS,
            Self::AwsPca => aws_pca::SECRETS,
            Self::Command => command::SECRETS,
        }
    }

    /// Whether it takes secrets of any name, besides those of [`secrets`](Self::secrets).
    pub fn takes_any_secret(self) -> bool {
        self == Self::Command
    }

    /// The settings that are not in the example, and are seldom needed.
    pub fn further(self) -> &'static [SettingRule] {
        match self {
            Self::Embedded | Self::Command => &[],
            Self::Acme => acme::FURTHER,
            Self::Est => est::FURTHER,
            Self::Scep => scep::FURTHER,
            Self::Cmp => cmp::FURTHER,
            Self::Adcs => adcs::FURTHER,
            Self::Vault => vault::FURTHER,
            Self::Ejbca => ejbca::FURTHER,
            Self::AwsPca => aws_pca::FURTHER,
        }
    }

    /// Settings that could be somebody's, as JSON.
    pub fn example(self) -> &'static str {
        match self {
            Self::Embedded => "{}",
            Self::Acme => acme::EXAMPLE,
            Self::Est => est::EXAMPLE,
            Self::Scep => scep::EXAMPLE,
            Self::Cmp => cmp::EXAMPLE,
            Self::Adcs => adcs::EXAMPLE,
            Self::Vault => vault::EXAMPLE,
            Self::Ejbca => ejbca::EXAMPLE,
            Self::AwsPca => aws_pca::EXAMPLE,
            Self::Command => command::EXAMPLE,
        }
    }
}

impl fmt::Display for ConnectorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no kind of issuer of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind of issuer `{0}`; there are {known}", known = known())]
pub struct UnknownKind(String);

fn known() -> String {
    let names: Vec<&str> = ConnectorKind::ALL.iter().map(|kind| kind.name()).collect();
    names.join(", ")
}

impl FromStr for ConnectorKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| UnknownKind(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::issuer::SettingForm;

    #[test]
    fn the_example_of_every_kind_is_fit_to_be_used() {
        for kind in ConnectorKind::ALL {
            if kind == ConnectorKind::Embedded {
                continue;
            }
            let mut settings: Value = serde_json::from_str(kind.example()).unwrap();
            settings["kind"] = kind.name().into();
            let config: ConnectorConfig = serde_json::from_value(settings).unwrap();
            assert_eq!(config.kind(), kind);
            let faults = config.settings().unwrap().faults();
            assert!(faults.is_empty(), "{kind}: {faults:?}");
            assert_eq!(kind.name().parse(), Ok(kind));
        }
    }

    #[test]
    fn every_further_setting_is_one_that_its_kind_reads() {
        for kind in ConnectorKind::ALL {
            for rule in kind.further() {
                let value: Vec<Value> = match rule.form {
                    SettingForm::Text | SettingForm::Pem => vec!["text".into()],
                    SettingForm::List => vec![Value::Array(vec!["text".into()])],
                    SettingForm::Flag => vec![true.into()],
                    SettingForm::Number => vec![7.into()],
                    SettingForm::Choice(words) => words.iter().copied().map(Value::from).collect(),
                };
                for value in value {
                    let mut settings: Value = serde_json::from_str(kind.example()).unwrap();
                    assert!(settings.get(rule.name).is_none(), "{kind}: {}", rule.name);
                    settings["kind"] = kind.name().into();
                    settings[rule.name] = value;
                    let read = serde_json::from_value::<ConnectorConfig>(settings);
                    assert!(read.is_ok(), "{kind}: {}: {read:?}", rule.name);
                }
            }
        }
    }

    #[test]
    fn a_setting_that_no_kind_knows_is_refused() {
        let settings = r#"{"kind": "vault", "url": "https://vault.example.org", "rolle": "web"}"#;
        let error = serde_json::from_str::<ConnectorConfig>(settings).unwrap_err();
        assert!(error.to_string().contains("rolle"), "{error}");
    }
}
