-- Certwright's first schema, the same for SQLite and PostgreSQL.
-- Times (_at) are milliseconds since 1970 UTC, flags are 0 or 1, DER is a blob, documents are JSON text.
-- Columns stand in three groups: what a row is, what it points to, what changes.

-- Who may use the REST API.
CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,          -- SHA-256 of the token, hex
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT;

-- Small values of the installation: its own secrets (sealed), floors, the setup link's hash.
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE issuers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    connector TEXT NOT NULL,            -- JSON, credentials sealed
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;

CREATE TABLE profiles (
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,                 -- JSON
    created_at INTEGER NOT NULL,
    is_current INTEGER NOT NULL,
    PRIMARY KEY (id, version)
) STRICT;
CREATE UNIQUE INDEX profiles_current ON profiles (name) WHERE is_current = 1;

CREATE TABLE acme_directories (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    spec TEXT NOT NULL,                 -- JSON
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE eab_keys (
    id TEXT PRIMARY KEY,                -- also the kid
    name TEXT NOT NULL,
    sealed_hmac TEXT NOT NULL,
    directory_id TEXT REFERENCES acme_directories (id),
    allowed_names TEXT NOT NULL,        -- JSON list of name patterns
    usage TEXT NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE TABLE acme_accounts (
    id TEXT PRIMARY KEY,
    directory_id TEXT NOT NULL REFERENCES acme_directories (id),
    eab_key_id TEXT REFERENCES eab_keys (id),
    eab_jws TEXT,
    created_from TEXT,
    created_at INTEGER NOT NULL,
    jwk TEXT NOT NULL,
    thumbprint TEXT NOT NULL,
    status TEXT NOT NULL,
    contacts TEXT NOT NULL,             -- JSON list
    terms_agreed INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX acme_accounts_key ON acme_accounts (directory_id, thumbprint);
CREATE INDEX acme_accounts_thumbprint ON acme_accounts (thumbprint);
CREATE INDEX acme_accounts_eab ON acme_accounts (eab_key_id) WHERE eab_key_id IS NOT NULL;

-- Keys that an account had before a roll-over; dns-persist-01 records may still name them.
CREATE TABLE acme_past_thumbprints (
    account_id TEXT NOT NULL REFERENCES acme_accounts (id),
    thumbprint TEXT NOT NULL,
    retired_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, thumbprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE acme_authorizations (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    directory_id TEXT NOT NULL,
    identifier_type TEXT NOT NULL,
    identifier TEXT NOT NULL,
    wildcard INTEGER NOT NULL,
    token TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    status TEXT NOT NULL,               -- name of the state, for the index
    state TEXT NOT NULL,                -- JSON
    challenges TEXT NOT NULL,           -- JSON
    expires_at INTEGER NOT NULL
) STRICT;
-- Finds what can be used again, and what proves a right to revoke.
CREATE INDEX acme_authorizations_valid
    ON acme_authorizations (account_id, identifier, expires_at) WHERE status = 'valid';
CREATE INDEX acme_authorizations_expiry ON acme_authorizations (expires_at);

CREATE TABLE acme_orders (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    directory_id TEXT NOT NULL,
    identifiers TEXT NOT NULL,          -- JSON
    authorization_ids TEXT NOT NULL,    -- JSON list
    profile_id TEXT NOT NULL,
    profile_name TEXT NOT NULL,
    profile_version INTEGER NOT NULL,
    not_before INTEGER,
    not_after INTEGER,
    replaces TEXT,                      -- certificate id
    replaces_cert_id TEXT,              -- as the client wrote it
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    enrollment_id TEXT
) STRICT;
CREATE INDEX acme_orders_account ON acme_orders (account_id, id);
CREATE INDEX acme_orders_replaces ON acme_orders (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX acme_orders_expiry ON acme_orders (expires_at) WHERE enrollment_id IS NULL;

CREATE TABLE enrollments (
    id TEXT PRIMARY KEY,
    requester TEXT NOT NULL,            -- JSON
    profile_id TEXT NOT NULL,
    profile_version INTEGER NOT NULL,
    identifiers TEXT NOT NULL,          -- JSON
    csr BLOB NOT NULL,
    not_before INTEGER,
    not_after INTEGER,
    metadata TEXT NOT NULL,             -- JSON
    replaces TEXT,
    created_at INTEGER NOT NULL,
    status TEXT NOT NULL,               -- name of the state
    state TEXT NOT NULL,                -- JSON
    issuer_id TEXT,
    serial TEXT,                        -- hex; set before anything is signed
    tbs BLOB,                           -- what was, or is to be, signed
    updated_at INTEGER NOT NULL
) STRICT;
-- The last guard against signing two certificates with one serial.
CREATE UNIQUE INDEX enrollments_serial ON enrollments (issuer_id, serial) WHERE serial IS NOT NULL;
CREATE INDEX enrollments_status ON enrollments (status, id);

CREATE TABLE chains (
    id TEXT PRIMARY KEY,                -- SHA-256 of the DER in order, hex
    pem TEXT NOT NULL
) STRICT;

CREATE TABLE certificates (
    id TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    serial TEXT NOT NULL,
    issuer_id TEXT,
    issuer_name TEXT NOT NULL,
    subject TEXT NOT NULL,
    names TEXT NOT NULL,                -- JSON list
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    key_kind TEXT NOT NULL,
    spki_sha256 TEXT NOT NULL,
    authority_key_identifier TEXT NOT NULL,
    der BLOB NOT NULL,
    chain_id TEXT,
    origin TEXT NOT NULL,
    enrollment_id TEXT UNIQUE,
    profile_id TEXT,
    profile_version INTEGER,
    account_id TEXT,
    directory_id TEXT,
    replaces TEXT,
    created_at INTEGER NOT NULL,
    replaced_by TEXT,
    metadata TEXT NOT NULL,             -- JSON
    revoked_at INTEGER,
    revocation_reason INTEGER
) STRICT;
-- No issuer of ours certifies one serial twice. What others issued may well repeat.
CREATE UNIQUE INDEX certificates_serial
    ON certificates (serial, authority_key_identifier) WHERE issuer_id IS NOT NULL;
CREATE INDEX certificates_foreign_serial ON certificates (serial) WHERE issuer_id IS NULL;
CREATE INDEX certificates_expiry ON certificates (not_after);
CREATE INDEX certificates_key ON certificates (spki_sha256);
CREATE INDEX certificates_account ON certificates (account_id, id) WHERE account_id IS NOT NULL;
-- What a CRL lists, in the order in which it is read.
CREATE INDEX certificates_revoked ON certificates (issuer_id, id) WHERE revoked_at IS NOT NULL;
-- What lists are filtered by, newest first, without reading the certificates themselves.
CREATE INDEX certificates_list ON certificates
    (id, not_after, not_before, revoked_at, issuer_id, profile_id, origin);

CREATE TABLE certificate_names (
    name TEXT NOT NULL,                 -- labels reversed (org.example.www), so a suffix is a prefix
    certificate_id TEXT NOT NULL,
    PRIMARY KEY (name, certificate_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_names_certificate ON certificate_names (certificate_id, name);

-- Keys that are never certified again.
CREATE TABLE blocked_keys (
    spki_sha256 TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    blocked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE crls (
    issuer_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    this_update_at INTEGER NOT NULL,
    next_update_at INTEGER NOT NULL,
    der BLOB NOT NULL,
    PRIMARY KEY (issuer_id, number)
) STRICT;

-- The keys that sign OCSP answers, one in use per issuer.
CREATE TABLE ocsp_responders (
    issuer_id TEXT PRIMARY KEY,
    certificate BLOB NOT NULL,
    sealed_key TEXT NOT NULL,
    not_after_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- The audit trail and, read behind a cursor, the outbox. Position and hash come with sealing.
CREATE TABLE events (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    object TEXT NOT NULL,
    event TEXT NOT NULL,                -- canonical JSON
    position INTEGER,
    hash TEXT
) STRICT;
CREATE UNIQUE INDEX events_position ON events (position) WHERE position IS NOT NULL;
CREATE INDEX events_unsealed ON events (id) WHERE position IS NULL;
CREATE INDEX events_object ON events (object, id);

CREATE TABLE event_checkpoints (
    position INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    at INTEGER NOT NULL,
    signature TEXT NOT NULL,
    key_id TEXT NOT NULL
) STRICT;

-- Theoretical arrival times (GCRA) of what is limited across nodes.
CREATE TABLE rate_limits (
    key TEXT PRIMARY KEY,
    arrival_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Work that outlives the process that found it. A row is claimed by a lease and deleted when done.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT UNIQUE,                    -- two jobs with one key are one job
    payload TEXT NOT NULL,              -- JSON
    created_at INTEGER NOT NULL,
    run_at INTEGER,                     -- NULL: dead, until somebody sends it off again
    attempts INTEGER NOT NULL,
    revision INTEGER NOT NULL,          -- counts what was asked for since it was enqueued
    lease_owner TEXT,
    lease_until INTEGER,
    last_error TEXT
) STRICT;
CREATE INDEX jobs_due ON jobs (run_at) WHERE run_at IS NOT NULL;
CREATE INDEX jobs_dead ON jobs (id) WHERE run_at IS NULL;
