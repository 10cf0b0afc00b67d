-- CAs elsewhere: what proves us to them, what is known of their chains, what their connectors remember.

ALTER TABLE issuers ADD COLUMN secrets TEXT NOT NULL DEFAULT '{}';      -- JSON, each value sealed
ALTER TABLE issuers ADD COLUMN remote_chain TEXT NOT NULL DEFAULT '';   -- PEM
ALTER TABLE issuers ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;

CREATE TABLE connector_state (
    issuer_id TEXT NOT NULL,
    name TEXT NOT NULL,
    sealed TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (issuer_id, name)
) STRICT;

-- How much an issuer may sign, and how much of it is used.
ALTER TABLE issuers ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';       -- JSON

CREATE TABLE issuer_usage (
    issuer_id TEXT NOT NULL,
    period TEXT NOT NULL,               -- hour, day, month
    begins_at INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (issuer_id, period)
) STRICT;

-- Moving what one issuer signed to another.
CREATE TABLE issuer_migrations (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    migration TEXT NOT NULL,            -- JSON
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE issuer_migration_items (
    migration_id TEXT NOT NULL,
    certificate_id TEXT NOT NULL,
    readiness TEXT NOT NULL,
    state TEXT NOT NULL,
    wave INTEGER,
    pulled_at INTEGER,
    successor TEXT,
    PRIMARY KEY (migration_id, certificate_id)
) STRICT;
CREATE INDEX issuer_migration_items_state
    ON issuer_migration_items (migration_id, state, certificate_id);
CREATE INDEX issuer_migration_items_wave ON issuer_migration_items (migration_id, wave, state);
-- What a client that asks when to renew is looked up by.
CREATE INDEX issuer_migration_items_pulled
    ON issuer_migration_items (certificate_id) WHERE state = 'pulled' OR state = 'late';
