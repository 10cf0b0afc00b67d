-- Requests that wait for a CA elsewhere: at which issuer, and since when.

ALTER TABLE enrollments ADD COLUMN waits_at TEXT;
ALTER TABLE enrollments ADD COLUMN waits_since INTEGER;
CREATE INDEX enrollments_waits_at ON enrollments (waits_at, waits_since) WHERE waits_at IS NOT NULL;
