-- Enrolling without accounts: entry points of EST and SCEP, the passwords that open them, and how a client
-- that comes back finds what it asked for.

CREATE TABLE entry_points (
    id TEXT PRIMARY KEY,
    protocol TEXT NOT NULL,             -- est, scep
    name TEXT NOT NULL,                 -- in its URL
    spec TEXT NOT NULL,                 -- JSON, by protocol
    team_id TEXT REFERENCES teams (id),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (protocol, name)
) STRICT;

CREATE TABLE enrollment_passwords (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    entry_point_id TEXT NOT NULL REFERENCES entry_points (id),
    hash TEXT NOT NULL UNIQUE,          -- SHA-256 of the password, hex
    username TEXT,
    allowed_names TEXT NOT NULL,        -- JSON
    max_uses INTEGER,                   -- NULL: any number
    uses INTEGER NOT NULL,
    metadata TEXT NOT NULL,             -- JSON
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER,
    team_id TEXT REFERENCES teams (id),
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX enrollment_passwords_entry_point ON enrollment_passwords (entry_point_id);

-- What a client calls its request: the same again is answered with the same enrollment.
CREATE TABLE client_requests (
    entry_point_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    enrollment_id TEXT NOT NULL,
    client TEXT NOT NULL,               -- id of the password or certificate that was shown
    created_at INTEGER NOT NULL,
    PRIMARY KEY (entry_point_id, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_requests_age ON client_requests (created_at);

-- The keys that read and sign SCEP messages, one in use per service and issuer.
CREATE TABLE ra_certificates (
    entry_point_id TEXT NOT NULL,
    issuer_id TEXT NOT NULL,
    certificate BLOB NOT NULL,
    sealed_key TEXT NOT NULL,           -- PKCS#8
    not_after_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (entry_point_id, issuer_id)
) STRICT, WITHOUT ROWID;
