-- Replay nonces that were redeemed. UNLOGGED: redeeming costs no disk write, and a server that crashed or
-- was promoted starts with both tables empty. The epoch is gone with them, so that every nonce of the
-- time before is refused instead of being accepted a second time.
CREATE UNLOGGED TABLE spent_nonces (
    nonce    TEXT NOT NULL PRIMARY KEY,
    spent_at INTEGER NOT NULL
);

CREATE INDEX spent_nonces_spent_at ON spent_nonces (spent_at);

CREATE UNLOGGED TABLE nonce_epoch (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL
);
