//! `certwright est-label`: where clients of EST come in, and their rules.

use clap::{Args, Subcommand};
use protocols::rest::entry_point::{EstLabel, EstRules};
use serde_json::{Value, json};

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output::{self, Format};
use super::paging;
use super::rules::Edits;

/// Arguments of `certwright est-label`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright est-label show default
  certwright est-label set printers --set profile=printer --set certificates=same-names")]
pub struct EstLabelCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the EST labels
    #[command(after_help = "Example:
  certwright est-label list")]
    List,
    /// Show an EST label and its rules
    #[command(after_help = "Example:
  certwright est-label show printers --output json > printers.json")]
    Show {
        /// Name of the label
        name: String,
    },
    /// Make an EST label, or change the rules of one
    #[command(after_help = "Examples:
  certwright est-label set printers --set profile=printer
  certwright est-label set default --set server_keys=true --set channel_binding=required
  certwright est-label set printers --from printers.toml")]
    Set {
        /// Name of the label: lower-case letters, digits and hyphens
        name: String,
        /// Make a new one for this team: what is enrolled there is the team's
        #[arg(long)]
        team: Option<String>,
        #[command(flatten)]
        edits: Edits,
    },
    /// Remove an EST label with its passwords
    #[command(after_help = "Example:
  certwright est-label delete printers")]
    Delete {
        /// Name of the label
        name: String,
    },
}

impl EstLabelCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List => {
                let found: Vec<EstLabel> = client.list_all(&["est", "labels"]).await?;
                paging::print_items(context, COLUMNS, &found, row)
            }
            Verb::Show { name } => {
                let found: EstLabel = client.get(&["est", "labels", &name]).await?;
                print(context, &found)
            }
            Verb::Set { name, team, edits } => {
                let path = ["est", "labels", &name];
                let (current, version) = match client.find::<EstLabel>(&path).await? {
                    Some((label, version)) => (label.rules, version),
                    None => (EstRules::default(), Version::New),
                };
                let rules = edits.apply(Some(current))?;
                let stored: EstLabel = client
                    .put_for(&path, team.as_deref(), &version, &rules)
                    .await?;
                print(context, &stored)
            }
            Verb::Delete { name } => client.delete(&["est", "labels", &name]).await,
        }
    }
}

fn print(context: &Context, label: &EstLabel) -> Result<(), Failure> {
    match context.output {
        Format::Json => output::print(context.output, label)?,
        Format::Table => {
            output::print_columns(
                context.output,
                &["name", "url", "team", "updated_at"],
                label,
            )?;
            output::print_text("\n")?;
            output::print(context.output, &label.rules)?;
        }
    }
    Ok(())
}

/// A label on one line.
fn row(label: &EstLabel) -> Value {
    let rules = &label.rules;
    json!({
        "name": label.name,
        "url": label.url,
        "team": label.team,
        "profile": rules.profile,
        "passwords": rules.passwords,
        "certificates": rules.certificates,
        "server_keys": rules.server_keys,
    })
}

const COLUMNS: &[&str] = &[
    "name",
    "url",
    "team",
    "profile",
    "passwords",
    "certificates",
    "server_keys",
];
