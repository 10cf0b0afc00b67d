//! `certwright eab`: external account binding keys.

use clap::{Args, Subcommand};
use protocols::rest::eab_key::{
    CreateEabKey, CreatedEabKey, EabKey, EabUsage, RevokeEabKeyQuery, RevokedEabKey,
};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::lifetime::Lifetime;
use super::metadata::{self, Change, Given};
use super::output;
use super::paging::{self, Paging};

/// Arguments of `certwright eab`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright eab create --name 'web team' --allow .web.example.org --multi
  certwright eab revoke eab_… --cascade")]
pub struct EabCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List keys, newest first
    #[command(after_help = "Example:
  certwright eab list")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one key, without its secret
    #[command(after_help = "Example:
  certwright eab show eab_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the key, which is its kid
        id: String,
    },
    /// Make a key; its secret is shown this once
    #[command(after_help = "Example:
  certwright eab create --name 'web team' --directory internal --allow .web.example.org --lifetime 7d \\
    --metadata cost_center=4711")]
    Create(Create),
    /// Show the custom metadata that orders under a key inherit, or change it
    #[command(after_help = "Examples:
  certwright eab metadata eab_06ek9q3v5c8m2k7t1r4x0z9w8y
  certwright eab metadata eab_06ek9q3v5c8m2k7t1r4x0z9w8y cost_center=4711 contact=")]
    Metadata(Change),
    /// Revoke a key
    #[command(after_help = "Example:
  certwright eab revoke eab_06ek9q3v5c8m2k7t1r4x0z9w8y --cascade")]
    Revoke {
        /// Id of the key
        id: String,
        /// Also revoke the accounts that were made with it
        #[arg(long)]
        cascade: bool,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// Who it is for
    #[arg(long)]
    name: String,
    /// For accounts of this ACME directory only
    #[arg(long)]
    directory: Option<String>,
    /// For this team: what is ordered with it is the team's
    #[arg(long)]
    team: Option<String>,
    /// Names its accounts may order: host.example.org, .example.org, 192.0.2.0/24; repeatable
    #[arg(long = "allow", value_name = "PATTERN")]
    allowed_names: Vec<String>,
    /// May bind any number of accounts, not just one
    #[arg(long)]
    multi: bool,
    /// Custom metadata that orders of its accounts inherit; repeatable
    #[arg(long, value_name = "FIELD=VALUE")]
    metadata: Vec<Given>,
    /// How long it binds accounts: 90d, 12h; for ever without it
    #[arg(long)]
    lifetime: Option<Lifetime>,
}

impl EabCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List { paging } => {
                let page = client
                    .list::<EabKey>(&["acme", "eab-keys"], &(), &paging)
                    .await?;
                paging::print(context, COLUMNS, &page)
            }
            Verb::Show { id } => {
                let shown: EabKey = client.get(&["acme", "eab-keys", &id]).await?;
                Ok(output::print(context.output, &shown)?)
            }
            Verb::Create(create) => {
                let body = create.body();
                let made: CreatedEabKey = client.create(&["acme", "eab-keys"], &body).await?;
                let columns = [
                    "id",
                    "hmac",
                    "name",
                    "directory",
                    "allowed_names",
                    "expires_at",
                ];
                Ok(output::print_columns(context.output, &columns, &made)?)
            }
            Verb::Metadata(change) => change.run(context, &client, &["acme", "eab-keys"]).await,
            Verb::Revoke { id, cascade } => {
                let path = ["acme", "eab-keys", &id, "revoke"];
                let query = RevokeEabKeyQuery { cascade };
                let revoked: RevokedEabKey = client.act(&path, &query).await?;
                Ok(output::print(context.output, &revoked)?)
            }
        }
    }
}

impl Create {
    fn body(self) -> CreateEabKey {
        CreateEabKey {
            name: self.name,
            directory: self.directory,
            team: self.team,
            allowed_names: self.allowed_names,
            usage: match self.multi {
                true => EabUsage::Multi,
                false => EabUsage::Single,
            },
            metadata: metadata::given(&self.metadata),
            lifetime_seconds: self.lifetime.map(|lifetime| lifetime.0),
        }
    }
}

const COLUMNS: &[&str] = &[
    "id",
    "name",
    "status",
    "usage",
    "uses",
    "team",
    "directory",
    "allowed_names",
    "expires_at",
];
