//! How much of a list a command shows.

use clap::Args;
use protocols::rest::page::Page;
use serde::Serialize;
use serde_json::Value;

use super::Context;
use super::exit::Failure;
use super::output::{self, Format};

/// Flags of every `list`.
#[derive(Clone, Debug, Args)]
pub struct Paging {
    /// Most items to show
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Go on behind this item
    #[arg(long, value_name = "ID")]
    pub after: Option<String>,
    /// Show all there is
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
}

impl Paging {
    /// Everything, for commands that look for something.
    pub fn everything() -> Self {
        Self {
            limit: u32::MAX,
            after: None,
            all: true,
        }
    }

    /// How many items are still to be fetched.
    pub fn left(&self, fetched: usize) -> u32 {
        match self.all {
            true => u32::MAX,
            false => self
                .limit
                .saturating_sub(u32::try_from(fetched).unwrap_or(u32::MAX)),
        }
    }
}

/// Prints a page, and on standard error that there is more.
pub fn print<T: Serialize>(
    context: &Context,
    columns: &[&str],
    page: &Page<T>,
) -> Result<(), Failure> {
    output::print_columns(context.output, columns, &page.items)?;
    note_more(page);
    Ok(())
}

/// As [`print()`], with a row of its own making for each item of a table.
pub fn print_rows<T: Serialize>(
    context: &Context,
    columns: &[&str],
    page: &Page<T>,
    row: impl Fn(&T) -> Value,
) -> Result<(), Failure> {
    print_items(context, columns, &page.items, row)?;
    note_more(page);
    Ok(())
}

/// The items of a list that is not paged.
pub fn print_items<T: Serialize>(
    context: &Context,
    columns: &[&str],
    items: &[T],
    row: impl Fn(&T) -> Value,
) -> Result<(), Failure> {
    match context.output {
        Format::Json => output::print(context.output, &items)?,
        Format::Table => {
            let rows: Vec<Value> = items.iter().map(row).collect();
            output::print_columns(context.output, columns, &rows)?;
        }
    }
    Ok(())
}

fn note_more<T>(page: &Page<T>) {
    if let Some(next) = &page.next {
        output::note(&format!("there is more: --all, or --after {next}"));
    }
}
