//! Bulk actions, and what became of each of their certificates.

use domain::bulk::{Bulk, BulkCounts, BulkItem, BulkOutcome};
use domain::id::{BulkId, CertificateId};
use pki::time::Timestamp;

use crate::codec::{json, word};
use crate::dialect::for_update;
use crate::list::List;
use crate::{Row, StoreError, Tx, Value, params};

macro_rules! columns {
    () => {
        "id, action, planner, per_minute, created_at, expires_at, state, started_at, finished_at"
    };
}

impl Tx<'_> {
    /// Adds a plan with its certificates.
    pub async fn insert_bulk(&mut self, bulk: &Bulk, items: &[BulkItem]) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO bulks (",
            columns!(),
            ", planner_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        );
        let values = params![
            bulk.id.as_str(),
            json(&bulk.action)?,
            json(&bulk.planner)?,
            bulk.per_minute,
            bulk.created_at,
            bulk.expires_at,
            word(&bulk.state)?,
            bulk.started_at,
            bulk.finished_at,
            &bulk.planner.id,
        ];
        self.execute_one(sql, values).await?;
        let mut rows: Vec<Vec<Value<'_>>> = Vec::with_capacity(items.len());
        for item in items {
            rows.push(vec![
                bulk.id.as_str().into(),
                item.certificate.as_str().into(),
                word(&item.outcome)?.into(),
                item.detail.as_deref().into(),
            ]);
        }
        let sql = "INSERT INTO bulk_items (bulk_id, certificate_id, outcome, detail) \
                   VALUES ($1, $2, $3, $4)";
        self.execute_each(sql, &rows).await.map(drop)
    }

    /// The bulk action with that id.
    pub async fn find_bulk(&mut self, id: &BulkId) -> Result<Option<Bulk>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM bulks WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// As [`find_bulk`](Self::find_bulk); the row stays as it is until the transaction ends.
    pub async fn find_bulk_for_update(&mut self, id: &BulkId) -> Result<Option<Bulk>, StoreError> {
        let sql = for_update!(concat!("SELECT ", columns!(), " FROM bulks WHERE id = $1"));
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Writes the state and its times, and answers whether the bulk action is there.
    pub async fn update_bulk(&mut self, bulk: &Bulk) -> Result<bool, StoreError> {
        let sql = "UPDATE bulks SET state = $2, started_at = $3, finished_at = $4 WHERE id = $1";
        let values = params![
            bulk.id.as_str(),
            word(&bulk.state)?,
            bulk.started_at,
            bulk.finished_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Bulk actions, all or those of one planner, newest first.
    pub async fn list_bulks(
        &mut self,
        planner: Option<&str>,
        after: Option<&BulkId>,
        limit: u32,
    ) -> Result<Vec<Bulk>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM bulks"))
            .and_if("planner_id = ?", planner)
            .and_if("id < ?", after.map(BulkId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// How far a bulk action is.
    pub async fn count_bulk_items(&mut self, id: &BulkId) -> Result<BulkCounts, StoreError> {
        let sql = "SELECT outcome, count(*) FROM bulk_items WHERE bulk_id = $1 GROUP BY outcome";
        let mut counts = BulkCounts::default();
        for row in self.query(sql, params![id.as_str()]).await? {
            let count = row.get(1)?;
            match row.word(0)? {
                BulkOutcome::Excluded => counts.excluded = count,
                BulkOutcome::Pending => counts.pending = count,
                BulkOutcome::Done => counts.done = count,
                BulkOutcome::Failed => counts.failed = count,
            }
        }
        Ok(counts)
    }

    /// Certificates of a bulk action in the order of their ids, all or those of one outcome.
    pub async fn list_bulk_items(
        &mut self,
        id: &BulkId,
        outcome: Option<BulkOutcome>,
        after: Option<&CertificateId>,
        limit: u32,
    ) -> Result<Vec<BulkItem>, StoreError> {
        let outcome = outcome.as_ref().map(word).transpose()?;
        let select = "SELECT certificate_id, outcome, detail FROM bulk_items";
        let (sql, values) = List::new(select)
            .and_if("bulk_id = ?", Some(id.as_str()))
            .and_if("outcome = ?", outcome)
            .and_if("certificate_id > ?", after.map(CertificateId::as_str))
            .limit("ORDER BY certificate_id", limit);
        let rows = self.query(&sql, &values).await?;
        rows.iter().map(read_item).collect()
    }

    /// Notes what became of a certificate, and answers whether it had not been settled before.
    pub async fn settle_bulk_item(
        &mut self,
        id: &BulkId,
        item: &BulkItem,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE bulk_items SET outcome = $3, detail = $4, settled_at = $5 \
                   WHERE bulk_id = $1 AND certificate_id = $2 AND outcome = 'pending'";
        let values = params![
            id.as_str(),
            item.certificate.as_str(),
            word(&item.outcome)?,
            item.detail.as_deref(),
            now,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Deletes plans that nobody ran and actions that ended, all before `before`.
    pub async fn purge_bulks(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = "DELETE FROM bulk_items WHERE bulk_id IN (SELECT id FROM bulks \
                   WHERE state IN ('planned', 'cancelled', 'finished') \
                   AND COALESCE(finished_at, expires_at) < $1)";
        self.execute(sql, params![before]).await?;
        let sql = "DELETE FROM bulks WHERE state IN ('planned', 'cancelled', 'finished') \
                   AND COALESCE(finished_at, expires_at) < $1";
        self.execute(sql, params![before]).await
    }
}

fn read(row: &Row) -> Result<Bulk, StoreError> {
    Ok(Bulk {
        id: row.parse(0)?,
        action: row.json(1)?,
        planner: row.json(2)?,
        per_minute: row.get(3)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
        state: row.word(6)?,
        started_at: row.get(7)?,
        finished_at: row.get(8)?,
    })
}

fn read_item(row: &Row) -> Result<BulkItem, StoreError> {
    Ok(BulkItem {
        certificate: row.parse(0)?,
        outcome: row.word(1)?,
        detail: row.get(2)?,
    })
}
