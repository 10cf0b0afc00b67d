//! `certwright sign-on`: OpenID Connect providers that people sign in with.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use protocols::rest::sign_on::{GroupGrant, Provider, ProviderRules, PutProvider};
use zeroize::Zeroizing;

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output;

/// Arguments of `certwright sign-on`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright sign-on set staff --issuer https://login.example.org/realms/staff --client-id certwright \\
      --client-secret-file secret.txt --map pki-operators=ca-operator --map web-devs=requester@web
  certwright sign-on list")]
pub struct SignOnCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List providers
    #[command(after_help = "Example:
  certwright sign-on list")]
    List,
    /// Show a provider, and the redirect URI that it has to know
    #[command(after_help = "Example:
  certwright sign-on show staff")]
    Show {
        /// Name of the provider
        name: String,
    },
    /// Make a provider, or change what is given about one
    #[command(after_help = "Examples:
  certwright sign-on set staff --issuer https://login.example.org/realms/staff --client-id certwright \\
      --client-secret-file secret.txt --map pki-operators=ca-operator --map web-devs=requester@web
  certwright sign-on set staff --disable

The secret is read from a file, since arguments are seen by everybody on the machine.")]
    Set(Box<Set>),
    /// Delete a provider that nobody signs in with
    #[command(after_help = "Example:
  certwright sign-on delete staff")]
    Delete {
        /// Name of the provider
        name: String,
    },
}

#[derive(Debug, Args)]
struct Set {
    /// Name of the provider: lower-case letters, digits and hyphens
    name: String,
    /// What people read on the button; the name, unless given
    #[arg(long)]
    title: Option<String>,
    /// The issuer's URL exactly as it stands in its tokens
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// What the provider calls this server
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// File with the client's secret
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Scope to ask for, instead of openid, profile and email; repeatable
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// How its tokens may be signed, instead of RS256 and ES256; repeatable
    #[arg(long = "algorithm", value_name = "NAME")]
    algorithms: Vec<String>,
    /// The claim with the person's groups
    #[arg(long, value_name = "CLAIM")]
    groups_claim: Option<String>,
    /// A group's role, everywhere or in a team; repeatable, replaces those there were
    #[arg(long = "map", value_name = "GROUP=ROLE[@TEAM]", value_parser = mapping)]
    grants: Vec<GroupGrant>,
    /// Whether who has none of these groups may come in, too
    #[arg(long, value_name = "true|false")]
    admit_everybody: Option<bool>,
    /// PEM file: whom to trust for the provider's TLS, instead of the system's authorities
    #[arg(long, value_name = "FILE")]
    provider_ca: Option<PathBuf>,
    /// Nobody signs in with it any more
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// It is in use again
    #[arg(long)]
    enable: bool,
}

fn mapping(text: &str) -> Result<GroupGrant, String> {
    let form = || "write GROUP=ROLE or GROUP=ROLE@TEAM".to_owned();
    // Groups may hold `=` (LDAP names), roles may not.
    let (group, granted) = text.rsplit_once('=').ok_or_else(form)?;
    let (role, team) = match granted.split_once('@') {
        Some((role, team)) => (role, Some(team.to_owned())),
        None => (granted, None),
    };
    if group.is_empty() || role.is_empty() || team.as_deref() == Some("") {
        return Err(form());
    }
    Ok(GroupGrant {
        group: group.to_owned(),
        role: role.to_owned(),
        team,
    })
}

impl SignOnCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List => {
                let found: Vec<Provider> = client.list_all(&["sign-on", "providers"]).await?;
                Ok(output::print_columns(context.output, COLUMNS, &found)?)
            }
            Verb::Show { name } => {
                let found: Provider = client.get(&["sign-on", "providers", &name]).await?;
                Ok(output::print(context.output, &found)?)
            }
            Verb::Set(set) => {
                let path = ["sign-on", "providers", &set.name];
                let (rules, version) = match client.find::<Provider>(&path).await? {
                    Some((provider, version)) => (Some(provider.rules), version),
                    None => (None, Version::New),
                };
                let body = set.body(rules)?;
                let stored: Provider = client.put(&path, &version, &body).await?;
                Ok(output::print(context.output, &stored)?)
            }
            Verb::Delete { name } => client.delete(&["sign-on", "providers", &name]).await,
        }
    }
}

impl Set {
    fn body(&self, current: Option<ProviderRules>) -> Result<PutProvider, Failure> {
        let mut rules = match current {
            Some(rules) => rules,
            None => self.fresh()?,
        };
        let replace = |place: &mut String, given: &Option<String>| {
            if let Some(given) = given {
                place.clone_from(given);
            }
        };
        replace(&mut rules.title, &self.title);
        replace(&mut rules.issuer, &self.issuer);
        replace(&mut rules.client_id, &self.client_id);
        replace(&mut rules.groups_claim, &self.groups_claim);
        if !self.scopes.is_empty() {
            rules.scopes.clone_from(&self.scopes);
        }
        if !self.algorithms.is_empty() {
            rules.algorithms.clone_from(&self.algorithms);
        }
        if !self.grants.is_empty() {
            rules.grants.clone_from(&self.grants);
        }
        if let Some(admits) = self.admit_everybody {
            rules.admits_everybody = admits;
        }
        if let Some(path) = &self.provider_ca {
            rules.ca_certificates = Some(read(path)?.to_string());
        }
        rules.enabled = (rules.enabled || self.enable) && !self.disable;
        let secret = self.client_secret_file.as_ref().map(read).transpose()?;
        Ok(PutProvider {
            rules,
            client_secret: secret.map(|text| text.trim().to_owned()),
        })
    }

    fn fresh(&self) -> Result<ProviderRules, Failure> {
        let (Some(issuer), Some(client_id)) = (&self.issuer, &self.client_id) else {
            return Err(Failure::usage(
                "there is no provider of that name yet; a new one needs --issuer and --client-id",
            ));
        };
        let rules = serde_json::json!({
            "title": self.name,
            "issuer": issuer,
            "client_id": client_id,
        });
        Ok(serde_json::from_value(rules).map_err(anyhow::Error::from)?)
    }
}

fn read(path: &PathBuf) -> Result<Zeroizing<String>, Failure> {
    std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

const COLUMNS: &[&str] = &["name", "title", "issuer", "client_id", "enabled"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_mapped_to_a_role_everywhere_or_in_a_team() {
        for (text, expected) in [
            ("pki=ca-operator", Some(("pki", "ca-operator", None))),
            (
                "web=requester@shop",
                Some(("web", "requester", Some("shop"))),
            ),
            ("cn=a,ou=b=auditor", Some(("cn=a,ou=b", "auditor", None))),
            ("pki", None),
            ("=auditor", None),
            ("pki=", None),
            ("pki=auditor@", None),
        ] {
            let mapped = mapping(text).ok();
            let found = mapped
                .as_ref()
                .map(|m| (m.group.as_str(), m.role.as_str(), m.team.as_deref()));
            assert_eq!(found, expected, "{text}");
        }
    }
}
