-- Custom metadata: its fields, and the values that certificates are found by.

CREATE TABLE metadata_fields (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    spec TEXT NOT NULL,                 -- JSON
    version INTEGER NOT NULL,
    retired_at INTEGER,
    updated_at INTEGER NOT NULL
) STRICT;

-- What certificates.metadata holds, once more: one row per value, to be found by.
CREATE TABLE certificate_metadata (
    certificate_id TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (certificate_id, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_metadata_value ON certificate_metadata (field, value, certificate_id);

-- Values that orders inherit, JSON.
ALTER TABLE eab_keys ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
ALTER TABLE acme_accounts ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';

-- Where each value of an enrollment came from, JSON.
ALTER TABLE enrollments ADD COLUMN metadata_sources TEXT NOT NULL DEFAULT '{}';

-- Which fields a CA is given, and what it calls them, JSON.
ALTER TABLE issuers ADD COLUMN metadata_fields TEXT NOT NULL DEFAULT '{}';
