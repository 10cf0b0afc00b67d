//! `certwright certificate bulk`: many certificates at once, looked at before anything is done.

use std::io::IsTerminal;
use std::time::Duration;

use clap::{Args, Subcommand};
use pki::revocation::RevocationReason;
use protocols::rest::bulk::{
    Bulk, BulkAction, BulkItem, BulkItemQuery, BulkOutcome, BulkStatus, PlanBulk,
};
use serde_json::{Value, json};

use super::Context;
use super::certificate_filters::Filters;
use super::client::Client;
use super::exit::Failure;
use super::metadata::{self, Given};
use super::output::{self, Format};
use super::paging::{self, Paging};

/// Arguments of `certwright certificate bulk`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright certificate bulk renew --issuer old-ca --status valid --plan
  certwright certificate bulk revoke --reason superseded --suffix old.example.org
  certwright certificate bulk metadata cost_center=4712 --metadata cost_center=4711
  certwright certificate bulk run blk_06ek9q3v5c8m2k7t1r4x0z9w8y
  certwright certificate bulk items blk_06ek9q3v5c8m2k7t1r4x0z9w8y --outcome failed")]
pub struct BulkCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Renew certificates with the names and the keys they have
    #[command(after_help = "Example:
  certwright certificate bulk renew --profile default --expires-before 2027-03-01T00:00:00Z")]
    Renew(Box<Selected>),
    /// Revoke certificates, for good
    #[command(after_help = "Example:
  certwright certificate bulk revoke --reason cessationOfOperation --suffix shop.example.org")]
    Revoke {
        /// Why
        #[arg(long)]
        reason: RevocationReason,
        #[command(flatten)]
        selected: Box<Selected>,
    },
    /// Change the custom metadata of certificates
    #[command(after_help = "Examples:
  certwright certificate bulk metadata cost_center=4712 --metadata cost_center=4711 --plan
  certwright certificate bulk metadata contact= --suffix old.example.org")]
    Metadata {
        /// Values to set; `FIELD=` takes one away
        #[arg(value_name = "FIELD=VALUE", required = true)]
        values: Vec<Given>,
        #[command(flatten)]
        selected: Box<Selected>,
    },
    /// Give certificates to another team
    #[command(after_help = "Examples:
  certwright certificate bulk transfer --to web --suffix shop.example.org
  certwright certificate bulk transfer --to-nobody --id crt_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Transfer {
        /// Name of the team
        #[arg(long, value_name = "TEAM", required_unless_present = "to_nobody")]
        to: Option<String>,
        /// Take them from their team and give them to none
        #[arg(long, conflicts_with = "to")]
        to_nobody: bool,
        #[command(flatten)]
        selected: Box<Selected>,
    },
    /// Run a plan, as it was shown
    #[command(after_help = "Example:
  certwright certificate bulk run blk_06ek9q3v5c8m2k7t1r4x0z9w8y --wait")]
    Run {
        /// Id of the plan
        id: String,
        /// Follow it to its end
        #[arg(long)]
        wait: bool,
    },
    /// Show how far one is
    #[command(after_help = "Example:
  certwright certificate bulk show blk_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the bulk action
        id: String,
    },
    /// List the certificates of one, and what became of each
    #[command(after_help = "Example:
  certwright certificate bulk items blk_06ek9q3v5c8m2k7t1r4x0z9w8y --outcome failed --all")]
    Items {
        /// Id of the bulk action
        id: String,
        /// excluded, pending, done or failed
        #[arg(long, value_parser = outcome)]
        outcome: Option<BulkOutcome>,
        #[command(flatten)]
        paging: Paging,
    },
    /// List bulk actions, newest first
    #[command(after_help = "Example:
  certwright certificate bulk list")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Stop one so that it can go on later
    #[command(after_help = "Example:
  certwright certificate bulk pause blk_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Pause {
        /// Id of the bulk action
        id: String,
    },
    /// Let one go on where it stopped
    #[command(after_help = "Example:
  certwright certificate bulk resume blk_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Resume {
        /// Id of the bulk action
        id: String,
    },
    /// End one early; what is done stays done
    #[command(after_help = "Example:
  certwright certificate bulk cancel blk_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Cancel {
        /// Id of the bulk action
        id: String,
    },
}

/// Which certificates, and how.
#[derive(Debug, Args)]
struct Selected {
    /// Id of a certificate; repeatable, in place of filters
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    /// Certificates per minute
    #[arg(long, value_name = "N", default_value_t = protocols::rest::bulk::ten_a_second(),
        value_parser = clap::value_parser!(u32).range(1..=6000))]
    per_minute: u32,
    /// Plan only; `bulk run` runs it
    #[arg(long, conflicts_with = "yes")]
    plan: bool,
    /// Run the plan without asking
    #[arg(long)]
    yes: bool,
    /// Follow it to its end
    #[arg(long)]
    wait: bool,
}

fn outcome(text: &str) -> Result<BulkOutcome, String> {
    serde_json::from_value(text.into())
        .map_err(|_| "it is excluded, pending, done or failed".to_owned())
}

impl BulkCommand {
    /// Runs the command.
    pub async fn run(self, client: &Client, context: &Context) -> Result<(), Failure> {
        let shown = match self.verb {
            Verb::Renew(selected) => selected.go(client, context, BulkAction::Renew {}).await?,
            Verb::Revoke { reason, selected } => {
                let action = BulkAction::Revoke { reason };
                selected.go(client, context, action).await?
            }
            Verb::Metadata { values, selected } => {
                let metadata = metadata::change(&values).metadata;
                let action = BulkAction::EditMetadata { metadata };
                selected.go(client, context, action).await?
            }
            Verb::Transfer { to, selected, .. } => {
                let action = BulkAction::Transfer { team: to };
                selected.go(client, context, action).await?
            }
            Verb::Run { id, wait } => start(client, &id, wait).await?,
            Verb::Show { id } => client.get(&["certificates", "bulk", &id]).await?,
            Verb::Items {
                id,
                outcome,
                paging,
            } => {
                let path = ["certificates", "bulk", &id, "items"];
                let query = BulkItemQuery { outcome };
                let page = client.list::<BulkItem>(&path, &query, &paging).await?;
                return paging::print(context, &["certificate", "outcome", "detail"], &page);
            }
            Verb::List { paging } => {
                let page = client
                    .list::<Bulk>(&["certificates", "bulk"], &(), &paging)
                    .await?;
                return paging::print_rows(context, COLUMNS, &page, row);
            }
            Verb::Pause { id } => command(client, &id, "pause").await?,
            Verb::Resume { id } => command(client, &id, "resume").await?,
            Verb::Cancel { id } => command(client, &id, "cancel").await?,
        };
        print(context, &shown)
    }
}

impl Selected {
    async fn go(
        self,
        client: &Client,
        context: &Context,
        action: BulkAction,
    ) -> Result<Bulk, Failure> {
        let filter = self.filters.query();
        let body = match (self.ids.is_empty(), filter == Default::default()) {
            (false, true) => PlanBulk {
                action,
                ids: Some(self.ids),
                filter: None,
                per_minute: self.per_minute,
            },
            (true, false) => PlanBulk {
                action,
                ids: None,
                filter: Some(filter),
                per_minute: self.per_minute,
            },
            (true, true) => {
                return Err(Failure::usage(
                    "say which certificates: --id, or filters such as --suffix and --issuer",
                ));
            }
            (false, false) => {
                return Err(Failure::usage("--id and filters exclude each other"));
            }
        };
        let plan: Bulk = client.create(&["certificates", "bulk"], &body).await?;
        if self.plan || plan.counts.pending == 0 {
            return Ok(plan);
        }
        if !self.yes {
            print(context, &plan)?;
            if !agreed(&plan)? {
                return Err(Failure::refused(format!(
                    "nothing was done; `certwright certificate bulk run {}` does it within an hour",
                    plan.id
                )));
            }
        }
        start(client, &plan.id, self.wait).await
    }
}

/// Asks a person; a program has to say `--yes` beforehand.
fn agreed(plan: &Bulk) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    output::note(&format!(
        "{} certificates. Go on? [y/N]",
        plan.counts.pending
    ));
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

async fn start(client: &Client, id: &str, wait: bool) -> Result<Bulk, Failure> {
    let mut bulk = command(client, id, "run").await?;
    while wait && matches!(bulk.status, BulkStatus::Running | BulkStatus::Paused) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        bulk = client.get(&["certificates", "bulk", id]).await?;
        let counts = &bulk.counts;
        output::note(&format!(
            "{} done, {} failed, {} left",
            counts.done, counts.failed, counts.pending
        ));
    }
    Ok(bulk)
}

async fn command(client: &Client, id: &str, verb: &str) -> Result<Bulk, Failure> {
    client.act(&["certificates", "bulk", id, verb], &()).await
}

fn print(context: &Context, bulk: &Bulk) -> Result<(), Failure> {
    if context.output == Format::Json {
        return Ok(output::print(context.output, bulk)?);
    }
    output::print_columns(context.output, COLUMNS, &row(bulk))?;
    for (title, items) in [
        ("first of them", &bulk.sample),
        ("left alone", &bulk.excluded),
    ] {
        if !items.is_empty() {
            output::print_text(&format!("\n{title}:\n"))?;
            output::print_columns(context.output, &["certificate", "detail"], items)?;
        }
    }
    Ok(())
}

/// A bulk action on one line.
fn row(bulk: &Bulk) -> Value {
    json!({
        "id": bulk.id,
        "action": match &bulk.action {
            BulkAction::Renew {} => "renew".to_owned(),
            BulkAction::Revoke { reason } => format!("revoke ({reason})"),
            BulkAction::EditMetadata { metadata } => {
                let fields: Vec<&str> = metadata.keys().map(String::as_str).collect();
                format!("edit metadata ({})", fields.join(", "))
            }
            BulkAction::Transfer { team } => {
                format!("transfer ({})", team.as_deref().unwrap_or("to nobody"))
            }
        },
        "status": bulk.status,
        "pending": bulk.counts.pending,
        "done": bulk.counts.done,
        "failed": bulk.counts.failed,
        "excluded": bulk.counts.excluded,
        "created_at": bulk.created_at,
    })
}

const COLUMNS: &[&str] = &[
    "id",
    "action",
    "status",
    "pending",
    "done",
    "failed",
    "excluded",
    "created_at",
];
