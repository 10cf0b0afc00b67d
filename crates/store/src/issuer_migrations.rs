//! Migrations from one issuer to another, and what became of each of their certificates.

use domain::id::{CertificateId, IssuerId, MigrationId};
use domain::issuer_migration::{
    IssuerMigration, ItemState, MigrationCounts, MigrationItem, NamedItem, Readiness,
};
use pki::time::Timestamp;

use crate::codec::{json, word};
use crate::dialect::for_update;
use crate::list::List;
use crate::{Row, StoreError, Tx, Value, params};

/// What the new issuer signed for the account of a certificate under its first name, since it was pulled.
macro_rules! namesake {
    () => {
        "FROM certificates AS c \
         JOIN certificate_names AS cn ON cn.certificate_id = c.id AND cn.is_first = 1 \
         JOIN certificate_names AS nn ON nn.name = cn.name \
         JOIN certificates AS n ON n.id = nn.certificate_id \
         WHERE c.id = issuer_migration_items.certificate_id AND n.issuer_id = $2 \
         AND n.account_id = c.account_id AND n.created_at >= issuer_migration_items.pulled_at"
    };
}

impl Tx<'_> {
    /// Adds a migration with its certificates.
    pub async fn insert_issuer_migration(
        &mut self,
        migration: &IssuerMigration,
        items: &[MigrationItem],
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO issuer_migrations (id, state, migration, created_at) \
                   VALUES ($1, $2, $3, $4)";
        let values = params![
            migration.id.as_str(),
            migration.state.name(),
            json(migration)?,
            migration.created_at,
        ];
        self.execute_one(sql, values).await?;
        let mut rows: Vec<Vec<Value<'_>>> = Vec::with_capacity(items.len());
        for item in items {
            rows.push(vec![
                migration.id.as_str().into(),
                item.certificate.as_str().into(),
                word(&item.readiness)?.into(),
                word(&item.state)?.into(),
            ]);
        }
        let sql = "INSERT INTO issuer_migration_items \
                   (migration_id, certificate_id, readiness, state) VALUES ($1, $2, $3, $4)";
        self.execute_each(sql, &rows).await.map(drop)
    }

    /// The migration with that id.
    pub async fn find_issuer_migration(
        &mut self,
        id: &MigrationId,
    ) -> Result<Option<IssuerMigration>, StoreError> {
        let sql = "SELECT migration FROM issuer_migrations WHERE id = $1";
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.map(|row| row.json(0)).transpose()
    }

    /// As [`find_issuer_migration`](Self::find_issuer_migration); the row stays as it is until the
    /// transaction ends.
    pub async fn find_issuer_migration_for_update(
        &mut self,
        id: &MigrationId,
    ) -> Result<Option<IssuerMigration>, StoreError> {
        let sql = for_update!("SELECT migration FROM issuer_migrations WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.map(|row| row.json(0)).transpose()
    }

    /// Writes a migration.
    pub async fn update_issuer_migration(
        &mut self,
        migration: &IssuerMigration,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE issuer_migrations SET state = $2, migration = $3 WHERE id = $1";
        let values = params![
            migration.id.as_str(),
            migration.state.name(),
            json(migration)?,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Migrations, newest first.
    pub async fn list_issuer_migrations(
        &mut self,
        after: Option<&MigrationId>,
        limit: u32,
    ) -> Result<Vec<IssuerMigration>, StoreError> {
        let (sql, values) = List::new("SELECT migration FROM issuer_migrations")
            .and_if("id < ?", after.map(MigrationId::as_str))
            .limit("ORDER BY id DESC", limit);
        let rows = self.query(&sql, &values).await?;
        rows.iter().map(|row| row.json(0)).collect()
    }

    /// How far it is, in all or in one wave.
    pub async fn count_migration_items(
        &mut self,
        id: &MigrationId,
        wave: Option<u32>,
    ) -> Result<MigrationCounts, StoreError> {
        let mut counts = MigrationCounts::default();
        let rows = match wave {
            None => {
                let sql = "SELECT state, count(*) FROM issuer_migration_items \
                           WHERE migration_id = $1 GROUP BY state";
                self.query(sql, params![id.as_str()]).await?
            }
            Some(wave) => {
                let sql = "SELECT state, count(*) FROM issuer_migration_items \
                           WHERE migration_id = $1 AND wave = $2 GROUP BY state";
                self.query(sql, params![id.as_str(), wave]).await?
            }
        };
        for row in rows {
            counts.add(row.word(0)?, row.get(1)?);
        }
        Ok(counts)
    }

    /// How many there are of each readiness.
    pub async fn count_migration_readiness(
        &mut self,
        id: &MigrationId,
    ) -> Result<Vec<(Readiness, u64)>, StoreError> {
        let sql = "SELECT readiness, count(*) FROM issuer_migration_items \
                   WHERE migration_id = $1 GROUP BY readiness";
        let rows = self.query(sql, params![id.as_str()]).await?;
        rows.iter()
            .map(|row| Ok((row.word(0)?, row.get(1)?)))
            .collect()
    }

    /// Certificates of a migration in the order of their ids, all or those of one state.
    pub async fn list_migration_items(
        &mut self,
        id: &MigrationId,
        state: Option<ItemState>,
        after: Option<&CertificateId>,
        limit: u32,
    ) -> Result<Vec<NamedItem>, StoreError> {
        let state = state.as_ref().map(word).transpose()?;
        let select = "SELECT i.certificate_id, i.readiness, i.state, i.wave, i.successor, c.names \
                      FROM issuer_migration_items AS i \
                      LEFT JOIN certificates AS c ON c.id = i.certificate_id";
        let (sql, values) = List::new(select)
            .and_if("i.migration_id = ?", Some(id.as_str()))
            .and_if("i.state = ?", state)
            .and_if("i.certificate_id > ?", after.map(CertificateId::as_str))
            .limit("ORDER BY i.certificate_id", limit);
        let rows = self.query(&sql, &values).await?;
        rows.iter().map(read_item).collect()
    }

    /// Begins a wave with the next certificates, and says with how many.
    pub async fn pull_migration_items(
        &mut self,
        id: &MigrationId,
        wave: u32,
        size: u32,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let sql = "UPDATE issuer_migration_items SET state = 'pulled', wave = $2, pulled_at = $3 \
                   WHERE migration_id = $1 AND certificate_id IN \
                   (SELECT certificate_id FROM issuer_migration_items \
                    WHERE migration_id = $1 AND state = 'waiting' ORDER BY certificate_id LIMIT $4)";
        self.execute(sql, params![id.as_str(), wave, now, size])
            .await
    }

    /// Notes which certificates the new issuer has replaced since: by one that names them, or by one for
    /// the same account and the same first name. What the old issuer signed in the meantime is no move.
    pub async fn settle_migration_items(
        &mut self,
        id: &MigrationId,
        to: &IssuerId,
    ) -> Result<u64, StoreError> {
        let sql = "UPDATE issuer_migration_items SET state = 'renewed', successor = \
                   (SELECT replaced_by FROM certificates \
                    WHERE certificates.id = issuer_migration_items.certificate_id) \
                   WHERE migration_id = $1 AND state IN ('pulled', 'late', 'waiting', 'left') \
                   AND EXISTS (SELECT 1 FROM certificates AS c \
                    JOIN certificates AS n ON n.id = c.replaced_by \
                    WHERE c.id = issuer_migration_items.certificate_id AND n.issuer_id = $2)";
        let named = self.execute(sql, params![id.as_str(), to.as_str()]).await?;
        let sql = concat!(
            "UPDATE issuer_migration_items SET state = 'renewed', successor = (SELECT min(n.id) ",
            namesake!(),
            ") WHERE migration_id = $1 AND state IN ('pulled', 'late') AND EXISTS (SELECT 1 ",
            namesake!(),
            ")"
        );
        let values = params![id.as_str(), to.as_str()];
        Ok(named + self.execute(sql, values).await?)
    }

    /// Moves all certificates from one state to another.
    pub async fn move_migration_items(
        &mut self,
        id: &MigrationId,
        from: ItemState,
        to: ItemState,
    ) -> Result<u64, StoreError> {
        let sql = "UPDATE issuer_migration_items SET state = $3 \
                   WHERE migration_id = $1 AND state = $2";
        self.execute(sql, params![id.as_str(), word(&from)?, word(&to)?])
            .await
    }

    /// The migration by which the client of a certificate is told to renew now, and since when.
    pub async fn find_pull(
        &mut self,
        certificate: &CertificateId,
    ) -> Result<Option<(IssuerMigration, Timestamp)>, StoreError> {
        let sql = "SELECT m.migration, i.pulled_at FROM issuer_migration_items AS i \
                   JOIN issuer_migrations AS m ON m.id = i.migration_id \
                   WHERE i.certificate_id = $1 AND (i.state = 'pulled' OR i.state = 'late') \
                   AND m.state <> 'rolled-back' AND m.state <> 'rolling-back' \
                   ORDER BY i.pulled_at DESC LIMIT 1";
        let row = self.query_opt(sql, params![certificate.as_str()]).await?;
        row.map(|row| Ok((row.json(0)?, row.get(1)?))).transpose()
    }
}

fn read_item(row: &Row) -> Result<NamedItem, StoreError> {
    let item = MigrationItem {
        certificate: row.parse(0)?,
        readiness: row.word(1)?,
        state: row.word(2)?,
        wave: row.get(3)?,
        successor: row.parse_opt(4)?,
    };
    Ok(NamedItem {
        item,
        names: row.json_opt(5)?.unwrap_or_default(),
    })
}
