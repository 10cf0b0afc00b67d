//! `certwright alert`: certificates that end without a successor.

use clap::{Args, Subcommand, ValueEnum};
use protocols::rest::alert::{AcknowledgeRequest, Alert, AlertQuery, AlertState};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::output;
use super::paging::{self, Paging};

/// Arguments of `certwright alert`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright alert list --state open
  certwright alert acknowledge inc_06ek9q3v5c8m2k7t1r4x0z9w8y --note 'ticket 4711'")]
pub struct AlertCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List alerts, newest first
    #[command(after_help = "Example:
  certwright alert list --state open")]
    List {
        /// Only those that stand there
        #[arg(long, value_enum)]
        state: Option<State>,
        /// Of this certificate only
        #[arg(long, value_name = "ID")]
        certificate: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show an alert
    #[command(after_help = "Example:
  certwright alert show inc_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the alert
        id: String,
    },
    /// Say that you look after an alert; it closes itself when the certificate is renewed or revoked
    #[command(after_help = "Example:
  certwright alert acknowledge inc_06ek9q3v5c8m2k7t1r4x0z9w8y --note 'ticket 4711'")]
    Acknowledge {
        /// Id of the alert
        id: String,
        /// What is done about it
        #[arg(long)]
        note: Option<String>,
    },
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    Open,
    Acknowledged,
    Closed,
}

impl AlertCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List {
                state,
                certificate,
                paging,
            } => {
                let query = AlertQuery {
                    state: state.map(|state| match state {
                        State::Open => AlertState::Open,
                        State::Acknowledged => AlertState::Acknowledged,
                        State::Closed => AlertState::Closed,
                    }),
                    certificate,
                };
                let page = client.list::<Alert>(&["alerts"], &query, &paging).await?;
                paging::print(context, COLUMNS, &page)
            }
            Verb::Show { id } => {
                let shown: Alert = client.get(&["alerts", &id]).await?;
                Ok(output::print(context.output, &shown)?)
            }
            Verb::Acknowledge { id, note } => {
                let path = ["alerts", &id, "acknowledge"];
                let taken: Alert = client.post(&path, &AcknowledgeRequest { note }).await?;
                Ok(output::print(context.output, &taken)?)
            }
        }
    }
}

const COLUMNS: &[&str] = &[
    "id",
    "state",
    "names",
    "not_after",
    "threshold",
    "certificate",
    "opened_at",
];
