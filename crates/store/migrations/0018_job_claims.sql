-- How often a job was claimed: who was slow and lost a job to another run changes nothing of it.

ALTER TABLE jobs ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;
