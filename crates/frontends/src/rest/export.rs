//! The event log as JSON Lines: what `/audit/export` writes and `certwright audit verify` reads.
//!
//! First a header, then every event in order, and behind an event the checkpoint that saw it last.
//! The last checkpoint is of the last event, so that nothing at the end goes without a signature.
//! Whoever verifies needs no more than a line at a time.

use std::io::{BufRead, Read};
use std::sync::Arc;

use bytes::Bytes;
use domain::event::{ChainFault, Checkpoint, EventHash, SealedEvent, verify_chain};
use futures::stream::{self, Stream};
use lifecycle::events::verify_signature;
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
/// No event is nearly as long; what is, is no export.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

/// Where the writer stands.
enum At {
    Header,
    Behind(i64),
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
                    Ok(Some((encode([Line::Export(header)]), At::Behind(0))))
                }
                At::Behind(after) if after >= end => Ok(None),
                At::Behind(after) => {
                    let mut events = lifecycle.sealed_events(after, PAGE).await?;
                    events.retain(|sealed| sealed.position <= end);
                    let Some(last) = events.last().map(|last| last.position) else {
                        return Ok(None);
                    };
                    let checkpoints = lifecycle.checkpoints(after, PAGE).await?;
                    Ok(Some((encode(merge(events, checkpoints)), At::Behind(last))))
                }
            }
        }
    })
}

/// A page of events, with each checkpoint behind the event that it saw last. No page of events has
/// more checkpoints than events.
fn merge(events: Vec<SealedEvent>, checkpoints: Vec<Checkpoint>) -> Vec<Line> {
    let mut checkpoints = checkpoints.into_iter().peekable();
    let mut lines = Vec::with_capacity(events.len() + 1);
    for event in events {
        let position = event.position;
        lines.push(Line::Event(event));
        while let Some(checkpoint) = checkpoints.next_if(|c| c.position <= position) {
            lines.push(Line::Checkpoint(checkpoint));
        }
    }
    lines
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
    #[error("the export cannot be read: {0}")]
    Read(String),
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

/// Checks everything that can be checked without the server, line by line: the chain from its first
/// event to its last, the checkpoints in it, with `key` their signatures, and that the log is not
/// shorter than it was (`seen`).
pub fn verify(
    mut text: impl BufRead,
    key: Option<&PublicKey>,
    seen: Option<i64>,
) -> Result<Verified, ExportFault> {
    let mut verifier: Option<Verifier<'_>> = None;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = text
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line);
        match read.map_err(|error| ExportFault::Read(error.to_string()))? {
            0 => break,
            _ if line.trim_ascii().is_empty() => continue,
            _ => {}
        }
        let read = read_line(number, &line)?;
        match (&mut verifier, read) {
            (None, Line::Export(header)) if header.version == VERSION => {
                verifier = Some(Verifier::new(key, header.events));
            }
            (None, Line::Export(header)) => return Err(ExportFault::Version(header.version)),
            (None, Line::Event(_) | Line::Checkpoint(_)) => return Err(ExportFault::NoHeader),
            (Some(verifier), Line::Event(event)) => verifier.event(&event)?,
            (Some(verifier), Line::Checkpoint(checkpoint)) => verifier.checkpoint(&checkpoint)?,
            (Some(_), Line::Export(_)) => {
                let reason = "a second header".to_owned();
                return Err(ExportFault::Unreadable {
                    line: number,
                    reason,
                });
            }
        }
    }
    verifier.ok_or(ExportFault::NoHeader)?.finish(seen)
}

/// Where a verification stands.
struct Verifier<'k> {
    key: Option<&'k PublicKey>,
    /// How many events the header says there are.
    said: i64,
    end: (i64, EventHash),
    /// The last event that a checkpoint saw.
    covered: i64,
    checkpoints: usize,
}

impl<'k> Verifier<'k> {
    fn new(key: Option<&'k PublicKey>, said: i64) -> Self {
        Self {
            key,
            said,
            end: (0, EventHash::GENESIS),
            covered: 0,
            checkpoints: 0,
        }
    }

    fn event(&mut self, event: &SealedEvent) -> Result<(), ExportFault> {
        self.end = verify_chain(self.end, [event])?;
        Ok(())
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), ExportFault> {
        let (end, hash) = self.end;
        let position = checkpoint.position;
        if position > end {
            return Err(ChainFault::Truncated {
                end,
                seen: position,
            }
            .into());
        }
        if position < end || checkpoint.hash != hash {
            return Err(ChainFault::CheckpointDisagrees { position }.into());
        }
        if let Some(key) = self.key {
            verify_signature(checkpoint, key)?;
        }
        self.covered = position;
        self.checkpoints += 1;
        Ok(())
    }

    fn finish(self, seen: Option<i64>) -> Result<Verified, ExportFault> {
        let (end, head) = self.end;
        let covered = self.covered;
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
                checkpoints: self.checkpoints,
                head: head.to_string(),
                signatures_checked: self.key.is_some(),
            }),
        }
    }
}

fn read_line(number: usize, line: &[u8]) -> Result<Line, ExportFault> {
    serde_json::from_slice(line).map_err(|error| ExportFault::Unreadable {
        line: number,
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
