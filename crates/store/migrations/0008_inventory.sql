-- The inventory at a million certificates: what it is searched by, its figures, searches that people keep.

-- The first 128 bits name a certificate; the rest follows from its DER. Half of the index.
UPDATE certificates SET fingerprint = substr(fingerprint, 1, 32);

-- Whether the key can be broken: too short, or of a kind or making that is known to be flawed.
ALTER TABLE certificates ADD COLUMN is_weak INTEGER NOT NULL DEFAULT 0;

-- The beginning of a key's hash is enough to find it by.
DROP INDEX certificates_key;
CREATE INDEX certificates_key ON certificates (substr(spki_sha256, 1, 16));

-- Lists are read in one of two orders, with all that they are mostly filtered by at hand.
DROP INDEX certificates_expiry;
DROP INDEX certificates_list;
CREATE INDEX certificates_by_id ON certificates
    (id, not_after, not_before, revoked_at, team_id, issuer_id, profile_id, key_kind, is_weak, origin);
CREATE INDEX certificates_by_expiry ON certificates
    (not_after, id, not_before, revoked_at, team_id, issuer_id, profile_id, key_kind, is_weak, origin);
CREATE INDEX certificates_weak ON certificates (id) WHERE is_weak = 1;
-- Those that were known before they began: the few that may still be waiting for it.
CREATE INDEX certificates_early ON certificates (not_before) WHERE not_before > created_at;

-- Lists by name show each certificate once, under the first of its names. Those without any stand
-- behind all others, under a character that no name has.
ALTER TABLE certificate_names ADD COLUMN is_first INTEGER NOT NULL DEFAULT 0;
UPDATE certificate_names SET is_first = 1 WHERE name =
    (SELECT min(name) FROM certificate_names AS others
     WHERE others.certificate_id = certificate_names.certificate_id);
INSERT INTO certificate_names (name, certificate_id, is_first)
    SELECT '~' || substr(lower(subject), 1, 200), id, 1 FROM certificates
    WHERE NOT EXISTS (SELECT 1 FROM certificate_names WHERE certificate_id = certificates.id);

-- How many certificates there are of each combination of what figures are shown by, and of each day
-- (UTC) of their end. Summed up a moment later from certificate_changes: a row here would be written by
-- every issuance of the day.
CREATE TABLE certificate_counts (
    facet TEXT NOT NULL,                -- issuer|profile|team|key kind|weak|origin|revoked
    end_day INTEGER NOT NULL,
    certificates INTEGER NOT NULL,
    PRIMARY KEY (facet, end_day)
) STRICT, WITHOUT ROWID;

-- What is not yet in certificate_counts, and whose texts are not yet in certificate_words.
CREATE TABLE certificate_changes (
    certificate_id TEXT NOT NULL,
    facet TEXT NOT NULL,                -- empty: only texts
    end_day INTEGER NOT NULL,
    certificates INTEGER NOT NULL,      -- 1, -1, or 0
    PRIMARY KEY (certificate_id, facet)
) STRICT, WITHOUT ROWID;

INSERT INTO certificate_counts (facet, end_day, certificates)
    SELECT facet, end_day, count(*) FROM (
        SELECT COALESCE(issuer_id, '') || '|' || COALESCE(profile_id, '') || '|'
            || COALESCE(team_id, '') || '|' || key_kind || '|' || is_weak || '|' || origin || '|'
            || CASE WHEN revoked_at IS NULL THEN '' ELSE 'revoked' END AS facet,
            not_after / 86400000 AS end_day
        FROM certificates) AS facets
    GROUP BY facet, end_day;
INSERT INTO certificate_changes (certificate_id, facet, end_day, certificates)
    SELECT id, '', 0, 0 FROM certificates;

-- What full text looks at: names, words of the subject, metadata; in lower case, a line each.
CREATE TABLE certificate_texts (
    certificate_id TEXT PRIMARY KEY,
    content TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE certificate_words (
    word TEXT NOT NULL,
    certificate_id TEXT NOT NULL,
    PRIMARY KEY (word, certificate_id)
) STRICT, WITHOUT ROWID;
-- The ends of all words: what begins one of them stands somewhere in the word.
CREATE TABLE word_ends (
    word_end TEXT NOT NULL,             -- its first characters
    word TEXT NOT NULL,
    PRIMARY KEY (word_end, word)
) STRICT, WITHOUT ROWID;

CREATE TABLE saved_searches (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,                -- usr_… or tok_…
    team_id TEXT REFERENCES teams (id), -- NULL: its owner's alone
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    search TEXT NOT NULL,               -- JSON: the parameters of the list
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX saved_searches_name ON saved_searches (owner, name);
CREATE INDEX saved_searches_team ON saved_searches (team_id, id) WHERE team_id IS NOT NULL;
