-- Replay nonces that were redeemed. One process owns the file, so nothing ever empties these behind its back.
CREATE TABLE spent_nonces (
    nonce    TEXT NOT NULL PRIMARY KEY,
    spent_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_nonces_spent_at ON spent_nonces (spent_at);

CREATE TABLE nonce_epoch (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL
) STRICT;
