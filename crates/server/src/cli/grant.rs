//! `certwright grant`: who holds which role where.

use clap::{Args, Subcommand};
use protocols::rest::grant::{CreateGrant, Grant, GrantQuery};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::output;
use super::paging::{self, Paging};

/// Arguments of `certwright grant`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright grant create --to tok_… --role requester --team web
  certwright grant list --team web")]
pub struct GrantCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List grants, newest first
    #[command(after_help = "Examples:
  certwright grant list --team web
  certwright grant list --to tok_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    List {
        /// Of this user or token
        #[arg(long, value_name = "ID")]
        to: Option<String>,
        /// Of this role
        #[arg(long)]
        role: Option<String>,
        /// In this team
        #[arg(long)]
        team: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Give a role to a user or a token
    #[command(after_help = "Examples:
  certwright grant create --to tok_06ek9q3v5c8m2k7t1r4x0z9w8y --role requester --team web
  certwright grant create --to usr_06ek9q3v5c8m2k7t1r4x0z9w8y --role auditor

You need every permission of the role in the same place, and cannot give anything to yourself.")]
    Create {
        /// Id of the user or token
        #[arg(long, value_name = "ID")]
        to: String,
        /// Name of the role
        #[arg(long)]
        role: String,
        /// In this team only; everywhere without it
        #[arg(long)]
        team: Option<String>,
    },
    /// Take a role away again
    #[command(after_help = "Example:
  certwright grant delete grt_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Delete {
        /// Id of the grant
        id: String,
    },
}

impl GrantCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List {
                to,
                role,
                team,
                paging,
            } => {
                let query = GrantQuery {
                    principal: to,
                    role,
                    team,
                };
                let page = client.list::<Grant>(&["grants"], &query, &paging).await?;
                paging::print(context, COLUMNS, &page)
            }
            Verb::Create { to, role, team } => {
                let body = CreateGrant {
                    principal: to,
                    role,
                    team,
                };
                let made: Grant = client.post(&["grants"], &body).await?;
                Ok(output::print_columns(context.output, COLUMNS, &made)?)
            }
            Verb::Delete { id } => client.delete(&["grants", &id]).await,
        }
    }
}

pub(super) const COLUMNS: &[&str] = &["id", "principal", "role", "team", "created_at"];
