//! The watch over certificates' ends: when each is to be looked at next, and what was told so far.

use std::time::Duration;

use domain::certificate::InventoryCertificate;
use domain::id::CertificateId;
use pki::random::Random;
use pki::time::Timestamp;

use crate::certificates::names;
use crate::{StoreError, Tx, params};

/// What is written of a certificate that was looked at.
#[derive(Clone, Debug)]
pub struct Watched {
    pub certificate: CertificateId,
    /// The lowest step that was passed, now or before; `None` for none.
    pub threshold: Option<u8>,
    /// Until then there is nothing to see.
    pub due_at: Timestamp,
}

/// Above all thresholds.
const NONE: i64 = 101;

impl Tx<'_> {
    /// Watches certificates from one id on that are not watched yet, up to `limit`, each from when
    /// `share` per cent of its life are left. Gives the last that was come to, if there may be more.
    pub async fn watch_certificates(
        &mut self,
        from: &CertificateId,
        share: u8,
        limit: u32,
    ) -> Result<Option<CertificateId>, StoreError> {
        let sql = "SELECT id FROM certificates WHERE id > $1 ORDER BY id LIMIT $2";
        let page = self.query(sql, params![from.as_str(), limit]).await?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        let last: CertificateId = last.parse(0)?;
        let sql = "INSERT INTO expiry_watch \
                   (certificate_id, threshold, due_at, not_before, not_after) \
                   SELECT id, 101, not_after - (not_after - not_before) / 100 * $3, not_before, \
                   not_after FROM certificates WHERE id > $1 AND id <= $2 ON CONFLICT DO NOTHING";
        let values = params![from.as_str(), last.as_str(), i64::from(share)];
        self.execute(sql, values).await?;
        Ok((page.len() == limit as usize).then_some(last))
    }

    /// Has certificates behind one looked at by another ladder, up to `limit`: those that were told
    /// of at once, the others from when `share` per cent are left, if that is sooner. Gives the last
    /// that was come to, if there may be more.
    pub async fn hasten_watched(
        &mut self,
        after: &str,
        share: u8,
        limit: u32,
    ) -> Result<Option<String>, StoreError> {
        let sql = "SELECT certificate_id FROM expiry_watch WHERE certificate_id > $1 \
                   ORDER BY certificate_id LIMIT $2";
        let page = self.query(sql, params![after, limit]).await?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        let last: String = last.get(0)?;
        let sql = "UPDATE expiry_watch SET due_at = CASE WHEN threshold < 101 THEN 0 \
                   ELSE not_after - (not_after - not_before) / 100 * $3 END \
                   WHERE certificate_id > $1 AND certificate_id <= $2 \
                   AND due_at > CASE WHEN threshold < 101 THEN 0 \
                   ELSE not_after - (not_after - not_before) / 100 * $3 END";
        let values = params![after, &last, i64::from(share)];
        self.execute(sql, values).await?;
        Ok((page.len() == limit as usize).then_some(last))
    }

    /// Certificates whose time has come, longest due first.
    pub async fn list_due_certificates(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<CertificateId>, StoreError> {
        let sql = "SELECT certificate_id FROM expiry_watch WHERE due_at <= $1 \
                   ORDER BY due_at LIMIT $2";
        let rows = self.query(sql, params![now, limit]).await?;
        rows.iter().map(|row| row.parse(0)).collect()
    }

    /// The lowest step of the ladder that was passed so far.
    pub async fn find_told(&mut self, id: &CertificateId) -> Result<Option<u8>, StoreError> {
        let sql = "SELECT threshold FROM expiry_watch WHERE certificate_id = $1";
        let Some(row) = self.query_opt(sql, params![id.as_str()]).await? else {
            return Ok(None);
        };
        let threshold: i64 = row.get(0)?;
        Ok(u8::try_from(threshold).ok().filter(|_| threshold < NONE))
    }

    /// Writes what a look found, and answers whether a step was passed by it: a step that another
    /// node, or an earlier run of the clock, has passed is passed no second time.
    pub async fn note_watched(&mut self, watched: &Watched) -> Result<bool, StoreError> {
        let threshold = watched.threshold.map_or(NONE, i64::from);
        let sql = "UPDATE expiry_watch SET threshold = $2, due_at = $3 \
                   WHERE certificate_id = $1 AND threshold > $2";
        let values = params![watched.certificate.as_str(), threshold, watched.due_at];
        if self.execute(sql, values).await? == 1 {
            return Ok(true);
        }
        let sql = "UPDATE expiry_watch SET due_at = $2 WHERE certificate_id = $1";
        let values = params![watched.certificate.as_str(), watched.due_at];
        self.execute(sql, values).await?;
        Ok(false)
    }

    /// Watches a certificate no more.
    pub async fn unwatch_certificate(&mut self, id: &CertificateId) -> Result<(), StoreError> {
        let sql = "DELETE FROM expiry_watch WHERE certificate_id = $1";
        self.execute(sql, params![id.as_str()]).await.map(drop)
    }

    /// Certificates that outlast one and have the first of its names, those that last longest first,
    /// or where it has no names the one that claims to replace it: one of them may be its successor.
    pub async fn list_possible_successors(
        &mut self,
        old: &InventoryCertificate,
    ) -> Result<Vec<InventoryCertificate>, StoreError> {
        let Some(name) = old.names.first() else {
            let found = match &old.replaced_by {
                Some(id) => self.find_certificate(id).await?,
                None => None,
            };
            return Ok(found.into_iter().collect());
        };
        let sql = "SELECT c.id FROM certificate_names AS n \
                   JOIN certificates AS c ON c.id = n.certificate_id \
                   WHERE n.name = $1 AND c.not_after > $2 AND c.revoked_at IS NULL \
                   ORDER BY c.not_after DESC, c.id LIMIT 20";
        let values = params![names::key(name), old.not_after];
        let ids = self.query(sql, values).await?;
        let mut found = Vec::with_capacity(ids.len());
        for row in &ids {
            found.extend(self.find_certificate(&row.parse(0)?).await?);
        }
        Ok(found)
    }

    /// Forgets certificates that ended long ago, up to `limit` at once.
    pub async fn forget_watched(
        &mut self,
        ended_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM expiry_watch WHERE certificate_id IN (SELECT certificate_id \
                   FROM expiry_watch WHERE not_after < $1 LIMIT $2)";
        self.execute(sql, params![ended_before, limit]).await
    }
}

/// Comes before every id of a certificate that is minted from `time` on, and a little before, since
/// ids are minted before they are written and nodes' clocks differ.
pub fn first_since(time: Timestamp) -> CertificateId {
    struct Zeros;

    impl Random for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    CertificateId::mint(time - OVERLAP, &Zeros)
}

const OVERLAP: Duration = Duration::from_secs(5 * 60);
