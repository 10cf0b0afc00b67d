//! What is done with certificates a moment after they were written: their figures are summed up, their
//! texts are filed.

use std::collections::{BTreeMap, BTreeSet};

use super::figures::{Sums, read_change};
use super::text;
use crate::codec::json;
use crate::dialect::for_update;
use crate::{Sql, StoreError, Tx, Value, params};

/// Lets one node at a time file, until the end of the transaction: "certfile" in ASCII.
const FILING: Sql<'static> = Sql::each(
    "SELECT 1",
    "SELECT 1 FROM pg_advisory_xact_lock(7162256626662599781)",
);

/// A text before and after.
struct Changed {
    certificate: String,
    before: Option<String>,
    after: String,
}

impl Tx<'_> {
    /// Files up to `limit` changes, and answers how many there were.
    pub async fn file_certificates(&mut self, limit: u32) -> Result<u64, StoreError> {
        let sql = "SELECT certificate_id FROM certificate_changes LIMIT 1";
        // Most calls find nothing; only those that do wait for their turn.
        if self.query(sql, params![]).await?.is_empty() {
            return Ok(0);
        }
        self.query_one(FILING, params![]).await?;
        let sql = for_update!(
            "SELECT certificate_id, facet, end_day, certificates FROM certificate_changes \
             ORDER BY certificate_id, facet LIMIT $1"
        );
        let rows = self.query(sql, params![limit]).await?;
        let mut sums = Sums::new();
        let mut certificates: BTreeSet<&str> = BTreeSet::new();
        let mut done: Vec<Vec<Value<'_>>> = Vec::with_capacity(rows.len());
        for row in &rows {
            let (place, by) = read_change(row)?;
            certificates.insert(row.get(0)?);
            done.push(vec![row.get::<&str>(0)?.into(), row.get::<&str>(1)?.into()]);
            *sums.entry(place).or_default() += by;
        }
        self.add_to_counts(&sums).await?;
        self.file_texts(&certificates).await?;
        let sql = "DELETE FROM certificate_changes WHERE certificate_id = $1 AND facet = $2";
        self.execute_each(sql, &done).await
    }

    async fn file_texts(&mut self, certificates: &BTreeSet<&str>) -> Result<(), StoreError> {
        let sql = Sql::each(
            "SELECT c.id, c.names, c.subject, c.metadata, t.content FROM json_each($1) AS sought \
             CROSS JOIN certificates AS c LEFT JOIN certificate_texts AS t \
             ON t.certificate_id = c.id WHERE c.id = sought.value",
            "SELECT c.id, c.names, c.subject, c.metadata, t.content FROM certificates AS c \
             LEFT JOIN certificate_texts AS t ON t.certificate_id = c.id \
             WHERE c.id = ANY (ARRAY(SELECT json_array_elements_text($1::text::json)))",
        );
        let mut changed = Vec::new();
        for row in self.query(sql, params![json(certificates)?]).await? {
            let names: Vec<String> = row.json(1)?;
            let metadata: BTreeMap<String, String> = row.json(3)?;
            let before: Option<String> = row.get(4)?;
            let after = text::content(&names, row.get(2)?, &metadata);
            if before.as_ref() != Some(&after) {
                changed.push(Changed {
                    certificate: row.get(0)?,
                    before,
                    after,
                });
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        self.file_words(&changed).await?;
        let contents: Vec<Vec<Value<'_>>> = changed
            .iter()
            .map(|changed| vec![(&changed.certificate).into(), (&changed.after).into()])
            .collect();
        let sql = "INSERT INTO certificate_texts (certificate_id, content) VALUES ($1, $2) \
                   ON CONFLICT (certificate_id) DO UPDATE SET content = excluded.content";
        self.execute_each(sql, &contents).await.map(drop)
    }

    async fn file_words(&mut self, changed: &[Changed]) -> Result<(), StoreError> {
        let mut new: BTreeSet<(&str, &str)> = BTreeSet::new();
        let mut gone: Vec<Vec<Value<'_>>> = Vec::new();
        for changed in changed {
            let certificate = changed.certificate.as_str();
            let before = text::words(changed.before.as_deref().unwrap_or_default());
            let after = text::words(&changed.after);
            new.extend(after.difference(&before).map(|word| (*word, certificate)));
            let lost = before.difference(&after);
            gone.extend(lost.map(|word| vec![(*word).into(), certificate.into()]));
        }
        let sql = "DELETE FROM certificate_words WHERE word = $1 AND certificate_id = $2";
        self.execute_each(sql, &gone).await?;
        let words: BTreeSet<&str> = new.iter().map(|(word, _)| *word).collect();
        self.file_ends(&words).await?;
        let sql = Sql::each(
            "INSERT INTO certificate_words (word, certificate_id) \
             SELECT value ->> 0, value ->> 1 FROM json_each($1) WHERE true ON CONFLICT DO NOTHING",
            "INSERT INTO certificate_words (word, certificate_id) \
             SELECT pair ->> 0, pair ->> 1 FROM json_array_elements($1::text::json) AS pair \
             ON CONFLICT DO NOTHING",
        );
        self.execute(sql, params![json(&new)?]).await.map(drop)
    }

    /// Files the ends of words that were not there before. Those of words that are gone stay: they
    /// lead to nothing.
    async fn file_ends(&mut self, words: &BTreeSet<&str>) -> Result<(), StoreError> {
        let sought: Vec<(&str, &str)> = words
            .iter()
            .map(|word| (text::beginning(word), *word))
            .collect();
        let sql = Sql::each(
            "SELECT value ->> 1 FROM json_each($1) AS sought WHERE NOT EXISTS \
             (SELECT 1 FROM word_ends \
              WHERE word_end = sought.value ->> 0 AND word = sought.value ->> 1)",
            "SELECT sought ->> 1 FROM json_array_elements($1::text::json) AS sought \
             WHERE NOT EXISTS (SELECT 1 FROM word_ends \
              WHERE word_end = sought ->> 0 AND word = sought ->> 1)",
        );
        let rows = self.query(sql, params![json(&sought)?]).await?;
        let mut ends: BTreeSet<(&str, &str)> = BTreeSet::new();
        for row in &rows {
            let word: &str = row.get(0)?;
            ends.extend(text::ends(word).map(|end| (end, word)));
        }
        let sql = Sql::each(
            "INSERT INTO word_ends (word_end, word) \
             SELECT value ->> 0, value ->> 1 FROM json_each($1) WHERE true ON CONFLICT DO NOTHING",
            "INSERT INTO word_ends (word_end, word) \
             SELECT pair ->> 0, pair ->> 1 FROM json_array_elements($1::text::json) AS pair \
             ON CONFLICT DO NOTHING",
        );
        self.execute(sql, params![json(&ends)?]).await.map(drop)
    }
}
