//! `certwright delivery`: messages on their way, and those that were given up.

use clap::{Args, Subcommand, ValueEnum};
use protocols::rest::notification::{Delivery, DeliveryQuery, DeliveryState};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::output;
use super::paging::{self, Paging};

/// Arguments of `certwright delivery`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright delivery list --state dead
  certwright delivery resend dlv_06ek9q3v5c8m2k7t1r4x0z9w8y
  certwright channel resend operations               # all that it gave up")]
pub struct DeliveryCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List deliveries, newest first
    #[command(after_help = "Example:
  certwright delivery list --channel operations --state dead")]
    List {
        /// Over this channel only
        #[arg(long)]
        channel: Option<String>,
        /// Only those that are so far
        #[arg(long, value_enum)]
        state: Option<State>,
        /// Of events that happened to this
        #[arg(long)]
        object: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a delivery
    #[command(after_help = "Example:
  certwright delivery show dlv_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the delivery
        id: String,
    },
    /// Send a delivery again that was given up, or that arrived
    #[command(after_help = "Example:
  certwright delivery resend dlv_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Resend {
        /// Id of the delivery
        id: String,
    },
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    Waiting,
    Delivered,
    Dead,
}

const NOUN: &str = "notification-deliveries";

impl DeliveryCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List {
                channel,
                state,
                object,
                paging,
            } => {
                let query = DeliveryQuery {
                    channel,
                    state: state.map(|state| match state {
                        State::Waiting => DeliveryState::Waiting,
                        State::Delivered => DeliveryState::Delivered,
                        State::Dead => DeliveryState::Dead,
                    }),
                    object,
                };
                let page = client.list::<Delivery>(&[NOUN], &query, &paging).await?;
                paging::print(context, COLUMNS, &page)
            }
            Verb::Show { id } => {
                let shown: Delivery = client.get(&[NOUN, &id]).await?;
                Ok(output::print(context.output, &shown)?)
            }
            Verb::Resend { id } => {
                let sent: Delivery = client.act(&[NOUN, &id, "resend"], &()).await?;
                Ok(output::print(context.output, &sent)?)
            }
        }
    }
}

const COLUMNS: &[&str] = &[
    "id",
    "channel",
    "state",
    "attempts",
    "object",
    "last_error",
    "next_at",
];
