//! `certwright directory`: ACME directories and their rules.

use clap::{Args, Subcommand};
use protocols::rest::directory::{Directory, DirectoryRules};
use serde_json::{Value, json};

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output::{self, Format};
use super::paging;
use super::rules::Edits;

/// Arguments of `certwright directory`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright directory show default
  certwright directory set internal --set trusted=true --set external_account_required=true")]
pub struct DirectoryCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the ACME directories
    #[command(after_help = "Example:
  certwright directory list")]
    List,
    /// Show an ACME directory and its rules
    #[command(after_help = "Example:
  certwright directory show default --output json > default.json")]
    Show {
        /// Name of the directory
        name: String,
    },
    /// Make an ACME directory, or change the rules of one
    #[command(after_help = "Examples:
  certwright directory set default --set 'profiles=[\"default\",\"short-lived\"]'
  certwright directory set internal --set trusted=true --set external_account_required=true
  certwright directory set internal --from internal.toml")]
    Set {
        /// Name of the directory: lower-case letters, digits and hyphens
        name: String,
        /// Make a new one for this team; `certwright team give` hands over one that is there
        #[arg(long)]
        team: Option<String>,
        #[command(flatten)]
        edits: Edits,
    },
}

impl DirectoryCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List => {
                let found: Vec<Directory> = client.list_all(&["acme", "directories"]).await?;
                paging::print_items(context, COLUMNS, &found, row)
            }
            Verb::Show { name } => {
                let found: Directory = client.get(&["acme", "directories", &name]).await?;
                print(context, &found)
            }
            Verb::Set { name, team, edits } => {
                let path = ["acme", "directories", &name];
                let (current, version) = match client.find::<Directory>(&path).await? {
                    Some((directory, version)) => (directory.rules, version),
                    None => (DirectoryRules::default(), Version::New),
                };
                let rules = edits.apply(Some(current))?;
                let stored: Directory = client
                    .put_for(&path, team.as_deref(), &version, &rules)
                    .await?;
                print(context, &stored)
            }
        }
    }
}

fn print(context: &Context, directory: &Directory) -> Result<(), Failure> {
    match context.output {
        Format::Json => output::print(context.output, directory)?,
        Format::Table => {
            output::print_columns(
                context.output,
                &["name", "url", "team", "updated_at"],
                directory,
            )?;
            output::print_text("\n")?;
            output::print(context.output, &directory.rules)?;
        }
    }
    Ok(())
}

/// A directory on one line.
fn row(directory: &Directory) -> Value {
    let rules = &directory.rules;
    json!({
        "name": directory.name,
        "url": directory.url,
        "team": directory.team,
        "profiles": rules.profiles,
        "external_account": if rules.external_account_required { "required" } else { "" },
        "trusted": rules.trusted,
        "test_mode": rules.test_mode.is_some(),
    })
}

const COLUMNS: &[&str] = &[
    "name",
    "url",
    "team",
    "profiles",
    "external_account",
    "trusted",
    "test_mode",
];
