-- People, and how they and machines prove who they are.

-- OpenID Connect providers.
CREATE TABLE sign_on_providers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    spec TEXT NOT NULL,                 -- JSON
    sealed_secret TEXT,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    provider_id TEXT REFERENCES sign_on_providers (id),
    subject TEXT,                       -- the provider's `sub`
    provider_groups TEXT,               -- JSON list, as of the last sign-in
    name TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    email TEXT,
    state TEXT NOT NULL,
    last_sign_in_at INTEGER
) STRICT;
CREATE UNIQUE INDEX users_subject ON users (provider_id, subject) WHERE provider_id IS NOT NULL;

CREATE TABLE user_credentials (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    password_hash TEXT,                 -- argon2id in PHC form
    password_changed_at INTEGER,
    sealed_totp TEXT,
    sealed_totp_pending TEXT,           -- until its first code shows that it was taken over
    totp_step INTEGER NOT NULL          -- the last step of which a code was taken
) STRICT;

CREATE TABLE recovery_codes (
    hash TEXT PRIMARY KEY,              -- SHA-256, hex; the row goes when the code is used
    user_id TEXT NOT NULL REFERENCES users (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX recovery_codes_user ON recovery_codes (user_id);

CREATE TABLE passkeys (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    credential_id TEXT NOT NULL UNIQUE, -- base64url
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    credential TEXT NOT NULL,           -- JSON: public key, counter
    last_used_at INTEGER
) STRICT;
CREATE INDEX passkeys_user ON passkeys (user_id);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,          -- SHA-256 of the cookie's secret, hex
    user_id TEXT NOT NULL REFERENCES users (id),
    method TEXT NOT NULL,
    address TEXT,
    user_agent TEXT,
    created_at INTEGER NOT NULL,
    authenticated_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id, id);

-- What somebody holds who is half-way: a setup link, a passkey's challenge, the way to a provider and back.
CREATE TABLE tickets (
    hash TEXT PRIMARY KEY,              -- SHA-256 of the ticket's secret, hex
    purpose TEXT NOT NULL,
    user_id TEXT REFERENCES users (id),
    sealed TEXT,                        -- what the second half needs
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_user ON tickets (user_id);
CREATE INDEX tickets_expiry ON tickets (expires_at);

-- Failed sign-ins by user name and by address.
CREATE TABLE sign_in_attempts (
    key TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    locked_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_attempts_last ON sign_in_attempts (last_at);

-- Client certificates that stand for tokens.
CREATE TABLE client_certificates (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    token_id TEXT NOT NULL REFERENCES api_tokens (id),
    ca TEXT NOT NULL,                   -- an issuer's id, or the SHA-256 of a CA certificate
    subject TEXT NOT NULL,              -- JSON: what has to stand in the certificate
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;
CREATE UNIQUE INDEX client_certificates_subject ON client_certificates (ca, subject);
