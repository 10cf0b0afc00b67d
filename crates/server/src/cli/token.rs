//! `certwright token`: who may use the API.

use clap::{Args, Subcommand};
use lifecycle::access::AccessError;
use protocols::rest::token::{CreateToken, CreatedToken, Token};
use serde_json::json;

use super::Context;
use super::client::Client;
use super::config::ConfigArgs;
use super::exit::Failure;
use super::lifetime::Lifetime;
use super::local::{self, Local};
use super::output::{self, Format};
use super::paging::{self, Paging};
use crate::control::{MadeToken, TokenRequest};

/// Arguments of `certwright token`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright token create --data ./data --role administrator --name me
  certwright token list
  certwright token revoke tok_…")]
pub struct TokenCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a token and print it, this once
    #[command(after_help = "Examples:
  certwright token create --data ./data --role administrator --name me
  certwright token create --name pipeline --role requester --team web --lifetime 90d

With --data (or --config) it works on the server's machine without a token, whether the server runs
or not; otherwise it asks the server over the network, and the new token may do no more than yours.
Built-in roles: administrator, ca-operator, policy-author, approver, requester, auditor.")]
    Create(Create),
    /// List tokens, newest first
    #[command(after_help = "Example:
  certwright token list")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Revoke a token, for good
    #[command(after_help = "Example:
  certwright token revoke tok_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Revoke {
        /// Id of the token
        id: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// Who or what it is for
    #[arg(long)]
    name: String,
    /// Name of a role; `certwright role list` shows them
    #[arg(long)]
    role: String,
    /// In this team only; everywhere without it
    #[arg(long)]
    team: Option<String>,
    /// How long it opens anything: 90d, 12h; for ever without it
    #[arg(long)]
    lifetime: Option<Lifetime>,
    #[command(flatten)]
    from: ConfigArgs,
}

impl TokenCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Create(create) if create.from.is_local(context) => {
                create.here(context.output).await
            }
            Verb::Create(create) => create.there(context).await,
            Verb::List { paging } => {
                let client = Client::new(context)?;
                let page = client.list::<Token>(&["tokens"], &(), &paging).await?;
                paging::print(context, COLUMNS, &page)
            }
            Verb::Revoke { id } => Client::new(context)?.delete(&["tokens", &id]).await,
        }
    }
}

impl Create {
    /// On the server's machine.
    async fn here(self, format: Format) -> Result<(), Failure> {
        if self.name.trim().is_empty() {
            return Err(Failure::usage(
                "--name is empty; say who or what the token is for",
            ));
        }
        let request = TokenRequest {
            name: self.name,
            role: self.role,
            team: self.team,
            lifetime_seconds: self.lifetime.map(|lifetime| lifetime.0),
        };
        let made = match Local::open(&self.from.load()?).await? {
            Local::Server(server) => server.create_token(request).await.map_err(local::failure)?,
            Local::Own(wired) => {
                let (role, team) = (request.role.clone(), request.team.clone());
                let made = wired
                    .lifecycle
                    .create_token_with(request.into_new_token(), &local::caller())
                    .await
                    .map_err(refused)?;
                MadeToken {
                    id: made.token.id.to_string(),
                    name: made.token.name,
                    role,
                    team,
                    secret: made.secret.expose().to_owned(),
                }
            }
        };
        print(format, &made.id, &made.secret, &made)
    }

    /// Over the network.
    async fn there(self, context: &Context) -> Result<(), Failure> {
        let body = CreateToken {
            name: self.name,
            role: self.role,
            team: self.team,
            lifetime_seconds: self.lifetime.map(|lifetime| lifetime.0),
        };
        let made: CreatedToken = Client::new(context)?.create(&["tokens"], &body).await?;
        print(context.output, &made.token.id, &made.secret, &made)
    }
}

/// A role or team that is not there is the caller's mistake, not the server's.
fn refused(error: AccessError) -> Failure {
    match error {
        AccessError::Store(error) => anyhow::Error::from(error).into(),
        error => Failure::refused(error),
    }
}

/// The token alone: scripts put it into a variable.
fn print(
    format: Format,
    id: &str,
    secret: &str,
    made: &impl serde::Serialize,
) -> Result<(), Failure> {
    match format {
        Format::Json => Ok(output::print(format, &json!(made))?),
        Format::Table => {
            output::note(&format!("made the token {id}; it is shown this once"));
            Ok(output::print_text(&format!("{secret}\n"))?)
        }
    }
}

const COLUMNS: &[&str] = &[
    "id",
    "name",
    "roles",
    "status",
    "expires_at",
    "last_used_at",
];
