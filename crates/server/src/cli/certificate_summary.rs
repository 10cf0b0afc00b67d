//! `certwright certificate summary`: the inventory's figures.

use protocols::rest::inventory::{Figures, InventorySummary, Slice};
use serde_json::{Value, json};

use super::Context;
use super::exit::Failure;
use super::output::{self, Format};

const COLUMNS: &[&str] = &[
    "what",
    "total",
    "valid",
    "7_days",
    "30_days",
    "90_days",
    "expired",
    "revoked",
    "not_yet_valid",
];

/// Prints figures: for people a row each, for programs the answer as it is.
pub fn print(context: &Context, summary: &InventorySummary) -> Result<(), Failure> {
    match context.output {
        Format::Json => Ok(output::print(context.output, summary)?),
        Format::Table => {
            let rows = rows(summary);
            Ok(output::print_columns(context.output, COLUMNS, &rows)?)
        }
    }
}

fn rows(summary: &InventorySummary) -> Vec<Value> {
    let mut rows = vec![
        row("all".to_owned(), &summary.all),
        row("weak keys".to_owned(), &summary.weak_key),
        json!({ "what": "requests that failed in 7 days", "total": summary.failed_requests }),
    ];
    for (kind, slices) in [
        ("issuer", &summary.by_issuer),
        ("profile", &summary.by_profile),
        ("team", &summary.by_team),
        ("key", &summary.by_key_kind),
        ("origin", &summary.by_origin),
    ] {
        let titled = |slice: &Slice| {
            let name = slice.name.as_deref().unwrap_or("(none)");
            row(format!("{kind} {name}"), &slice.figures)
        };
        rows.extend(slices.iter().map(titled));
    }
    rows
}

fn row(what: String, figures: &Figures) -> Value {
    json!({
        "what": what,
        "total": figures.total,
        "valid": figures.valid,
        "7_days": figures.expiring_7_days,
        "30_days": figures.expiring_30_days,
        "90_days": figures.expiring_90_days,
        "expired": figures.expired,
        "revoked": figures.revoked,
        "not_yet_valid": figures.not_yet_valid,
    })
}
