//! Figures of the inventory, kept up by every change and always equal to what lists count.
//!
//! A change adds a row to `certificate_changes`, which nobody else waits for; a moment later the rows
//! are summed up in `certificate_counts`, by day of the certificates' end. Figures are the sum of both.
//! Days that a boundary falls into are counted in the certificates themselves.

use std::collections::BTreeMap;

use domain::certificate::{Facet, Figures, InventoryCertificate};
use pki::time::Timestamp;

use crate::codec::word;
use crate::{Row, StoreError, Tx, Value, params};

/// What a row of `certificates` is counted under; as in the migration that filled the counts.
const FACET: &str = "COALESCE(issuer_id, '') || '|' || COALESCE(profile_id, '') || '|' \
                     || COALESCE(team_id, '') || '|' || key_kind || '|' || is_weak || '|' \
                     || origin || '|' \
                     || CASE WHEN revoked_at IS NULL THEN '' ELSE 'revoked' END";

const DAY: i64 = 86_400_000;

/// Sums by facet and day of the end.
pub(super) type Sums = BTreeMap<(String, i64), i64>;

/// The facet of a certificate as a key, and the day of its end.
pub(super) fn filed_under(certificate: &InventoryCertificate) -> Result<(String, i64), StoreError> {
    fn text<T: ToString>(id: Option<&T>) -> String {
        id.map(ToString::to_string).unwrap_or_default()
    }
    let key = format!(
        "{}|{}|{}|{}|{}|{}|{}",
        text(certificate.issuer_id.as_ref()),
        text(certificate.profile_id.as_ref()),
        text(certificate.team_id.as_ref()),
        certificate.key_kind,
        u8::from(certificate.is_weak),
        word(&certificate.origin)?,
        match certificate.revocation {
            None => "",
            Some(_) => "revoked",
        },
    );
    Ok((key, certificate.not_after.millis() / DAY))
}

pub(super) fn read_facet(key: &str) -> Option<Facet> {
    fn id<T: std::str::FromStr>(text: &str) -> Option<Option<T>> {
        match text.is_empty() {
            true => Some(None),
            false => text.parse().ok().map(Some),
        }
    }
    let mut parts = key.split('|');
    let mut next = || parts.next();
    let facet = Facet {
        issuer: id(next()?)?,
        profile: id(next()?)?,
        team: id(next()?)?,
        key_kind: next()?.to_owned(),
        is_weak: next()? == "1",
        origin: serde_json::from_value(next()?.into()).ok()?,
        is_revoked: next()? == "revoked",
    };
    next().is_none().then_some(facet)
}

/// How many certificates of a facet end before each of four instants, and how many there are.
#[derive(Clone, Copy, Default)]
struct Ends {
    before: [i64; 4],
    all: i64,
}

impl Tx<'_> {
    /// Figures by facet at `now`.
    pub async fn certificate_figures(
        &mut self,
        now: Timestamp,
    ) -> Result<Vec<(Facet, Figures)>, StoreError> {
        let bounds = Figures::bounds(now);
        let mut ends: BTreeMap<String, Ends> = BTreeMap::new();
        self.add_sums(bounds, &mut ends).await?;
        for (index, bound) in bounds.into_iter().enumerate() {
            self.add_day(index, bound, &mut ends).await?;
        }
        let early = self.early(bounds).await?;
        let mut figures = Vec::with_capacity(ends.len());
        for (key, ends) in ends {
            let facet = read_facet(&key)
                .ok_or_else(|| StoreError::corrupt(format!("the facet `{key}` has no form")))?;
            let early = early.get(&key).copied().unwrap_or_default();
            if ends.all != 0 {
                figures.push((facet, settle(ends, early, key.ends_with("revoked"))));
            }
        }
        Ok(figures)
    }

    /// Whole days before each bound.
    async fn add_sums(
        &mut self,
        bounds: [Timestamp; 4],
        ends: &mut BTreeMap<String, Ends>,
    ) -> Result<(), StoreError> {
        let days = bounds.map(|bound| Value::from(bound.millis() / DAY));
        for table in ["certificate_counts", "certificate_changes"] {
            let sql = format!(
                "SELECT facet, \
                 CAST(sum(CASE WHEN end_day < $1 THEN certificates ELSE 0 END) AS BIGINT), \
                 CAST(sum(CASE WHEN end_day < $2 THEN certificates ELSE 0 END) AS BIGINT), \
                 CAST(sum(CASE WHEN end_day < $3 THEN certificates ELSE 0 END) AS BIGINT), \
                 CAST(sum(CASE WHEN end_day < $4 THEN certificates ELSE 0 END) AS BIGINT), \
                 CAST(sum(certificates) AS BIGINT) \
                 FROM {table} WHERE certificates <> 0 GROUP BY facet"
            );
            for row in self.query(&sql, &days).await? {
                let sums = ends.entry(row.get(0)?).or_default();
                for (index, before) in sums.before.iter_mut().enumerate() {
                    *before += row.get::<i64>(index + 1)?;
                }
                sums.all += row.get::<i64>(5)?;
            }
        }
        Ok(())
    }

    /// What of a bound's own day lies before it.
    async fn add_day(
        &mut self,
        index: usize,
        bound: Timestamp,
        ends: &mut BTreeMap<String, Ends>,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT facet, count(*) FROM (SELECT {FACET} AS facet FROM certificates \
             WHERE not_after >= $1 AND not_after < $2) AS ending GROUP BY facet"
        );
        let midnight = bound.millis() / DAY * DAY;
        for row in self.query(&sql, params![midnight, bound]).await? {
            let sums = ends.entry(row.get(0)?).or_default();
            if let Some(before) = sums.before.get_mut(index) {
                *before += row.get::<i64>(1)?;
            }
        }
        Ok(())
    }

    /// The few that have not begun yet: of those that are not over, how many end before each bound.
    async fn early(
        &mut self,
        bounds: [Timestamp; 4],
    ) -> Result<BTreeMap<String, Ends>, StoreError> {
        let sql = format!(
            "SELECT {FACET}, not_after FROM certificates WHERE not_before > created_at \
             AND not_before > $1 AND not_after >= $1 AND revoked_at IS NULL"
        );
        let [now, ..] = bounds;
        let mut early: BTreeMap<String, Ends> = BTreeMap::new();
        self.for_each(&sql, params![now], |row| {
            let not_after: Timestamp = row.get(1)?;
            let sums = early.entry(row.get(0)?).or_default();
            sums.all += 1;
            for (before, bound) in sums.before.iter_mut().zip(bounds) {
                *before += i64::from(not_after < bound);
            }
            Ok::<_, StoreError>(())
        })
        .await?;
        Ok(early)
    }

    /// Notes a certificate that is new. Its texts are filed along with it.
    pub(super) async fn count_new_certificate(
        &mut self,
        certificate: &InventoryCertificate,
    ) -> Result<(), StoreError> {
        let (facet, day) = filed_under(certificate)?;
        let sql = "INSERT INTO certificate_changes (certificate_id, facet, end_day, certificates) \
                   VALUES ($1, $2, $3, 1)";
        self.execute(sql, params![certificate.id.as_str(), facet, day])
            .await
            .map(drop)
    }

    /// Takes a certificate out of the figures: before a change of what it is counted under.
    pub(crate) async fn uncount_certificate(&mut self, id: &str) -> Result<(), StoreError> {
        self.note_change(id, -1).await
    }

    /// Takes it in again, after the change.
    pub(crate) async fn recount_certificate(&mut self, id: &str) -> Result<(), StoreError> {
        self.note_change(id, 1).await
    }

    /// Has the texts of a certificate filed again, after a change of its metadata.
    pub(crate) async fn refile_certificate(&mut self, id: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO certificate_changes (certificate_id, facet, end_day, certificates) \
                   VALUES ($1, '', 0, 0) ON CONFLICT (certificate_id, facet) DO NOTHING";
        self.execute(sql, params![id]).await.map(drop)
    }

    async fn note_change(&mut self, id: &str, by: i64) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO certificate_changes (certificate_id, facet, end_day, certificates) \
             SELECT id, {FACET}, not_after / {DAY}, CAST($2 AS BIGINT) FROM certificates WHERE id = $1 \
             ON CONFLICT (certificate_id, facet) DO UPDATE \
             SET certificates = certificate_changes.certificates + excluded.certificates"
        );
        self.execute(&sql, params![id, by]).await.map(drop)
    }

    /// Adds sums to the counts, in one order everywhere, so that two who do it cannot lock each other.
    pub(super) async fn add_to_counts(&mut self, sums: &Sums) -> Result<(), StoreError> {
        let changed = || sums.iter().filter(|(_, sum)| **sum != 0);
        let rows: Vec<Vec<Value<'_>>> = changed()
            .map(|((facet, day), sum)| vec![facet.into(), (*day).into(), (*sum).into()])
            .collect();
        let sql = "INSERT INTO certificate_counts (facet, end_day, certificates) \
                   VALUES ($1, $2, $3) ON CONFLICT (facet, end_day) DO UPDATE \
                   SET certificates = certificate_counts.certificates + excluded.certificates";
        self.execute_each(sql, &rows).await?;
        let emptied: Vec<Vec<Value<'_>>> = changed()
            .filter(|(_, sum)| **sum < 0)
            .map(|((facet, day), _)| vec![facet.into(), (*day).into()])
            .collect();
        let sql = "DELETE FROM certificate_counts \
                   WHERE facet = $1 AND end_day = $2 AND certificates = 0";
        self.execute_each(sql, &emptied).await.map(drop)
    }
}

/// Figures from sums. Revoked certificates are nothing but revoked, whenever they end.
fn settle(ends: Ends, early: Ends, is_revoked: bool) -> Figures {
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let total = count(ends.all);
    if is_revoked {
        return Figures {
            total,
            revoked: total,
            ..Figures::default()
        };
    }
    let [expired, in_7, in_30, in_90] = ends.before;
    let [_, early_7, early_30, early_90] = early.before;
    Figures {
        total,
        valid: count(ends.all - expired - early.all),
        not_yet_valid: count(early.all),
        expired: count(expired),
        revoked: 0,
        expiring_7_days: count(in_7 - expired - early_7),
        expiring_30_days: count(in_30 - expired - early_30),
        expiring_90_days: count(in_90 - expired - early_90),
    }
}

/// What a row of `certificate_changes` says, apart from the certificate.
pub(super) fn read_change(row: &Row) -> Result<((String, i64), i64), StoreError> {
    Ok(((row.get(1)?, row.get(2)?), row.get(3)?))
}
