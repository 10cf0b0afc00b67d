//! What happened: one log that is the audit trail and, read behind a cursor, the outbox.
//!
//! An event is written in the transaction of the change it tells of. A little later a sealing job
//! gives it its position and chains it to its predecessor by hash; from then on an edit, a
//! deletion or a change of order shows.

use std::fmt;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::EventId;

/// Something that happened, in the words of the dotted past tense.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub id: EventId,
    /// `certificate.issued`, `enrollment.rejected`, …
    pub name: String,
    pub at: Timestamp,
    pub actor: Actor,
    /// The id of what it happened to.
    pub object: String,
    /// Details by name; never secrets.
    pub data: Value,
    /// The HTTP request in whose course it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Event {
    /// Adds a detail that only the transaction knows: what was there before, what is there now.
    pub fn note(&mut self, member: &str, value: impl Serialize) {
        if let (Value::Object(data), Ok(value)) = (&mut self.data, serde_json::to_value(value)) {
            data.insert(member.to_owned(), value);
        }
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub kind: ActorKind,
    /// An id or a name, by kind.
    pub id: String,
    /// The address the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl Actor {
    /// This program, on its own account.
    pub fn system() -> Self {
        Self {
            kind: ActorKind::System,
            id: "certwright".to_owned(),
            address: None,
        }
    }
}

/// The kinds of actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    AcmeAccount,
    /// A client of EST or SCEP, by the password or certificate that it showed.
    Client,
    /// Someone without credentials, or with the key of a certificate.
    Anonymous,
    /// An operator at the machine's own console.
    Console,
    System,
    Token,
    /// Someone who signed in.
    User,
}

/// An event in its place in the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SealedEvent {
    /// Counts from 1 without gaps.
    pub position: i64,
    pub event: Event,
    pub hash: EventHash,
}

/// SHA-256 over the predecessor's hash and the event's canonical form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EventHash(pub [u8; 32]);

impl EventHash {
    /// What the first event is chained to.
    pub const GENESIS: Self = Self([0; 32]);

    /// The hash of `event` at `position` after `previous`.
    pub fn next(previous: Self, position: i64, event: &Event) -> Self {
        let mut input = Vec::with_capacity(512);
        input.extend_from_slice(b"certwright event 1\n");
        input.extend_from_slice(&previous.0);
        input.extend_from_slice(&position.to_be_bytes());
        input.extend_from_slice(canonical(event).as_bytes());
        Self(pki::fingerprint::Fingerprint::of(&input).0)
    }
}

/// JSON with sorted keys and without white space; `serde_json`'s map is sorted by itself.
fn canonical(event: &Event) -> String {
    serde_json::to_value(event)
        .map(|value| value.to_string())
        .unwrap_or_default()
}

impl fmt::Debug for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl Serialize for EventHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        data_encoding::HEXLOWER
            .decode(text.as_bytes())
            .ok()
            .and_then(|octets| octets.try_into().ok())
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("an event hash is 64 hexadecimal digits"))
    }
}

/// A signed statement of where the chain stood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub position: i64,
    pub hash: EventHash,
    pub at: Timestamp,
    /// Over [`Checkpoint::statement`], base64.
    pub signature: String,
    /// The key that signed: SHA-256 of its SPKI, hex.
    pub key_id: String,
}

impl Checkpoint {
    /// What a checkpoint's signature is made over.
    pub fn statement(position: i64, hash: EventHash, at: Timestamp) -> Vec<u8> {
        format!(
            "certwright checkpoint 1\n{position}\n{hash}\n{}\n",
            at.millis()
        )
        .into_bytes()
    }
}

/// What `verify` found wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    #[error(
        "after event {after} comes event {found}: something between them is missing or out of order"
    )]
    Gap { after: i64, found: i64 },
    #[error("event {position} was changed after it was sealed")]
    Altered { position: i64 },
    #[error("the chain ends at event {end}, but a checkpoint saw event {seen}")]
    Truncated { end: i64, seen: i64 },
    #[error("the checkpoint at event {position} does not agree with the chain")]
    CheckpointDisagrees { position: i64 },
    #[error("the signature of the checkpoint at event {position} is not of the expected key")]
    CheckpointSignature { position: i64 },
}

/// Follows the chain from where `previous` left off; gives the new end.
pub fn verify_chain<'a>(
    start: (i64, EventHash),
    events: impl IntoIterator<Item = &'a SealedEvent>,
) -> Result<(i64, EventHash), ChainFault> {
    let (mut position, mut hash) = start;
    for sealed in events {
        if sealed.position != position + 1 {
            return Err(ChainFault::Gap {
                after: position,
                found: sealed.position,
            });
        }
        position += 1;
        hash = EventHash::next(hash, position, &sealed.event);
        if hash != sealed.hash {
            return Err(ChainFault::Altered { position });
        }
    }
    Ok((position, hash))
}
