//! `certwright profile`: what may be issued.

use clap::{Args, Subcommand};
use protocols::rest::page::Page;
use protocols::rest::profile::{Preset, PresetQuery, Profile, ProfileRules};
use serde_json::{Value, json};

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output::{self, Format};
use super::paging::{self, Paging};
use super::profile_explain::Explain;
use super::profile_history;
use super::profile_trust::Trust;
use super::rules::{self, Assignment, Edits};

/// Arguments of `certwright profile`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright profile create web --preset tls-server-public
  certwright profile explain web www.example.org
  certwright profile set default --set validity_seconds=2592000")]
pub struct ProfileCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the profiles
    #[command(after_help = "Example:
  certwright profile list")]
    List,
    /// Show a profile and its rules
    #[command(after_help = "Example:
  certwright profile show default --output json > default.json")]
    Show {
        /// Name of the profile
        name: String,
        /// An earlier version
        #[arg(long)]
        version: Option<u32>,
    },
    /// List rules to begin with
    #[command(after_help = "Example:
  certwright profile presets")]
    Presets {
        /// The issuer that signs in them
        #[arg(long)]
        issuer: Option<String>,
    },
    /// Make a profile that is not there yet, from a preset
    #[command(after_help = "Examples:
  certwright profile create web --preset tls-server-public
  certwright profile create mail --preset smime --issuer issuing --set 'names.allow=[\"@example.org\"]'")]
    Create {
        /// Name of the profile: lower-case letters, digits and hyphens
        name: String,
        /// One of those that `certwright profile presets` lists
        #[arg(long)]
        preset: String,
        /// The issuer that signs; without it, the first that is active
        #[arg(long)]
        issuer: Option<String>,
        /// The team that owns it; everybody shares it without one
        #[arg(long)]
        team: Option<String>,
        /// One rule that is to be another, like names.max=5; repeatable
        #[arg(long = "set", value_name = "NAME=VALUE")]
        assignments: Vec<Assignment>,
    },
    /// Say what would be decided on a request, rule by rule, without issuing
    #[command(after_help = "Examples:
  certwright profile explain web www.example.org '*.example.org'
  certwright profile explain web --csr host.csr
  certwright profile explain signing --subject 'CN=Example,O=Example,L=Bonn,C=DE' --key-evidence witness=T-4711")]
    Explain(Box<Explain>),
    /// List the versions of a profile
    #[command(after_help = "Example:
  certwright profile versions default")]
    Versions {
        /// Name of the profile
        name: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show what differs between two versions
    #[command(after_help = "Examples:
  certwright profile diff default
  certwright profile diff default --from 3 --to 7")]
    Diff {
        /// Name of the profile
        name: String,
        /// The earlier version; without it, the one before
        #[arg(long)]
        from: Option<u32>,
        /// The later version; without it, the newest
        #[arg(long)]
        to: Option<u32>,
    },
    /// Go back to the rules of an earlier version, as a new one
    #[command(after_help = "Example:
  certwright profile rollback default --to 3")]
    Rollback {
        /// Name of the profile
        name: String,
        /// The version to go back to
        #[arg(long)]
        to: u32,
    },
    /// Trust makers of devices: take their word for a device and its key
    #[command(after_help = "Examples:
  certwright profile trust laptops --format tpm maker-root.pem
  certwright profile trust signing --format step yubico-piv-ca.pem
  certwright profile trust phones --format apple --only apple-enterprise-attestation-root.pem")]
    Trust(Trust),
    /// Make a profile, or a new version of one
    #[command(after_help = "Examples:
  certwright profile set default --set validity_seconds=2592000
  certwright profile set internal --like default --set 'names.allow=[\".internal.example\"]'
  certwright profile set mail --from mail.toml

Certificates and orders keep the version they were made under.")]
    Set {
        /// Name of the profile: lower-case letters, digits and hyphens
        name: String,
        /// Begin with the rules of this profile
        #[arg(long, value_name = "PROFILE", conflicts_with = "from")]
        like: Option<String>,
        /// Make a new one for this team; `certwright team give` hands over one that is there
        #[arg(long)]
        team: Option<String>,
        #[command(flatten)]
        edits: Edits,
    },
}

impl ProfileCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List => {
                let found: Vec<Profile> = client.list_all(&["profiles"]).await?;
                paging::print_items(context, COLUMNS, &found, row)
            }
            Verb::Show { name, version } => {
                let found: Profile = match version {
                    Some(number) => profile_history::version(&client, &name, number).await?,
                    None => client.get(&["profiles", &name]).await?,
                };
                print(context, &found)
            }
            Verb::Presets { issuer } => {
                let found = presets(&client, issuer).await?;
                paging::print_items(context, PRESET_COLUMNS, &found, preset_row)
            }
            Verb::Create {
                name,
                preset,
                issuer,
                team,
                assignments,
            } => {
                let rules = rules_of(&client, &preset, issuer).await?;
                let rules = rules::assign_all(rules, &assignments)?;
                let path = ["profiles", &name];
                let made: Profile = client
                    .put_for(&path, team.as_deref(), &Version::New, &rules)
                    .await?;
                print(context, &made)
            }
            Verb::Trust(trust) => print(context, &trust.run(&client).await?),
            Verb::Explain(explain) => explain.run(context).await,
            Verb::Versions { name, paging } => {
                profile_history::versions(context, &name, &paging).await
            }
            Verb::Diff { name, from, to } => profile_history::diff(context, &name, from, to).await,
            Verb::Rollback { name, to } => print(
                context,
                &profile_history::rollback(&client, &name, to).await?,
            ),
            Verb::Set {
                name,
                like,
                team,
                edits,
            } => {
                let team = team.as_deref();
                let stored = set(&client, &name, like.as_deref(), team, &edits).await?;
                print(context, &stored)
            }
        }
    }
}

async fn presets(client: &Client, issuer: Option<String>) -> Result<Vec<Preset>, Failure> {
    let page: Page<Preset> = client
        .ask(&["profile-presets"], &PresetQuery { issuer })
        .await?;
    Ok(page.items)
}

async fn rules_of(
    client: &Client,
    name: &str,
    issuer: Option<String>,
) -> Result<ProfileRules, Failure> {
    let found = presets(client, issuer).await?;
    let known: Vec<String> = found.iter().map(|preset| preset.name.clone()).collect();
    let preset = found.into_iter().find(|preset| preset.name == name);
    preset.map(|preset| preset.rules).ok_or_else(|| {
        Failure::usage(format!(
            "there is no preset `{name}`; there are: {}",
            known.join(", ")
        ))
    })
}

async fn set(
    client: &Client,
    name: &str,
    like: Option<&str>,
    team: Option<&str>,
    edits: &Edits,
) -> Result<Profile, Failure> {
    let path = ["profiles", name];
    let (current, version) = match client.find::<Profile>(&path).await? {
        Some((profile, version)) => (Some(profile.rules), version),
        None => (None, Version::New),
    };
    let current: Option<ProfileRules> = match like {
        Some(other) => Some(client.get::<Profile>(&["profiles", other]).await?.rules),
        None => current,
    };
    let rules = edits.apply(current)?;
    client.put_for(&path, team, &version, &rules).await
}

fn print(context: &Context, profile: &Profile) -> Result<(), Failure> {
    match context.output {
        Format::Json => output::print(context.output, profile)?,
        Format::Table => {
            output::print_columns(
                context.output,
                &["name", "version", "team", "created_at"],
                profile,
            )?;
            output::print_text("\n")?;
            output::print(context.output, &profile.rules)?;
        }
    }
    Ok(())
}

/// A preset on one line.
fn preset_row(preset: &Preset) -> Value {
    json!({
        "name": preset.name,
        "description": preset.rules.description,
        "kind": preset.rules.kind,
        "validity_days": preset.rules.validity_seconds / 86_400,
    })
}

const PRESET_COLUMNS: &[&str] = &["name", "description", "kind", "validity_days"];

/// A profile on one line.
fn row(profile: &Profile) -> Value {
    let rules = &profile.rules;
    let issuers = rules.issuers.iter().map(|choice| choice.issuer.as_str());
    json!({
        "name": profile.name,
        "version": profile.version,
        "team": profile.team,
        "description": rules.description,
        "validity_days": rules.validity_seconds / 86_400,
        "key_algorithms": rules.key_algorithms,
        "issuers": issuers.collect::<Vec<_>>(),
    })
}

const COLUMNS: &[&str] = &[
    "name",
    "version",
    "team",
    "description",
    "validity_days",
    "key_algorithms",
    "issuers",
];
