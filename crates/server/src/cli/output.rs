//! Answers on standard output: tables for people, JSON for programs.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, TableStyle};
use serde::Serialize;

use super::ordered::Ordered;

/// The form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// One JSON value for programs.
    Json,
}

/// Prints any value: a list of objects as a table with a row each, an object as one with a row per
/// member, anything else as itself.
pub fn print(format: Format, value: &impl Serialize) -> io::Result<()> {
    print_columns(format, &[], value)
}

/// The same with a choice of columns (or members) and their order; JSON always has all of them.
pub fn print_columns(format: Format, columns: &[&str], value: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let text = match format {
        Format::Json => serde_json::to_string_pretty(value)?,
        Format::Table => {
            let width = (!out.is_terminal()).then_some(UNBOUNDED);
            table(&Ordered::of(value)?, columns, width)
        }
    };
    writeln!(out, "{text}")
}

/// Prints text as it is.
pub fn print_text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints octets as they are.
pub fn print_octets(octets: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(octets)?;
    out.flush()
}

/// Tells the person something that is no part of the answer.
#[expect(clippy::print_stderr, reason = "a remark belongs on standard error")]
pub fn note(text: &str) {
    eprintln!("{text}");
}

/// In a pipe nothing wraps: `grep` and `awk` see one row per line.
const UNBOUNDED: u16 = u16::MAX;

fn table(value: &Ordered, columns: &[&str], width: Option<u16>) -> String {
    let is_object = |value: &Ordered| matches!(value, Ordered::Object(_));
    match value {
        Ordered::List(rows) if rows.is_empty() => "nothing found".to_owned(),
        Ordered::List(rows) if rows.iter().all(is_object) => listing(rows, columns, width),
        Ordered::List(items) => items
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
        Ordered::Object(_) => {
            let mut table = plain(width);
            for name in chosen(columns, std::slice::from_ref(value)) {
                table.add_row([heading(name), cell(value, name)]);
            }
            finished(table)
        }
        Ordered::Nothing | Ordered::Text(_) => value.to_string(),
    }
}

fn listing(rows: &[Ordered], columns: &[&str], width: Option<u16>) -> String {
    let columns = chosen(columns, rows);
    let mut table = plain(width);
    table.set_header(columns.iter().map(|name| heading(name)));
    for row in rows {
        table.add_row(columns.iter().map(|name| cell(row, name)));
    }
    finished(table)
}

/// The columns asked for, or all that any row has.
fn chosen<'a>(columns: &[&'a str], rows: &'a [Ordered]) -> Vec<&'a str> {
    let mut chosen = columns.to_vec();
    if chosen.is_empty() {
        for name in rows.iter().flat_map(Ordered::names) {
            if !chosen.contains(&name) {
                chosen.push(name);
            }
        }
    }
    chosen
}

fn plain(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new())
        .set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width {
        table.set_width(width);
    }
    table
}

/// Columns begin at the left edge and stand two spaces apart.
fn finished(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

fn heading(name: &str) -> String {
    name.replace('_', " ").to_uppercase()
}

fn cell(row: &Ordered, name: &str) -> String {
    row.get(name).map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(value: &impl Serialize) -> String {
        table(&Ordered::of(value).unwrap(), &[], Some(UNBOUNDED))
    }

    #[test]
    fn a_list_of_objects_has_a_header_and_a_row_each() {
        let text = shown(
            &json!([{"id": "crt_1", "not_after": "2027"}, {"id": "crt_2", "names": ["a", "b"]}]),
        );
        let rows: Vec<Vec<&str>> = text
            .lines()
            .map(|line| {
                line.split("  ")
                    .map(str::trim)
                    .filter(|c| !c.is_empty())
                    .collect()
            })
            .collect();
        assert_eq!(
            rows,
            [
                vec!["ID", "NOT AFTER", "NAMES"],
                vec!["crt_1", "2027"],
                vec!["crt_2", "a, b"]
            ]
        );
    }

    #[test]
    fn columns_are_chosen_and_ordered() {
        let rows = Ordered::of(&json!([{"a": 1, "b": 2, "c": 3}])).unwrap();
        assert_eq!(table(&rows, &["c", "a"], Some(UNBOUNDED)), "C  A\n3  1");
        let object = Ordered::of(&json!({"a": 1, "b": 2})).unwrap();
        assert_eq!(table(&object, &["b", "a"], Some(UNBOUNDED)), "B  2\nA  1");
    }

    #[test]
    fn terminal_escapes_of_strangers_are_dropped() {
        assert_eq!(shown(&json!("a\u{1b}[31mb\u{7}")), "a[31mb");
    }

    #[test]
    fn a_long_cell_stays_on_its_line_in_a_pipe() {
        let long = "x".repeat(500);
        assert_eq!(shown(&json!([{ "name": long }])).lines().count(), 2);
    }
}
