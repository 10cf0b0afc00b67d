-- CMP: endpoints and their shared secrets, transactions under way, the keys that sign our messages.

CREATE TABLE cmp_endpoints (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    spec TEXT NOT NULL,                 -- JSON
    updated_at INTEGER NOT NULL,
    team_id TEXT REFERENCES teams (id)
) STRICT;

CREATE TABLE cmp_secrets (
    id TEXT PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES cmp_endpoints (id),
    reference TEXT NOT NULL,            -- what clients send as senderKID
    name TEXT NOT NULL,
    sealed_secret TEXT NOT NULL,
    allowed_names TEXT NOT NULL,        -- JSON list of name patterns
    max_uses INTEGER,
    uses INTEGER NOT NULL,
    metadata TEXT NOT NULL,             -- JSON
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER,
    team_id TEXT REFERENCES teams (id),
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX cmp_secrets_reference ON cmp_secrets (endpoint_id, reference);

CREATE TABLE cmp_transactions (
    endpoint_id TEXT NOT NULL,
    transaction_id TEXT NOT NULL,       -- hexadecimal
    enrollment_id TEXT NOT NULL,
    request TEXT NOT NULL,
    request_number INTEGER NOT NULL,
    proof TEXT NOT NULL,                -- JSON: who asked
    digest TEXT NOT NULL,               -- of the request
    nonce TEXT NOT NULL,                -- of our latest answer
    implicit INTEGER NOT NULL,
    state TEXT NOT NULL,                -- JSON
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (endpoint_id, transaction_id)
) STRICT;
CREATE INDEX cmp_transactions_old ON cmp_transactions (updated_at);

CREATE TABLE cmp_signers (
    issuer_id TEXT PRIMARY KEY,
    certificate BLOB NOT NULL,
    sealed_key TEXT NOT NULL,
    not_after_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
