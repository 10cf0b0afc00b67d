//! `certwright issuer migrate` and `migration`: moving what one issuer signed to another.

use clap::{Args, Subcommand};
use protocols::rest::certificate::CertificateQuery;
use protocols::rest::issuer_migration::{
    IssuerMigration, MigrateIssuer, MigrationItem, MigrationItemQuery, MigrationItemState,
    MigrationPlan,
};
use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::output::{self, Format};
use super::paging::{self, Paging};

const NOUN: &str = "issuer-migrations";

/// Arguments of `certwright issuer migrate`.
#[derive(Debug, Args)]
pub struct Migrate {
    /// The issuer whose certificates are to be replaced
    #[arg(long)]
    from: String,
    /// The issuer that signs instead
    #[arg(long)]
    to: String,
    /// Of its valid certificates those that a search finds: 'team:web expires<60d'
    #[arg(long, value_name = "SEARCH")]
    filter: Option<String>,
    /// Certificates in a wave
    #[arg(long, value_name = "NUMBER", default_value_t = 500)]
    wave_size: u32,
    /// How long a wave has; clients ask every six hours when to renew
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    wave_hours: u64,
    /// Stop where more than so many of a hundred of a wave were not renewed in time
    #[arg(long, value_name = "PERCENT", default_value_t = 5)]
    stop_above: u8,
    /// Field of custom metadata that marks certificates which somebody relies on by heart
    #[arg(long, value_name = "FIELD", default_value = "pinned")]
    pin_field: String,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub enum MigrationVerb {
    /// List the migrations
    #[command(after_help = "Example:
  certwright issuer migration list")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show how far a migration is
    #[command(after_help = "Example:
  certwright issuer migration show mig_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the migration
        id: String,
    },
    /// List its certificates, and what became of each
    #[command(after_help = "Example:
  certwright issuer migration items mig_06ek9q3v5c8m2k7t1r4x0z9w8y --state late")]
    Items {
        /// Id of the migration
        id: String,
        /// waiting, pulled, renewed, late or left
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Pull nothing more forward until it is resumed
    #[command(after_help = "Example:
  certwright issuer migration pause mig_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Pause {
        /// Id of the migration
        id: String,
    },
    /// Go on with the next wave
    #[command(after_help = "Example:
  certwright issuer migration resume mig_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Resume {
        /// Id of the migration
        id: String,
    },
    /// Put the profiles back; what was renewed stays renewed
    #[command(after_help = "Example:
  certwright issuer migration rollback mig_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Rollback {
        /// Id of the migration
        id: String,
    },
}

impl Migrate {
    /// Plans, or begins.
    pub async fn run(self, client: &Client, context: &Context) -> Result<(), Failure> {
        let dry_run = self.dry_run;
        let body = MigrateIssuer {
            filter: self.filter.map(|q| CertificateQuery {
                q: Some(q),
                ..CertificateQuery::default()
            }),
            pin_field: self.pin_field,
            wave_size: self.wave_size,
            wave_seconds: self.wave_hours.saturating_mul(3600),
            stop_above_percent: self.stop_above,
            ..MigrateIssuer::new(self.from, self.to)
        };
        if dry_run {
            let plan: MigrationPlan = client.post(&[NOUN, "plan"], &body).await?;
            return Ok(output::print(context.output, &plan)?);
        }
        let begun: IssuerMigration = client.create(&[NOUN], &body).await?;
        print(context, &begun)
    }
}

impl MigrationVerb {
    /// Runs the command.
    pub async fn run(self, client: &Client, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List { paging } => {
                let found = client.list(&[NOUN], &(), &paging).await?;
                paging::print_rows(context, COLUMNS, &found, row)
            }
            Self::Show { id } => print(context, &client.get(&[NOUN, &id]).await?),
            Self::Items { id, state, paging } => {
                let query = MigrationItemQuery {
                    state: state.map(|state| read_state(&state)).transpose()?,
                };
                let found = client.list(&[NOUN, &id, "items"], &query, &paging).await?;
                let columns = [
                    "certificate",
                    "names",
                    "readiness",
                    "state",
                    "wave",
                    "successor",
                ];
                paging::print::<MigrationItem>(context, &columns, &found)
            }
            Self::Pause { id } => command(client, context, &id, "pause").await,
            Self::Resume { id } => command(client, context, &id, "resume").await,
            Self::Rollback { id } => command(client, context, &id, "rollback").await,
        }
    }
}

async fn command(client: &Client, context: &Context, id: &str, verb: &str) -> Result<(), Failure> {
    print(context, &client.act(&[NOUN, id, verb], &()).await?)
}

fn read_state(text: &str) -> Result<MigrationItemState, Failure> {
    serde_json::from_value(Value::from(text))
        .map_err(|_| Failure::usage("--state is one of waiting, pulled, renewed, late and left"))
}

fn print(context: &Context, migration: &IssuerMigration) -> Result<(), Failure> {
    match context.output {
        Format::Json => Ok(output::print(context.output, migration)?),
        Format::Table => Ok(output::print_columns(
            context.output,
            COLUMNS,
            &row(migration),
        )?),
    }
}

/// A migration on one line.
fn row(migration: &IssuerMigration) -> Value {
    let progress = migration.progress;
    json!({
        "id": migration.id,
        "from": migration.from,
        "to": migration.to,
        "state": migration.state,
        "wave": migration.wave,
        "waiting": progress.waiting,
        "pulled": progress.pulled,
        "renewed": progress.renewed,
        "late": progress.late,
        "left": progress.left,
        "reason": migration.reason,
    })
}

const COLUMNS: &[&str] = &[
    "id", "from", "to", "state", "wave", "waiting", "pulled", "renewed", "late", "left", "reason",
];
