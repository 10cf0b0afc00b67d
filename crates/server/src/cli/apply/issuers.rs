//! CAs elsewhere as files describe them: settings, limits, and where their secrets are read from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;
use domain::issuer::ConnectorConfig;
use protocols::rest::issuer::{Issuer, IssuerLimits, IssuerState, SetIssuerState, WantedState};
use protocols::rest::metadata::IssuerMetadataFields;
use protocols::rest::remote_issuer::{CreateIssuer, GivenSecret, UpdateIssuer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::client::{Client, Version};
use super::super::exit::Failure;
use super::super::files;
use super::super::issuer_remote::secret_of;
use super::kind::{Kind, Removal};

/// What they are called in files.
pub const NAME: &str = "issuers";

/// `issuers`: those that are elsewhere. CAs whose key is here are no configuration.
pub struct Issuers;

/// What a file says of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerRules {
    kind: String,
    #[serde(default)]
    settings: Map<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    secrets: BTreeMap<String, SecretSource>,
    #[serde(default)]
    limits: IssuerLimits,
    #[serde(default)]
    metadata_fields: BTreeMap<String, String>,
}

/// Where a secret is read from when it is sent: what is in a file of configuration is nobody's secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SecretSource {
    File(PathBuf),
    Env(String),
}

impl SecretSource {
    fn read(&self) -> Result<GivenSecret, Failure> {
        let text = match self {
            Self::File(file) => files::read_text(file)?,
            Self::Env(name) => std::env::var_os(name)
                .and_then(|text| text.into_string().ok())
                .ok_or_else(|| {
                    Failure::usage(format!("there is no text in the environment as {name}"))
                })?,
        };
        Ok(secret_of(text))
    }
}

impl IssuerRules {
    fn of(issuer: Issuer) -> Self {
        Self {
            kind: issuer.kind,
            settings: issuer.settings,
            secrets: BTreeMap::new(),
            limits: issuer.limits.unwrap_or_default(),
            metadata_fields: issuer.metadata_fields,
        }
    }

    fn secrets(&self) -> Result<BTreeMap<String, GivenSecret>, Failure> {
        let read = |(name, source): (&String, &SecretSource)| Ok((name.clone(), source.read()?));
        self.secrets.iter().map(read).collect()
    }

    fn to_value(&self) -> Result<Value, Failure> {
        Ok(serde_json::to_value(self).map_err(anyhow::Error::from)?)
    }
}

#[async_trait]
impl Kind for Issuers {
    fn name(&self) -> &'static str {
        NAME
    }

    fn complete(&self, written: Value) -> Result<Value, String> {
        let mut rules: IssuerRules =
            serde_json::from_value(written).map_err(|error| error.to_string())?;
        let mut settings = rules.settings;
        settings.insert("kind".to_owned(), Value::from(rules.kind.clone()));
        let connector: ConnectorConfig = serde_json::from_value(Value::Object(settings))
            .map_err(|error| format!("settings: {error}"))?;
        if connector.embedded().is_some() {
            return Err(
                "a CA whose key is kept here is made by `certwright issuer import` or `csr`, \
                        not by a file"
                    .to_owned(),
            );
        }
        let completed = serde_json::to_value(&connector).map_err(|error| error.to_string())?;
        let Value::Object(mut settings) = completed else {
            return Err("settings: must be a table".to_owned());
        };
        settings.remove("kind");
        rules.settings = settings;
        serde_json::to_value(rules).map_err(|error| error.to_string())
    }

    /// A secret that is there is as the file has it: what it is nobody can say. Those that the file
    /// does not name stay.
    async fn find(
        &self,
        client: &Client,
        name: &str,
        wanted: &Value,
    ) -> Result<Option<(Value, Version)>, Failure> {
        let Some((issuer, version)) = client.find::<Issuer>(&["issuers", name]).await? else {
            return Ok(None);
        };
        if wanted["kind"] != issuer.kind.as_str() {
            return Err(Failure::refused(format!(
                "issuer {name} is of the kind {}, which cannot change: make another one and move to \
                 it with `certwright issuer migrate`",
                issuer.kind
            )));
        }
        let wanted: IssuerRules =
            serde_json::from_value(wanted.clone()).map_err(anyhow::Error::from)?;
        let there = issuer.secrets.clone();
        let mut rules = IssuerRules::of(issuer);
        rules.secrets = wanted.secrets;
        rules.secrets.retain(|name, _| there.contains_key(name));
        Ok(Some((rules.to_value()?, version)))
    }

    async fn list(&self, client: &Client) -> Result<Vec<(String, Value)>, Failure> {
        let found: Vec<Issuer> = client.list_all(&["issuers"]).await?;
        let elsewhere = found
            .into_iter()
            .filter(|issuer| issuer.kind != "embedded" && issuer.state != IssuerState::Retired);
        elsewhere
            .map(|issuer| Ok((issuer.name.clone(), IssuerRules::of(issuer).to_value()?)))
            .collect()
    }

    async fn put(
        &self,
        client: &Client,
        name: &str,
        version: &Version,
        rules: &Value,
    ) -> Result<(), Failure> {
        let rules: IssuerRules =
            serde_json::from_value(rules.clone()).map_err(anyhow::Error::from)?;
        let secrets = rules.secrets()?;
        let path = ["issuers", name];
        let _: Issuer = match version {
            Version::New => {
                let body = CreateIssuer {
                    name: name.to_owned(),
                    kind: rules.kind,
                    settings: rules.settings,
                    secrets,
                    certificates: None,
                };
                client.create(&["issuers"], &body).await?
            }
            Version::Known(_) => {
                let given = secrets.into_iter();
                let body = UpdateIssuer {
                    settings: Some(rules.settings),
                    secrets: given.map(|(name, secret)| (name, Some(secret))).collect(),
                    certificates: None,
                };
                client.put(&path, version, &body).await?
            }
        };
        let _: Issuer = client
            .replace(&["issuers", name, "limits"], &rules.limits)
            .await?;
        let fields = IssuerMetadataFields {
            metadata_fields: rules.metadata_fields,
        };
        let place = ["issuers", name, "metadata-fields"];
        let _: Issuer = client.replace(&place, &fields).await?;
        Ok(())
    }

    /// Certificates that it signed are revoked through it.
    fn removal(&self) -> Removal {
        Removal::Retire
    }

    async fn remove(&self, client: &Client, name: &str) -> Result<(), Failure> {
        let body = SetIssuerState {
            state: WantedState::Retired,
        };
        let _: Issuer = client.post(&["issuers", name, "state"], &body).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_file_leaves_out_gets_its_default_and_a_secret_is_a_reference() {
        let written = json!({
            "kind": "est", "settings": { "url": "https://est.example.org", "username": "front" },
            "secrets": { "password": { "env": "EST_PASSWORD" } },
        });
        let rules = Issuers.complete(written).unwrap();
        assert_eq!(rules["secrets"]["password"]["env"], "EST_PASSWORD");
        assert_eq!(rules["limits"], json!({}));
        let again = Issuers.complete(rules.clone()).unwrap();
        assert_eq!(again, rules);
    }

    #[test]
    fn secrets_in_the_clear_and_unknown_settings_are_refused() {
        for written in [
            json!({ "kind": "est", "settings": { "url": "https://x" }, "secrets": { "password": "s" } }),
            json!({ "kind": "est", "settings": { "urll": "https://x" } }),
            json!({ "kind": "embedded" }),
            json!({ "settings": {} }),
        ] {
            let fault = Issuers.complete(written).unwrap_err();
            assert!(!fault.is_empty());
        }
    }
}
