-- Work that outlives the process that found it. A row is claimed by a lease and deleted when done.
CREATE TABLE jobs (
    id          TEXT NOT NULL PRIMARY KEY,
    kind        TEXT NOT NULL,
    -- Two jobs with one key are one job.
    key         TEXT UNIQUE,
    payload     TEXT NOT NULL,
    -- NULL: dead, until somebody sends it off again.
    run_at      INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    lease_owner TEXT,
    last_error  TEXT,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX jobs_due ON jobs (kind, run_at);
