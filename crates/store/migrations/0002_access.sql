-- Who may do what: teams that own things, roles that operators make, and who holds which role where.

CREATE TABLE teams (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE custom_roles (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    permissions TEXT NOT NULL,          -- JSON list
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE role_grants (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,            -- usr_… or tok_…
    role TEXT NOT NULL,                 -- the name of a built-in role, or rol_…
    team_id TEXT REFERENCES teams (id), -- NULL: everywhere
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX role_grants_once ON role_grants (principal, role, COALESCE(team_id, ''));
CREATE INDEX role_grants_role ON role_grants (role, team_id);
CREATE INDEX role_grants_team ON role_grants (team_id, id) WHERE team_id IS NOT NULL;

-- A token's role becomes a grant like any other. There are 26 characters behind every prefix.
INSERT INTO role_grants (id, principal, role, team_id, created_at)
    SELECT 'grt_' || substr(id, 5), id, role, NULL, created_at FROM api_tokens;
ALTER TABLE api_tokens DROP COLUMN role;
-- Who had it made, where that was a principal; it does not act as somebody else.
ALTER TABLE api_tokens ADD COLUMN created_by TEXT;

-- Who owns what. NULL: shared by all (profiles, directories), or for those who see everything.
ALTER TABLE profiles ADD COLUMN team_id TEXT REFERENCES teams (id);
ALTER TABLE acme_directories ADD COLUMN team_id TEXT REFERENCES teams (id);
ALTER TABLE eab_keys ADD COLUMN team_id TEXT REFERENCES teams (id);
ALTER TABLE acme_accounts ADD COLUMN team_id TEXT REFERENCES teams (id);
ALTER TABLE acme_orders ADD COLUMN team_id TEXT;
ALTER TABLE enrollments ADD COLUMN team_id TEXT;
ALTER TABLE certificates ADD COLUMN team_id TEXT;
CREATE INDEX profiles_team ON profiles (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX acme_directories_team ON acme_directories (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX eab_keys_team ON eab_keys (team_id, id) WHERE team_id IS NOT NULL;
CREATE INDEX acme_accounts_team ON acme_accounts (team_id, id) WHERE team_id IS NOT NULL;
CREATE INDEX acme_orders_team ON acme_orders (team_id, id) WHERE team_id IS NOT NULL;
CREATE INDEX enrollments_team ON enrollments (team_id, status, id) WHERE team_id IS NOT NULL;
-- As certificates_list, for those who see some teams only.
CREATE INDEX certificates_team ON certificates
    (team_id, id, not_after, not_before, revoked_at, issuer_id, profile_id, origin)
    WHERE team_id IS NOT NULL;
