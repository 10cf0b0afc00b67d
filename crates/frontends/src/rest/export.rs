//! The event log as JSON Lines: what `/audit/export` writes and `certwright audit verify` reads.
//!
//! First a header, then every event in order, then every checkpoint in order. The last checkpoint
//! is of the last event, so that nothing at the end goes without a signature.

use std::sync::Arc;

use bytes::Bytes;
use domain::event::{ChainFault, Checkpoint, EventHash, SealedEvent};
use futures::stream::{self, Stream};
use lifecycle::events::verify_export;
use lifecycle::{Lifecycle, StoreError};
use pki::key::PublicKey;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One line of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Line {
    Export(Header),
    Event(SealedEvent),
    Checkpoint(Checkpoint),
}

/// What an export says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The form of what follows.
    pub version: u32,
    pub exported_at: Timestamp,
    /// How many events follow.
    pub events: i64,
}

/// The form that is written.
const VERSION: u32 = 1;
const PAGE: u32 = 500;

/// Where the writer stands.
enum At {
    Header,
    Events(i64),
    Checkpoints(i64),
    End,
}

/// The lines of the log up to `end`, read page by page as the client takes them.
pub(crate) fn lines(
    lifecycle: Arc<Lifecycle>,
    end: Option<Checkpoint>,
) -> impl Stream<Item = Result<Bytes, StoreError>> + Send {
    let end = end.map_or(0, |checkpoint| checkpoint.position);
    stream::try_unfold(At::Header, move |at| {
        let lifecycle = Arc::clone(&lifecycle);
        async move {
            match at {
                At::Header => {
                    let header = Header {
                        version: VERSION,
                        exported_at: lifecycle.now(),
                        events: end,
                    };
                    Ok(Some((encode([Line::Export(header)]), At::Events(0))))
                }
                At::Events(after) => {
                    let mut page = lifecycle.sealed_events(after, PAGE).await?;
                    page.retain(|sealed| sealed.position <= end);
                    let next = match page.last() {
                        Some(last) if last.position < end => At::Events(last.position),
                        Some(_) | None => At::Checkpoints(0),
                    };
                    Ok(Some((encode(page.into_iter().map(Line::Event)), next)))
                }
                At::Checkpoints(after) => {
                    let mut page = lifecycle.checkpoints(after, PAGE).await?;
                    page.retain(|checkpoint| checkpoint.position <= end);
                    let next = match page.last() {
                        Some(last) if last.position < end => At::Checkpoints(last.position),
                        Some(_) | None => At::End,
                    };
                    Ok(Some((encode(page.into_iter().map(Line::Checkpoint)), next)))
                }
                At::End => Ok(None),
            }
        }
    })
}

fn encode(lines: impl IntoIterator<Item = Line>) -> Bytes {
    let mut text = Vec::new();
    for line in lines {
        // Unwrap safety: lines are of texts, numbers and JSON values, and a Vec takes any octet.
        serde_json::to_writer(&mut text, &line).expect("a line is JSON");
        text.push(b'\n');
    }
    Bytes::from(text)
}

/// Why an export is not what the server wrote.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportFault {
    #[error("line {line} is not a line of an export: {reason}")]
    Unreadable { line: usize, reason: String },
    #[error("the first line does not say that this is an export")]
    NoHeader,
    #[error(
        "the export has the form {0}, and this program reads the form {VERSION}; use a newer one"
    )]
    Version(u32),
    #[error(transparent)]
    Chain(#[from] ChainFault),
    #[error("the export says that {said} events follow, but there are {found}")]
    Count { said: i64, found: i64 },
    #[error(
        "no signed checkpoint covers the events after {covered}, and there are events up to {end}; \
         something was cut off or added"
    )]
    Uncovered { covered: i64, end: i64 },
    #[error(
        "the export ends at event {end}, but event {seen} was there before; the end was cut off"
    )]
    Shortened { end: i64, seen: i64 },
}

/// An export, read.
#[derive(Debug, Default)]
pub struct Export {
    pub events: Vec<SealedEvent>,
    pub checkpoints: Vec<Checkpoint>,
    said: i64,
}

/// What a sound export shows.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub events: i64,
    pub checkpoints: usize,
    /// The hash of the last event: keep it, to recognise the log by it next time.
    pub head: String,
    /// Whether the checkpoints' signatures were checked.
    pub signatures_checked: bool,
}

impl Export {
    /// Reads the lines of an export.
    pub fn read(text: &str) -> Result<Self, ExportFault> {
        let mut lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        let header = lines.next().ok_or(ExportFault::NoHeader)?;
        let said = match read_line(header)? {
            Line::Export(header) if header.version == VERSION => header.events,
            Line::Export(header) => return Err(ExportFault::Version(header.version)),
            Line::Event(_) | Line::Checkpoint(_) => return Err(ExportFault::NoHeader),
        };
        let mut export = Self {
            said,
            ..Self::default()
        };
        for line in lines {
            let number = line.0;
            match read_line(line)? {
                Line::Event(event) => export.events.push(event),
                Line::Checkpoint(checkpoint) => export.checkpoints.push(checkpoint),
                Line::Export(_) => {
                    let reason = "a second header".to_owned();
                    return Err(ExportFault::Unreadable {
                        line: number + 1,
                        reason,
                    });
                }
            }
        }
        Ok(export)
    }

    /// Checks everything that can be checked without the server: the chain from its first event
    /// to its last, the checkpoints against it, with `key` their signatures, and that the log is
    /// not shorter than it was (`seen`).
    pub fn verify(
        &self,
        key: Option<&PublicKey>,
        seen: Option<i64>,
    ) -> Result<Verified, ExportFault> {
        let (end, head): (i64, EventHash) = verify_export(&self.events, &self.checkpoints, key)?;
        let covered = self
            .checkpoints
            .iter()
            .map(|c| c.position)
            .max()
            .unwrap_or(0);
        if covered < end {
            return Err(ExportFault::Uncovered { covered, end });
        }
        if self.said != end {
            return Err(ExportFault::Count {
                said: self.said,
                found: end,
            });
        }
        match seen {
            Some(seen) if seen > end => Err(ExportFault::Shortened { end, seen }),
            Some(_) | None => Ok(Verified {
                events: end,
                checkpoints: self.checkpoints.len(),
                head: head.to_string(),
                signatures_checked: key.is_some(),
            }),
        }
    }
}

fn read_line((number, line): (usize, &str)) -> Result<Line, ExportFault> {
    serde_json::from_str(line).map_err(|error| ExportFault::Unreadable {
        line: number + 1,
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
