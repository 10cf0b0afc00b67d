-- Who is told what: channels, rules, deliveries on their way, and the watch over certificates' ends.

CREATE TABLE notification_channels (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    spec TEXT NOT NULL,                 -- JSON without secrets
    sealed_secrets TEXT,                -- one JSON object, sealed
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE notification_rules (
    name TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    spec TEXT NOT NULL,                 -- JSON
    updated_at INTEGER NOT NULL
) STRICT;

-- How far the event log was read: `rules` for what rules tell, else by a channel that streams.
CREATE TABLE notification_cursors (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER,
    last_error TEXT
) STRICT;

CREATE TABLE notification_deliveries (
    id TEXT PRIMARY KEY,                -- what receivers know repeats by
    channel_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    object TEXT NOT NULL,
    position INTEGER NOT NULL,          -- of the event in the log
    recipient TEXT NOT NULL,            -- whom alone it is for, or empty
    addresses TEXT NOT NULL,            -- JSON list
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER,
    last_error TEXT,
    updated_at INTEGER NOT NULL
) STRICT;
-- An event goes over a channel once, however often the log is read again.
CREATE UNIQUE INDEX notification_deliveries_once
    ON notification_deliveries (event_id, channel_id, recipient);
CREATE INDEX notification_deliveries_due
    ON notification_deliveries (channel_id, next_at) WHERE state = 'waiting';
-- What of the same object goes before.
CREATE INDEX notification_deliveries_order
    ON notification_deliveries (channel_id, object, position) WHERE state = 'waiting';
CREATE INDEX notification_deliveries_state ON notification_deliveries (state, id);
CREATE INDEX notification_deliveries_old
    ON notification_deliveries (updated_at) WHERE state = 'delivered';

-- When each certificate is to be looked at next, and how far down the ladder it was told of.
CREATE TABLE expiry_watch (
    certificate_id TEXT PRIMARY KEY,
    threshold INTEGER NOT NULL,         -- the lowest step that was passed; 101: none
    due_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX expiry_watch_due ON expiry_watch (due_at);
CREATE INDEX expiry_watch_end ON expiry_watch (not_after);

CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    certificate_id TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    threshold INTEGER NOT NULL,
    acknowledgement TEXT,               -- JSON
    updated_at INTEGER NOT NULL,
    closed_at INTEGER,
    closing TEXT                        -- why
) STRICT;
CREATE UNIQUE INDEX incidents_open ON incidents (certificate_id) WHERE closed_at IS NULL;
CREATE INDEX incidents_opened ON incidents (id) WHERE closed_at IS NULL;
CREATE INDEX incidents_certificate ON incidents (certificate_id, id);

-- Whose doing an event was, and in the course of which request: what the audit trail is asked for.
ALTER TABLE events ADD COLUMN actor TEXT;
ALTER TABLE events ADD COLUMN request_id TEXT;
CREATE INDEX events_actor ON events (actor, id) WHERE actor IS NOT NULL;
CREATE INDEX events_request ON events (request_id) WHERE request_id IS NOT NULL;
