-- Requests that carry more than names and a CSR.
ALTER TABLE enrollments ADD COLUMN subject TEXT;       -- RFC 4514, asked for beside the CSR
ALTER TABLE enrollments ADD COLUMN key_evidence TEXT;  -- JSON: how the private key is protected
