//! ArcSight Common Event Format, version 0: one line for each event.

use std::fmt::Write;

use pki::time::Timestamp;

use super::{Level, PRODUCT, VERSION, is_failure, text, title, verb};
use crate::rest::audit::Event;

/// What is told of the details at most; a collector cuts longer lines anywhere.
const MAX_DETAILS: usize = 4096;

/// The event as a line, without its end.
pub fn line(event: &Event, level: Level) -> String {
    let mut line = format!(
        "CEF:0|{PRODUCT}|{PRODUCT}|{VERSION}|{}|{}|{}|",
        header(&event.name),
        header(&title(event)),
        severity(level),
    );
    let mut extension = Extension(&mut line);
    extension.put("rt", &event.at.millis().to_string());
    extension.put("externalId", &event.id);
    extension.put("act", verb(event));
    let outcome = if is_failure(event) {
        "failure"
    } else {
        "success"
    };
    extension.put("outcome", outcome);
    extension.put("suser", &event.actor.id);
    extension.put_some("src", event.actor.address.as_deref());
    extension.put_some("reason", text(event, "reason").as_deref());
    let name = event.data.get("names").and_then(|names| names.get(0));
    extension.put_some("dhost", name.and_then(serde_json::Value::as_str));
    extension.custom(1, "serial", text(event, "serial"));
    extension.custom(2, "issuer", text(event, "issuer"));
    extension.custom(3, "profile", text(event, "profile"));
    extension.custom(4, "requestId", event.request_id.clone());
    extension.custom(5, "object", Some(event.object.clone()));
    extension.custom(6, "team", text(event, "team"));
    extension.not_after(event);
    extension.put("msg", &bounded(&event.data.to_string()));
    line.truncate(line.trim_end().len());
    line
}

fn severity(level: Level) -> u8 {
    match level {
        Level::Info => 2,
        Level::Notice => 4,
        Level::Warning => 7,
        Level::Critical => 9,
    }
}

/// In the header `\` and `|` are escaped, and lines do not end.
fn header(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '|' => escaped.extend(['\\', character]),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Cut between characters.
fn bounded(text: &str) -> String {
    if text.len() <= MAX_DETAILS {
        return text.to_owned();
    }
    let mut end = MAX_DETAILS;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// `key=value` pairs with a space behind each.
struct Extension<'a>(&'a mut String);

impl Extension<'_> {
    fn put(&mut self, key: &str, value: &str) {
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{key}=");
        for character in value.chars() {
            match character {
                '\\' | '=' => self.0.extend(['\\', character]),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                c if c.is_control() => self.0.push(' '),
                c => self.0.push(c),
            }
        }
        self.0.push(' ');
    }

    fn put_some(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    fn custom(&mut self, number: u8, label: &str, value: Option<String>) {
        if let Some(value) = value {
            self.put(&format!("cs{number}Label"), label);
            self.put(&format!("cs{number}"), &value);
        }
    }

    fn not_after(&mut self, event: &Event) {
        let not_after = text(event, "not_after").and_then(|text| text.parse::<Timestamp>().ok());
        let Some(not_after) = not_after else {
            return;
        };
        self.put("deviceCustomDate1Label", "notAfter");
        self.put("deviceCustomDate1", &not_after.millis().to_string());
        let days = (not_after.millis() - event.at.millis()).div_euclid(24 * 60 * 60 * 1000);
        self.put("cn1Label", "daysLeft");
        self.put("cn1", &days.to_string());
    }
}
