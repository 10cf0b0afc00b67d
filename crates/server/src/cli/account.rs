//! `certwright account`: ACME accounts.

use clap::{Args, Subcommand};
use protocols::rest::account::{Account, AccountQuery, AccountStatus};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::metadata::Change;
use super::output;
use super::paging::{self, Paging};

/// Arguments of `certwright account`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright account list --directory default
  certwright account revoke acc_…")]
pub struct AccountCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List ACME accounts, newest first
    #[command(after_help = "Example:
  certwright account list --directory default --status valid")]
    List {
        /// Name of an ACME directory
        #[arg(long)]
        directory: Option<String>,
        /// valid, deactivated or revoked
        #[arg(long, value_parser = status)]
        status: Option<AccountStatus>,
        /// Id of an external account binding key
        #[arg(long, value_name = "ID")]
        eab_key: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one ACME account
    #[command(after_help = "Example:
  certwright account show acc_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the account
        id: String,
    },
    /// Show the custom metadata that orders of an account inherit, or change it
    #[command(after_help = "Examples:
  certwright account metadata acc_06ek9q3v5c8m2k7t1r4x0z9w8y
  certwright account metadata acc_06ek9q3v5c8m2k7t1r4x0z9w8y cost_center=4711 contact=")]
    Metadata(Change),
    /// Revoke an ACME account, for good; its certificates stay as they are
    #[command(after_help = "Example:
  certwright account revoke acc_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Revoke {
        /// Id of the account
        id: String,
    },
}

fn status(text: &str) -> Result<AccountStatus, String> {
    serde_json::from_value(text.into())
        .map_err(|_| "it is valid, deactivated or revoked".to_owned())
}

impl AccountCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List {
                directory,
                status,
                eab_key,
                paging,
            } => {
                let query = AccountQuery {
                    directory,
                    status,
                    eab_key,
                };
                let page = client
                    .list::<Account>(&["acme", "accounts"], &query, &paging)
                    .await?;
                paging::print(context, COLUMNS, &page)
            }
            Verb::Show { id } => {
                let shown: Account = client.get(&["acme", "accounts", &id]).await?;
                Ok(output::print(context.output, &shown)?)
            }
            Verb::Metadata(change) => change.run(context, &client, &["acme", "accounts"]).await,
            Verb::Revoke { id } => {
                let path = ["acme", "accounts", &id, "revoke"];
                let shown: Account = client.act(&path, &()).await?;
                Ok(output::print_columns(context.output, COLUMNS, &shown)?)
            }
        }
    }
}

const COLUMNS: &[&str] = &[
    "id",
    "status",
    "directory",
    "contacts",
    "eab_key",
    "created_at",
];
