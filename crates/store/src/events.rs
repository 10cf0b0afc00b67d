//! The event log: written at once, given its place in the hash chain a little later.

use std::time::Duration;

use domain::event::{Checkpoint, Event, EventHash, SealedEvent};
use domain::id::EventId;
use pki::random::Random;
use pki::time::Timestamp;

use crate::list::List;
use crate::{Row, Sql, StoreError, Tx, Value, params};

/// Which events to list; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// What the name begins with: `certificate.` for all that happened to certificates.
    pub name: Option<String>,
    /// The id of what it happened to.
    pub object: Option<String>,
    /// The id of who did it.
    pub actor: Option<String>,
    /// The HTTP request in whose course it happened.
    pub request_id: Option<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Nodes' clocks may differ by so much where times are compared by ids.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// Lets one node at a time seal, until the end of the transaction: "certseal" in ASCII.
const SEALING: Sql<'static> = Sql::each(
    "SELECT 1",
    "SELECT 1 FROM pg_advisory_xact_lock(7162261906389688684)",
);

impl Tx<'_> {
    /// Adds an event, and to what it says of its object all that events of such objects say. It is
    /// not sealed yet.
    pub async fn insert_event(&mut self, event: &Event) -> Result<(), StoreError> {
        let completed = self.completed(event).await?;
        let event = completed.as_ref().unwrap_or(event);
        let sql = "INSERT INTO events (id, name, at, object, event, actor, request_id) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = params![
            event.id.as_str(),
            &event.name,
            event.at,
            &event.object,
            canonical(event)?,
            &event.actor.id,
            event.request_id.as_deref(),
        ];
        self.execute_one(sql, values).await
    }

    /// Events that fit the filter, newest first.
    pub async fn list_events(
        &mut self,
        filter: &EventFilter,
        after: Option<&EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        // Ids begin with their time: a bound on the id keeps the search from running to the log's end.
        let oldest = filter.since.map(|since| first_id(since - CLOCK_SKEW));
        let newest = filter.until.map(|until| first_id(until + CLOCK_SKEW));
        let prefix = filter
            .name
            .as_deref()
            .map(|name| (name, end_of_prefix(name)));
        let (sql, values) = List::new("SELECT event FROM events")
            .and_if("name >= ?", prefix.as_ref().map(|(from, _)| *from))
            .and_if("name < ?", prefix.as_ref().map(|(_, to)| to))
            .and_if("object = ?", filter.object.as_deref())
            .and_if("actor = ?", filter.actor.as_deref())
            .and_if("request_id = ?", filter.request_id.as_deref())
            .and_if("at >= ?", filter.since)
            .and_if("at <= ?", filter.until)
            .and_if("id >= ?", oldest.as_ref().map(EventId::as_str))
            .and_if("id < ?", newest.as_ref().map(EventId::as_str))
            .and_if("id < ?", after.map(EventId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values)
            .await?
            .iter()
            .map(|row| row.json(0))
            .collect()
    }

    /// The event with that id.
    pub async fn find_event(&mut self, id: &EventId) -> Result<Option<Event>, StoreError> {
        let sql = "SELECT event FROM events WHERE id = $1";
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.map(|row| row.json(0)).transpose()
    }

    /// Gives up to `limit` events their position and hash, in the order of their ids, and answers how
    /// many there were.
    pub async fn seal_events(&mut self, limit: u32, _now: Timestamp) -> Result<u64, StoreError> {
        let sql = "SELECT id, event FROM events WHERE position IS NULL ORDER BY id LIMIT $1";
        // Most calls find nothing; only those that do wait for their turn.
        if self.query(sql, params![1]).await?.is_empty() {
            return Ok(0);
        }
        self.query_one(SEALING, params![]).await?;
        let (mut position, mut hash) = self.chain_end().await?;
        let rows = self.query(sql, params![limit]).await?;
        let mut sealed: Vec<Vec<Value<'_>>> = Vec::with_capacity(rows.len());
        for row in &rows {
            position += 1;
            hash = EventHash::next(hash, position, &row.json(1)?);
            let id: &str = row.get(0)?;
            sealed.push(vec![id.into(), position.into(), hash.to_string().into()]);
        }
        let sql = "UPDATE events SET position = $2, hash = $3 WHERE id = $1 AND position IS NULL";
        self.execute_each(sql, &sealed).await
    }

    /// Sealed events behind a position, in their order.
    pub async fn list_sealed_events(
        &mut self,
        after_position: i64,
        limit: u32,
    ) -> Result<Vec<SealedEvent>, StoreError> {
        let sql = "SELECT position, event, hash FROM events WHERE position IS NOT NULL \
                   AND position > $1 ORDER BY position LIMIT $2";
        let rows = self.query(sql, params![after_position, limit]).await?;
        rows.iter().map(read_sealed).collect()
    }

    /// The last position and its hash; 0 and the genesis hash before the first.
    pub async fn chain_end(&mut self) -> Result<(i64, EventHash), StoreError> {
        let sql = "SELECT position, hash FROM events WHERE position IS NOT NULL \
                   ORDER BY position DESC LIMIT 1";
        match self.query_opt(sql, params![]).await? {
            Some(row) => Ok((row.get(0)?, row.word(1)?)),
            None => Ok((0, EventHash::GENESIS)),
        }
    }

    /// Adds a checkpoint; one at the same position stays as it is.
    pub async fn insert_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let sql = "INSERT INTO event_checkpoints (position, hash, at, signature, key_id) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (position) DO NOTHING";
        let values = params![
            checkpoint.position,
            checkpoint.hash.to_string(),
            checkpoint.at,
            &checkpoint.signature,
            &checkpoint.key_id,
        ];
        self.execute(sql, values).await.map(drop)
    }

    /// Checkpoints behind a position, in their order.
    pub async fn list_checkpoints(
        &mut self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Checkpoint>, StoreError> {
        let sql = "SELECT position, hash, at, signature, key_id FROM event_checkpoints \
                   WHERE position > $1 ORDER BY position LIMIT $2";
        let rows = self.query(sql, params![after, limit]).await?;
        rows.iter().map(read_checkpoint).collect()
    }

    /// The checkpoint furthest on.
    pub async fn find_latest_checkpoint(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        let sql = "SELECT position, hash, at, signature, key_id FROM event_checkpoints \
                   ORDER BY position DESC LIMIT 1";
        let row = self.query_opt(sql, params![]).await?;
        row.as_ref().map(read_checkpoint).transpose()
    }
}

/// The event as JSON with sorted keys, the form that its hash is made over.
fn canonical(event: &Event) -> Result<String, StoreError> {
    let value = serde_json::to_value(event);
    let value = value.map_err(|error| StoreError::Statement(error.to_string()))?;
    Ok(value.to_string())
}

/// The least id of its time.
fn first_id(time: Timestamp) -> EventId {
    struct Zeros;

    impl Random for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    EventId::mint(time, &Zeros)
}

/// The least text above all that begin with `prefix`. Event names are ASCII.
fn end_of_prefix(prefix: &str) -> String {
    format!("{prefix}\u{7f}")
}

fn read_sealed(row: &Row) -> Result<SealedEvent, StoreError> {
    Ok(SealedEvent {
        position: row.get(0)?,
        event: row.json(1)?,
        hash: row.word(2)?,
    })
}

fn read_checkpoint(row: &Row) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint {
        position: row.get(0)?,
        hash: row.word(1)?,
        at: row.get(2)?,
        signature: row.get(3)?,
        key_id: row.get(4)?,
    })
}
