//! Syslog: the message (RFC 5424) and how messages are told apart on a stream (RFC 6587, RFC 5425).

use super::{Level, VERSION};
use crate::rest::audit::Event;

/// Where a message says it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// 0 to 23 (RFC 5424 section 6.2.1); 13 is the audit log.
    pub facility: u8,
    pub hostname: String,
    pub app_name: String,
}

/// How messages are told apart on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The length goes before each (RFC 6587 section 3.4.1; the only one of RFC 5425).
    OctetCounting,
    /// A line feed goes behind each (RFC 6587 section 3.4.2).
    NewLine,
}

/// A message around a payload of one line (RFC 5424 section 6). Where the event stands in the log
/// is its `sequenceId`, so that a gap shows at the collector.
pub fn message(
    source: &Source,
    event: &Event,
    level: Level,
    position: Option<i64>,
    payload: &str,
) -> String {
    let priority = u32::from(source.facility.min(23)) * 8 + severity(level);
    let sequence = position
        // RFC 5424 section 7.3.1: it restarts at 1 behind 2147483647.
        .map(|position| (position - 1).rem_euclid(2_147_483_647) + 1)
        .map_or_else(String::new, |number| {
            format!("[meta sequenceId=\"{number}\"]")
        });
    format!(
        "<{priority}>1 {} {} {} {} {} [origin software=\"certwright\" swVersion=\"{VERSION}\"]{sequence} {}",
        event.at,
        word(&source.hostname, 255),
        word(&source.app_name, 48),
        word(&event.actor.id, 128),
        word(&event.name, 32),
        one_line(payload),
    )
}

/// A message as it goes into a stream.
pub fn frame(message: &str, framing: Framing) -> Vec<u8> {
    match framing {
        Framing::OctetCounting => format!("{} {message}", message.len()).into_bytes(),
        Framing::NewLine => format!("{message}\n").into_bytes(),
    }
}

fn severity(level: Level) -> u32 {
    match level {
        Level::Info => 6,
        Level::Notice => 5,
        Level::Warning => 4,
        Level::Critical => 2,
    }
}

/// Printable ASCII without spaces, or the nil value.
fn word(text: &str, most: usize) -> String {
    let word: String = text
        .chars()
        .filter(char::is_ascii_graphic)
        .take(most)
        .collect();
    if word.is_empty() {
        "-".to_owned()
    } else {
        word
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
