//! `certwright directory`: ACME directories and their rules.

use clap::{Args, Subcommand};
use protocols::rest::directory::{Directory, DirectoryRules};
use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::entry_point::{self, EntryPoint};
use super::exit::Failure;
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
            Verb::List => entry_point::list::<Directory>(context, &client).await,
            Verb::Show { name } => entry_point::show::<Directory>(context, &client, &name).await,
            Verb::Set { name, team, edits } => {
                let team = team.as_deref();
                entry_point::set::<Directory>(context, &client, &name, team, &edits).await
            }
        }
    }
}

impl EntryPoint for Directory {
    type Rules = DirectoryRules;
    const PLACE: [&'static str; 2] = ["acme", "directories"];
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "url",
        "team",
        "profiles",
        "external_account",
        "trusted",
        "test_mode",
    ];

    fn rules(&self) -> &DirectoryRules {
        &self.rules
    }

    fn row(&self) -> Value {
        let rules = &self.rules;
        json!({
            "name": self.name,
            "url": self.url,
            "team": self.team,
            "profiles": rules.profiles,
            "external_account": if rules.external_account_required { "required" } else { "" },
            "trusted": rules.trusted,
            "test_mode": rules.test_mode.is_some(),
        })
    }
}
