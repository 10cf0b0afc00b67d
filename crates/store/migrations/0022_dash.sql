-- Approvals in the order in which they end, and in which they were decided.

CREATE INDEX approvals_deadline ON approvals (status, deadline_at, id);
CREATE INDEX approvals_updated ON approvals (updated_at, id);

-- What failed lately.
CREATE INDEX enrollments_failed ON enrollments (updated_at) WHERE status = 'failed';
