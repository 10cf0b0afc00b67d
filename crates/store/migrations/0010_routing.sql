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
