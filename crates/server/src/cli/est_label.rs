//! `certwright est-label`: where clients of EST come in, and their rules.

use clap::{Args, Subcommand};
use protocols::rest::entry_point::{EstLabel, EstRules};
use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::entry_point::{self, EntryPoint};
use super::exit::Failure;
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
            Verb::List => entry_point::list::<EstLabel>(context, &client).await,
            Verb::Show { name } => entry_point::show::<EstLabel>(context, &client, &name).await,
            Verb::Set { name, team, edits } => {
                let team = team.as_deref();
                entry_point::set::<EstLabel>(context, &client, &name, team, &edits).await
            }
            Verb::Delete { name } => entry_point::delete::<EstLabel>(&client, &name).await,
        }
    }
}

impl EntryPoint for EstLabel {
    type Rules = EstRules;
    const PLACE: [&'static str; 2] = ["est", "labels"];
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "url",
        "team",
        "profile",
        "passwords",
        "certificates",
        "server_keys",
    ];

    fn rules(&self) -> &EstRules {
        &self.rules
    }

    fn row(&self) -> Value {
        let rules = &self.rules;
        json!({
            "name": self.name,
            "url": self.url,
            "team": self.team,
            "profile": rules.profile,
            "passwords": rules.passwords,
            "certificates": rules.certificates,
            "server_keys": rules.server_keys,
        })
    }
}
