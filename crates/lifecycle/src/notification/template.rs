//! Texts of messages, made from templates (Jinja's syntax).
//!
//! Who writes a template is trusted with words, not with the process: a render has a budget of fuel
//! that bounds its time and memory, and what stands in an event is escaped for the place where it
//! is shown. A template that does not work is refused when it is saved.

use std::fmt::Write;

use domain::event::{Actor, ActorKind, Event};
use domain::id::EventId;
use domain::notification::notifier::Format;
use domain::notification::severity::Severity;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, HtmlEscape, UndefinedBehavior};
use pki::random::Random;
use pki::time::Timestamp;
use serde_json::json;

/// Instructions of a render, and 64 octets of text for each.
const FUEL: u64 = 20_000;
/// Longer ones are no texts of messages.
const MOST_SOURCE: usize = 16 * 1024;
const MOST_SUBJECT: usize = 200;

/// The place where a text is shown, which decides how values are written into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// One line of plain text.
    Subject(Format),
    Text(Format),
    Html,
}

/// What is wrong with a template or an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{part}`, line {line}, column {column}: {reason}")]
pub struct TemplateFault {
    /// `subject`, `text`, `html` or `when`.
    pub part: &'static str,
    pub line: usize,
    pub column: usize,
    pub reason: String,
}

/// What a template may speak of.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    pub event: &'a Event,
    pub severity: Severity,
    pub server: &'a str,
    /// A link by which this recipient decides, where there is something to decide.
    pub link: Option<&'a str>,
}

impl Subject<'_> {
    fn values(&self) -> Value {
        Value::from(Serde(json!({
            "event": self.event,
            "title": self.event.name.replace(['.', '_'], " "),
            "severity": self.severity,
            "server": self.server,
            "link": self.link,
        })))
    }
}

/// The text that a template makes.
pub fn render(place: Place, source: &str, subject: &Subject<'_>) -> Result<String, TemplateFault> {
    let part = place.part();
    if source.len() > MOST_SOURCE {
        return Err(TemplateFault {
            part,
            line: 1,
            column: 1,
            reason: format!("it is longer than {MOST_SOURCE} octets"),
        });
    }
    let environment = environment(place);
    let rendered = environment
        .template_from_str(source)
        .and_then(|template| template.render(subject.values()))
        .map_err(|error| fault(part, source, &error))?;
    match place {
        Place::Subject(_) => Ok(one_line(&rendered)),
        Place::Text(Format::Json) => match serde_json::from_str::<serde_json::Value>(&rendered) {
            Ok(value) => Ok(value.to_string()),
            Err(error) => Err(TemplateFault {
                part,
                line: error.line(),
                column: error.column(),
                reason: format!("what it makes is no JSON: {error}"),
            }),
        },
        Place::Text(_) | Place::Html => Ok(rendered),
    }
}

/// Whether an expression holds for an event; what does not compute does not hold.
pub fn holds(expression: &str, event: &Event, severity: Severity) -> bool {
    evaluate(expression, event, severity).unwrap_or(false)
}

/// Refuses a template that cannot be read, or that fails with an event that may well happen.
pub fn check(place: Place, source: &str) -> Result<(), TemplateFault> {
    for event in samples() {
        render(place, source, &sample_subject(&event))?;
    }
    Ok(())
}

/// Refuses an expression that cannot be read, or that fails with an event that may well happen.
pub fn check_condition(expression: &str) -> Result<(), TemplateFault> {
    for event in samples() {
        evaluate(expression, &event, Severity::of(&event))?;
    }
    Ok(())
}

fn evaluate(expression: &str, event: &Event, severity: Severity) -> Result<bool, TemplateFault> {
    let environment = environment(Place::Text(Format::Plain));
    let subject = Subject {
        event,
        severity,
        server: "",
        link: None,
    };
    environment
        .compile_expression(expression)
        .and_then(|expression| expression.eval(subject.values()))
        .map(|value| value.is_true())
        .map_err(|error| fault("when", expression, &error))
}

impl Place {
    fn part(self) -> &'static str {
        match self {
            Self::Subject(_) => "subject",
            Self::Text(_) => "text",
            Self::Html => "html",
        }
    }
}

fn environment(place: Place) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    // Events differ in what they say of themselves; what one does not say is empty.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    // Where in the source an error is.
    environment.set_debug(true);
    environment.set_formatter(move |out, _, value| {
        write(out, place, value).map_err(|_| Error::new(ErrorKind::WriteFailure, "out of space"))
    });
    environment
}

fn write(out: &mut impl Write, place: Place, value: &Value) -> std::fmt::Result {
    let format = match place {
        Place::Html => return write!(out, "{}", HtmlEscape(&shown(value))),
        Place::Subject(format) | Place::Text(format) => format,
    };
    match format {
        Format::Json => {
            let json = serde_json::to_string(value).map_err(|_| std::fmt::Error)?;
            out.write_str(&json)
        }
        Format::Plain => out.write_str(&shown(value)),
        Format::Mrkdwn => {
            for character in shown(value).chars() {
                match character {
                    '&' => out.write_str("&amp;")?,
                    '<' => out.write_str("&lt;")?,
                    '>' => out.write_str("&gt;")?,
                    c => out.write_char(c)?,
                }
            }
            Ok(())
        }
        Format::Markdown => {
            for character in shown(value).chars() {
                if matches!(character, '\\' | '[' | ']' | '*' | '_' | '`' | '<' | '#') {
                    out.write_char('\\')?;
                }
                out.write_char(character)?;
            }
            Ok(())
        }
    }
}

/// A value as text in which nothing hides: no control characters, and none that turn the direction
/// of what follows.
fn shown(value: &Value) -> String {
    if value.is_undefined() || value.is_none() {
        return String::new();
    }
    let text = value.to_string();
    text.chars()
        .map(|character| match character {
            c if c.is_control() => ' ',
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' => {
                char::REPLACEMENT_CHARACTER
            }
            c => c,
        })
        .collect()
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(MOST_SUBJECT).collect()
}

fn fault(part: &'static str, source: &str, error: &Error) -> TemplateFault {
    let at = error.range().map(|range| range.start);
    let (line, column) = match at.and_then(|at| source.get(..at)) {
        Some(before) => {
            let line = before.matches('\n').count() + 1;
            let begin = before.rfind('\n').map_or(0, |at| at + 1);
            let column = before.get(begin..).unwrap_or_default().chars().count() + 1;
            (line, column)
        }
        None => (error.line().unwrap_or(1), 1),
    };
    let reason = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it takes too long or makes too much text".to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    TemplateFault {
        part,
        line,
        column,
        reason,
    }
}

/// Events as they may happen, for checks and previews: one with much to say, one with little.
pub fn samples() -> Vec<Event> {
    let sample = |name: &str, object: &str, data| Event {
        id: EventId::mint(Timestamp::UNIX_EPOCH, &Zeros),
        name: name.to_owned(),
        at: Timestamp::from_seconds(1_800_000_000),
        actor: Actor {
            kind: ActorKind::User,
            id: "usr_00000000000000000000000000".to_owned(),
            address: Some("192.0.2.7".to_owned()),
        },
        object: object.to_owned(),
        data,
        request_id: Some("req_00000000000000000000000000".to_owned()),
    };
    let certificate = "crt_00000000000000000000000000";
    vec![
        sample(
            "certificate.expiring",
            certificate,
            json!({
                "certificate": certificate,
                "names": ["www.example.org", "example.org"],
                "serial": "0123456789abcdef",
                "issuer": "issuing",
                "profile": "default",
                "team": "team_00000000000000000000000000",
                "team_name": "web",
                "metadata": { "cost_centre": "4711" },
                "not_after": Timestamp::from_seconds(1_801_000_000),
                "days_left": 11,
                "threshold": 15,
                "crossed": [15],
            }),
        ),
        sample(
            "channel.tested",
            "chn_00000000000000000000000000",
            json!({}),
        ),
    ]
}

/// The sample's side of a template.
pub fn sample_subject(event: &Event) -> Subject<'_> {
    Subject {
        event,
        severity: Severity::of(event),
        server: "https://ca.example.org",
        link: None,
    }
}

struct Zeros;

impl Random for Zeros {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

#[cfg(test)]
mod tests;
