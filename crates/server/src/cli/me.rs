//! `certwright me`: who the server takes you for.

use clap::Args;
use protocols::rest::me::Me;

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::output;

/// Arguments of `certwright me`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  certwright me --output json")]
pub struct MeCommand {}

impl MeCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let me: Me = Client::new(context)?.get(&["me"]).await?;
        Ok(output::print(context.output, &me)?)
    }
}
