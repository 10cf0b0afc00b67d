//! The event log in the words of systems that collect security events: CEF, OCSF, syslog.
//!
//! Everything here is made of an event as the REST API shows it, so that what a collector gets and
//! what an operator sees are one.

pub mod cef;
pub mod ocsf;
pub mod syslog;

use serde_json::Value;

use crate::rest::audit::Event;

/// How much an event matters; each format has numbers of its own for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Info,
    Notice,
    Warning,
    Critical,
}

/// The version of this program, as collectors are told it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Vendor and product, as collectors are told it.
pub const PRODUCT: &str = "Certwright";

/// `certificate.issued` as words: what happened, in a line.
fn title(event: &Event) -> String {
    event.name.replace(['.', '_'], " ")
}

/// The last word of a name: what was done.
fn verb(event: &Event) -> &str {
    event.name.rsplit('.').next().unwrap_or(&event.name)
}

/// What it was done to: everything before the verb.
fn noun(event: &Event) -> &str {
    event
        .name
        .rsplit_once('.')
        .map_or(event.name.as_str(), |(noun, _)| noun)
}

/// Whether the event tells that something did not work.
fn is_failure(event: &Event) -> bool {
    matches!(
        verb(event),
        "failed" | "denied" | "rejected" | "refused" | "locked"
    )
}

/// A member of the data as text, where it is a text or a number.
fn text(event: &Event, member: &str) -> Option<String> {
    match event.data.get(member)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
