-- Decisions that people take on requests.

CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    enrollment_id TEXT NOT NULL UNIQUE,
    profile_id TEXT NOT NULL,
    team_id TEXT,
    created_at INTEGER NOT NULL,
    status TEXT NOT NULL,               -- name of the state
    approval TEXT NOT NULL,             -- JSON, without the decisions
    deadline_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX approvals_status ON approvals (status, id);
CREATE INDEX approvals_profile ON approvals (profile_id, status);

CREATE TABLE approval_decisions (
    approval_id TEXT NOT NULL REFERENCES approvals (id),
    number INTEGER NOT NULL,            -- counts from 0 in each approval
    round INTEGER NOT NULL,             -- decisions of earlier rounds are void
    stage INTEGER NOT NULL,
    principal TEXT NOT NULL,
    on_behalf_of TEXT,
    person TEXT NOT NULL,               -- who it is, with whatever token
    verdict TEXT NOT NULL,
    reason TEXT,
    address TEXT,
    via TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    PRIMARY KEY (approval_id, number)
) STRICT;
-- The last guard against one person who decides twice.
CREATE UNIQUE INDEX approval_decisions_person ON approval_decisions (approval_id, round, person);

-- One-time links, kept by the hash of their secrets.
CREATE TABLE approval_links (
    hash TEXT PRIMARY KEY,              -- SHA-256 of the secret, hex
    approval_id TEXT NOT NULL REFERENCES approvals (id),
    round INTEGER NOT NULL,
    approver TEXT NOT NULL,
    verdicts TEXT NOT NULL,             -- JSON list
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX approval_links_expiry ON approval_links (expires_at);

-- Who is away from when to when, and who decides meanwhile.
CREATE TABLE approval_delegations (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    delegate TEXT,
    reason TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE INDEX approval_delegations_principal ON approval_delegations (principal, ends_at);
CREATE INDEX approval_delegations_delegate ON approval_delegations (delegate, ends_at)
    WHERE delegate IS NOT NULL;
