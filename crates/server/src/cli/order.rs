//! `certwright order`: ACME orders, and why they failed.

use clap::{Args, Subcommand};
use protocols::rest::authorization::{Authorization, Challenge, ChallengeStatus, Identifier};
use protocols::rest::order::{Order, OrderDetails, OrderQuery};
use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::output::{self, Format};
use super::paging::{self, Paging};

/// Arguments of `certwright order`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright order list --account acc_…
  certwright order show ord_…                        # why did it fail?")]
pub struct OrderCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List ACME orders, newest first
    #[command(after_help = "Example:
  certwright order list --directory default --limit 20")]
    List {
        /// Name of an ACME directory
        #[arg(long)]
        directory: Option<String>,
        /// Id of an ACME account
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one ACME order with every failed probe and its way through the pipeline
    #[command(after_help = "Example:
  certwright order show ord_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the order
        id: String,
    },
}

impl OrderCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List {
                directory,
                account,
                paging,
            } => {
                let query = OrderQuery { directory, account };
                let page = client
                    .list::<Order>(&["acme", "orders"], &query, &paging)
                    .await?;
                paging::print_rows(context, COLUMNS, &page, row)
            }
            Verb::Show { id } => {
                let order: OrderDetails = client.get(&["acme", "orders", &id]).await?;
                match context.output {
                    Format::Json => Ok(output::print(context.output, &order)?),
                    Format::Table => show(&order),
                }
            }
        }
    }
}

fn show(details: &OrderDetails) -> Result<(), Failure> {
    let mut head = row(&details.order);
    if let Value::Object(members) = &mut head {
        members.insert("explanation".to_owned(), json!(details.explanation));
    }
    let columns = [COLUMNS, &["explanation"]].concat();
    output::print_columns(Format::Table, &columns, &head)?;
    let probes: Vec<Value> = details.authorizations.iter().flat_map(challenges).collect();
    if !probes.is_empty() {
        output::print_text("\n")?;
        output::print_columns(Format::Table, PROBES, &probes)?;
    }
    if let Some(pipeline) = &details.pipeline {
        output::print_text("\n")?;
        let violations = pipeline
            .violations
            .iter()
            .map(|v| format!("{}: {}", v.rule, v.message));
        let shown = json!({
            "enrollment": pipeline.id,
            "status": pipeline.status,
            "issuer": pipeline.issuer,
            "attempts": pipeline.attempts,
            "reason": pipeline.reason,
            "violations": violations.collect::<Vec<_>>(),
        });
        output::print_columns(Format::Table, PIPELINE, &shown)?;
    }
    Ok(())
}

/// A line for each challenge that was tried, and under it one for each probe that failed.
fn challenges(authorization: &Authorization) -> Vec<Value> {
    let name = match authorization.wildcard {
        true => format!("*.{}", authorization.identifier.value),
        false => authorization.identifier.value.clone(),
    };
    let line = |challenge: &Challenge| {
        let first = json!({
            "name": name,
            "authorization": authorization.status,
            "challenge": challenge.kind,
            "status": challenge.status,
            "at": challenge.validated_at,
            "detail": null,
        });
        let attempts = challenge.attempts.iter().map(|attempt| {
            json!({
                "challenge": challenge.kind,
                "status": attempt.error,
                "at": attempt.at,
                "detail": attempt.detail,
            })
        });
        std::iter::once(first).chain(attempts).collect::<Vec<_>>()
    };
    let offered = authorization.challenges.iter();
    let tried: Vec<&Challenge> = offered
        .filter(|challenge| challenge.status != ChallengeStatus::Pending)
        .collect();
    match tried.as_slice() {
        [] => vec![json!({
            "name": name,
            "authorization": authorization.status,
            "challenge": authorization.proof,
        })],
        tried => tried.iter().copied().flat_map(line).collect(),
    }
}

/// An order on one line.
fn row(order: &Order) -> Value {
    let names = order
        .identifiers
        .iter()
        .map(|Identifier { value, .. }| value.as_str());
    json!({
        "id": order.id,
        "status": order.status,
        "names": names.collect::<Vec<_>>(),
        "profile": order.profile,
        "directory": order.directory,
        "account": order.account,
        "created_at": order.created_at,
        "certificate": order.certificate,
        "error": order.error,
    })
}

const COLUMNS: &[&str] = &[
    "id",
    "status",
    "names",
    "profile",
    "directory",
    "account",
    "created_at",
    "certificate",
    "error",
];
const PROBES: &[&str] = &[
    "name",
    "authorization",
    "challenge",
    "status",
    "at",
    "detail",
];
const PIPELINE: &[&str] = &[
    "enrollment",
    "status",
    "issuer",
    "attempts",
    "reason",
    "violations",
];
