//! `certwright cmp`: CMP endpoints and their shared secrets.

use clap::{Args, Subcommand};
use protocols::rest::cmp::{
    CmpEndpoint, CmpEndpointRules, CmpSecret, CmpSecretFilter, CreateCmpSecret, CreatedCmpSecret,
};
use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::entry_point::{self, EntryPoint};
use super::exit::Failure;
use super::lifetime::Lifetime;
use super::metadata::{self, Given};
use super::output;
use super::paging::{self, Paging};
use super::rules::Edits;

/// Arguments of `certwright cmp`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright cmp endpoint set plant --set 'profiles=[\"device\"]'
  certwright cmp secret create --endpoint plant --name 'line 7' --allow .plant.example.org --uses 1
  openssl cmp -cmd ir -server ca.example -path .well-known/cmp/p/plant -ref line-7 -secret pass:… …")]
pub struct CmpCommand {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// Where CMP clients come in
    #[command(
        subcommand,
        after_help = "Example:\n  certwright cmp endpoint set plant --set 'profiles=[\"device\"]'"
    )]
    Endpoint(EndpointVerb),
    /// What clients without a certificate protect their messages with
    #[command(
        subcommand,
        after_help = "Example:\n  certwright cmp secret create --endpoint factory --name 'line 4'"
    )]
    Secret(SecretVerb),
}

#[derive(Debug, Subcommand)]
enum EndpointVerb {
    /// List the CMP endpoints
    #[command(after_help = "Example:
  certwright cmp endpoint list")]
    List,
    /// Show a CMP endpoint and its rules
    #[command(after_help = "Example:
  certwright cmp endpoint show plant --output json > plant.json")]
    Show {
        /// Name of the endpoint
        name: String,
    },
    /// Make a CMP endpoint, or change the rules of one
    #[command(after_help = "Examples:
  certwright cmp endpoint set plant --set 'profiles=[\"device\"]' --set confirm_wait_seconds=600
  certwright cmp endpoint set plant --from plant.toml")]
    Set {
        /// Name of the endpoint: lower-case letters, digits and hyphens
        name: String,
        /// Make a new one for this team
        #[arg(long)]
        team: Option<String>,
        #[command(flatten)]
        edits: Edits,
    },
    /// Delete a CMP endpoint with its secrets
    #[command(after_help = "Example:
  certwright cmp endpoint delete plant")]
    Delete {
        /// Name of the endpoint
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum SecretVerb {
    /// List shared secrets, newest first
    #[command(after_help = "Example:
  certwright cmp secret list --endpoint plant")]
    List {
        /// Of this endpoint only
        #[arg(long)]
        endpoint: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one shared secret, without what is secret of it
    #[command(after_help = "Example:
  certwright cmp secret show cms_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the secret
        id: String,
    },
    /// Make a shared secret; it is shown this once
    #[command(after_help = "Example:
  certwright cmp secret create --endpoint plant --name 'line 7' --reference line-7 \\
    --allow .plant.example.org --uses 1 --lifetime 7d")]
    Create(Create),
    /// Revoke a shared secret
    #[command(after_help = "Example:
  certwright cmp secret revoke cms_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Revoke {
        /// Id of the secret
        id: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// Name of the endpoint that it opens
    #[arg(long)]
    endpoint: String,
    /// Who it is for
    #[arg(long)]
    name: String,
    /// What clients shall send as reference; made up without it
    #[arg(long)]
    reference: Option<String>,
    /// For this team: what is asked for with it is the team's
    #[arg(long)]
    team: Option<String>,
    /// Names it opens: host.example.org, .example.org, 192.0.2.0/24; repeatable
    #[arg(long = "allow", value_name = "PATTERN")]
    allowed_names: Vec<String>,
    /// How many certificates it opens; any number without it
    #[arg(long = "uses", value_name = "NUMBER")]
    max_uses: Option<u32>,
    /// Custom metadata that requests with it inherit; repeatable
    #[arg(long, value_name = "FIELD=VALUE")]
    metadata: Vec<Given>,
    /// How long it opens anything: 90d, 12h; for ever without it
    #[arg(long)]
    lifetime: Option<Lifetime>,
}

impl CmpCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.noun {
            Noun::Endpoint(verb) => verb.run(context, &client).await,
            Noun::Secret(verb) => verb.run(context, &client).await,
        }
    }
}

impl EndpointVerb {
    async fn run(self, context: &Context, client: &Client) -> Result<(), Failure> {
        match self {
            Self::List => entry_point::list::<CmpEndpoint>(context, client).await,
            Self::Show { name } => entry_point::show::<CmpEndpoint>(context, client, &name).await,
            Self::Set { name, team, edits } => {
                let team = team.as_deref();
                entry_point::set::<CmpEndpoint>(context, client, &name, team, &edits).await
            }
            Self::Delete { name } => entry_point::delete::<CmpEndpoint>(client, &name).await,
        }
    }
}

impl SecretVerb {
    async fn run(self, context: &Context, client: &Client) -> Result<(), Failure> {
        match self {
            Self::List { endpoint, paging } => {
                let filter = CmpSecretFilter { endpoint };
                let page = client
                    .list::<CmpSecret>(&["cmp", "secrets"], &filter, &paging)
                    .await?;
                paging::print(context, SECRET_COLUMNS, &page)
            }
            Self::Show { id } => {
                let shown: CmpSecret = client.get(&["cmp", "secrets", &id]).await?;
                Ok(output::print(context.output, &shown)?)
            }
            Self::Create(create) => {
                let made: CreatedCmpSecret =
                    client.create(&["cmp", "secrets"], &create.body()).await?;
                let columns = [
                    "id",
                    "reference",
                    "secret",
                    "endpoint",
                    "allowed_names",
                    "max_uses",
                    "expires_at",
                ];
                Ok(output::print_columns(context.output, &columns, &made)?)
            }
            Self::Revoke { id } => {
                let path = ["cmp", "secrets", &id, "revoke"];
                let revoked: CmpSecret = client.act(&path, &()).await?;
                Ok(output::print(context.output, &revoked)?)
            }
        }
    }
}

impl Create {
    fn body(self) -> CreateCmpSecret {
        CreateCmpSecret {
            name: self.name,
            endpoint: self.endpoint,
            reference: self.reference,
            allowed_names: self.allowed_names,
            max_uses: self.max_uses,
            team: self.team,
            metadata: metadata::given(&self.metadata),
            lifetime_seconds: self.lifetime.map(|lifetime| lifetime.0),
        }
    }
}

impl EntryPoint for CmpEndpoint {
    type Rules = CmpEndpointRules;
    const PLACE: [&'static str; 2] = ["cmp", "endpoints"];
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "url",
        "team",
        "profiles",
        "secrets",
        "certificates",
        "authorities",
    ];

    fn rules(&self) -> &CmpEndpointRules {
        &self.rules
    }

    fn row(&self) -> Value {
        let rules = &self.rules;
        json!({
            "name": self.name,
            "url": self.url,
            "team": self.team,
            "profiles": rules.profiles,
            "secrets": rules.secrets,
            "certificates": rules.certificates,
            "authorities": rules.authorities.len(),
        })
    }
}

const SECRET_COLUMNS: &[&str] = &[
    "id",
    "reference",
    "name",
    "endpoint",
    "status",
    "uses",
    "max_uses",
    "team",
    "expires_at",
];
