-- When CAs elsewhere want certificates of theirs renewed (RFC 9773), and when they are asked again.

CREATE TABLE renewal_advice (
    certificate_id TEXT PRIMARY KEY,
    start_at INTEGER,           -- none where the CA says nothing of this certificate
    end_at INTEGER,
    explanation_url TEXT,
    asked_at INTEGER NOT NULL,
    ask_at INTEGER NOT NULL,
    forget_at INTEGER NOT NULL  -- the certificate's end
) STRICT;

CREATE INDEX renewal_advice_ended ON renewal_advice (forget_at);
-- Of an issuer, what is in force and has no successor: what its CA is asked about.
CREATE INDEX certificates_in_force ON certificates (issuer_id, not_after)
    WHERE replaced_by IS NULL AND revoked_at IS NULL;
