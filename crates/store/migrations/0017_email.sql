-- Mails that prove control of a mailbox (RFC 8823), until their authorizations are forgotten.

CREATE TABLE email_challenges (
    authorization_id TEXT NOT NULL PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,     -- the half that only the mail has
    message_id TEXT NOT NULL,
    sent_at INTEGER,
    digest TEXT,                    -- of the reply that was believed
    replied_at INTEGER
) STRICT;
