-- What was put somewhere for an upstream ACME CA to find, until it is taken away again.

CREATE TABLE challenge_responses (
    issuer_id TEXT NOT NULL,
    order_url TEXT NOT NULL,
    place TEXT NOT NULL,        -- http-01, dns-01
    name TEXT NOT NULL,         -- the token, or the name of the TXT record
    value TEXT NOT NULL,
    placed_at INTEGER NOT NULL,
    PRIMARY KEY (issuer_id, order_url, name, value)
) STRICT;

CREATE INDEX challenge_responses_by_name ON challenge_responses (name);
CREATE INDEX challenge_responses_by_age ON challenge_responses (issuer_id, placed_at);
