-- Enrollment by programs: keys made for requesters, answers kept for repeated requests, bulk actions.

-- Private keys that were made here for a requester: until they are fetched, once, or the deadline.
CREATE TABLE held_keys (
    enrollment_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,                -- id of who asked; nobody else may fetch it
    algorithm TEXT NOT NULL,
    sealed_key TEXT NOT NULL,           -- PKCS#8
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX held_keys_expiry ON held_keys (expires_at);

-- Creations that their callers named, so that a repeated request is answered and not done again.
CREATE TABLE idempotency_keys (
    principal TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,         -- SHA-256 of method, path and body, hex
    sealed_answer TEXT,                 -- NULL: not answered yet
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (principal, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

-- Something done to many certificates at once: planned, looked at, then run by a job.
CREATE TABLE bulks (
    id TEXT PRIMARY KEY,
    action TEXT NOT NULL,               -- JSON
    planner TEXT NOT NULL,              -- JSON: the actor
    planner_id TEXT NOT NULL,
    per_minute INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,        -- of a plan that nobody runs
    state TEXT NOT NULL,
    started_at INTEGER,
    finished_at INTEGER
) STRICT;

CREATE TABLE bulk_items (
    bulk_id TEXT NOT NULL REFERENCES bulks (id),
    certificate_id TEXT NOT NULL,
    outcome TEXT NOT NULL,              -- excluded, pending, done, failed
    detail TEXT,                        -- why it is excluded or failed, or what came of it
    settled_at INTEGER,
    PRIMARY KEY (bulk_id, certificate_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX bulk_items_outcome ON bulk_items (bulk_id, outcome, certificate_id);

-- Finds the renewal of a certificate that is under way.
CREATE INDEX enrollments_replaces ON enrollments (replaces) WHERE replaces IS NOT NULL;
