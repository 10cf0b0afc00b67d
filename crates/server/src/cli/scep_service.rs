//! `certwright scep-service`: where clients of SCEP come in, and their rules.

use clap::{Args, Subcommand};
use protocols::rest::entry_point::{ScepRules, ScepService};
use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::entry_point::{self, EntryPoint};
use super::exit::Failure;
use super::rules::Edits;

/// Arguments of `certwright scep-service`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright scep-service show phones
  certwright scep-service set phones --set profile=phone")]
pub struct ScepServiceCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the SCEP services
    #[command(after_help = "Example:
  certwright scep-service list")]
    List,
    /// Show a SCEP service and its rules
    #[command(after_help = "Example:
  certwright scep-service show phones --output json > phones.json")]
    Show {
        /// Name of the service
        name: String,
    },
    /// Make a SCEP service, or change the rules of one
    #[command(after_help = "Examples:
  certwright scep-service set phones --set profile=phone
  certwright scep-service set phones --set old_ciphers=true
  certwright scep-service set phones --from phones.toml")]
    Set {
        /// Name of the service: lower-case letters, digits and hyphens
        name: String,
        /// Make a new one for this team: what is enrolled there is the team's
        #[arg(long)]
        team: Option<String>,
        #[command(flatten)]
        edits: Edits,
    },
    /// Remove a SCEP service with its passwords
    #[command(after_help = "Example:
  certwright scep-service delete phones")]
    Delete {
        /// Name of the service
        name: String,
    },
}

impl ScepServiceCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List => entry_point::list::<ScepService>(context, &client).await,
            Verb::Show { name } => entry_point::show::<ScepService>(context, &client, &name).await,
            Verb::Set { name, team, edits } => {
                let team = team.as_deref();
                entry_point::set::<ScepService>(context, &client, &name, team, &edits).await
            }
            Verb::Delete { name } => entry_point::delete::<ScepService>(&client, &name).await,
        }
    }
}

impl EntryPoint for ScepService {
    type Rules = ScepRules;
    const PLACE: [&'static str; 2] = ["scep", "services"];
    const COLUMNS: &'static [&'static str] =
        &["name", "url", "team", "profile", "renewal", "old_ciphers"];

    fn rules(&self) -> &ScepRules {
        &self.rules
    }

    fn row(&self) -> Value {
        let rules = &self.rules;
        json!({
            "name": self.name,
            "url": self.url,
            "team": self.team,
            "profile": rules.profile,
            "renewal": rules.renewal,
            "old_ciphers": rules.old_ciphers,
        })
    }
}
