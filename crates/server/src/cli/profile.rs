//! `certwright profile`: what may be issued.

use clap::{Args, Subcommand};
use protocols::rest::profile::{Profile, ProfileRules};
use serde_json::{Value, json};

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output::{self, Format};
use super::paging;
use super::rules::Edits;

/// Arguments of `certwright profile`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright profile list
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
    },
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
            Verb::Show { name } => {
                let found: Profile = client.get(&["profiles", &name]).await?;
                print(context, &found)
            }
            Verb::Set { name, like, edits } => {
                let stored = set(&client, &name, like.as_deref(), &edits).await?;
                print(context, &stored)
            }
        }
    }
}

async fn set(
    client: &Client,
    name: &str,
    like: Option<&str>,
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
    client.put(&path, &version, &edits.apply(current)?).await
}

fn print(context: &Context, profile: &Profile) -> Result<(), Failure> {
    match context.output {
        Format::Json => output::print(context.output, profile)?,
        Format::Table => {
            output::print_columns(context.output, &["name", "version", "created_at"], profile)?;
            output::print_text("\n")?;
            output::print(context.output, &profile.rules)?;
        }
    }
    Ok(())
}

/// A profile on one line.
fn row(profile: &Profile) -> Value {
    let rules = &profile.rules;
    let issuers = rules.issuers.iter().map(|choice| choice.issuer.as_str());
    json!({
        "name": profile.name,
        "version": profile.version,
        "description": rules.description,
        "validity_days": rules.validity_seconds / 86_400,
        "key_algorithms": rules.key_algorithms,
        "issuers": issuers.collect::<Vec<_>>(),
    })
}

const COLUMNS: &[&str] = &[
    "name",
    "version",
    "description",
    "validity_days",
    "key_algorithms",
    "issuers",
];
