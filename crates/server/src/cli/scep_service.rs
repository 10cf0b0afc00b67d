//! `certwright scep-service`: where clients of SCEP come in, and their rules.

use clap::{Args, Subcommand};
use protocols::rest::entry_point::{ScepRules, ScepService};
use serde_json::{Value, json};

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output::{self, Format};
use super::paging;
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
            Verb::List => {
                let found: Vec<ScepService> = client.list_all(&["scep", "services"]).await?;
                paging::print_items(context, COLUMNS, &found, row)
            }
            Verb::Show { name } => {
                let found: ScepService = client.get(&["scep", "services", &name]).await?;
                print(context, &found)
            }
            Verb::Set { name, team, edits } => {
                let path = ["scep", "services", &name];
                let (current, version) = match client.find::<ScepService>(&path).await? {
                    Some((service, version)) => (service.rules, version),
                    None => (ScepRules::default(), Version::New),
                };
                let rules = edits.apply(Some(current))?;
                let stored: ScepService = client
                    .put_for(&path, team.as_deref(), &version, &rules)
                    .await?;
                print(context, &stored)
            }
            Verb::Delete { name } => client.delete(&["scep", "services", &name]).await,
        }
    }
}

fn print(context: &Context, service: &ScepService) -> Result<(), Failure> {
    match context.output {
        Format::Json => output::print(context.output, service)?,
        Format::Table => {
            output::print_columns(
                context.output,
                &["name", "url", "team", "updated_at"],
                service,
            )?;
            output::print_text("\n")?;
            output::print(context.output, &service.rules)?;
        }
    }
    Ok(())
}

/// A service on one line.
fn row(service: &ScepService) -> Value {
    let rules = &service.rules;
    json!({
        "name": service.name,
        "url": service.url,
        "team": service.team,
        "profile": rules.profile,
        "renewal": rules.renewal,
        "old_ciphers": rules.old_ciphers,
    })
}

const COLUMNS: &[&str] = &["name", "url", "team", "profile", "renewal", "old_ciphers"];
