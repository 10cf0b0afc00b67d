//! Custom metadata: its fields, and the values of certificates.

use domain::id::{AccountId, CertificateId, EabKeyId, TeamId};
use domain::metadata::{Field, Values};

use crate::certificates::name_key;
use crate::codec::json;
use crate::dialect::for_update;
use crate::{Row, StoreError, Tx, Value, params};

macro_rules! columns {
    () => {
        "id, name, created_at, spec, version, retired_at, updated_at"
    };
}

impl Tx<'_> {
    /// Adds a field. A second one of its name is a duplicate.
    pub async fn insert_field(&mut self, field: &Field) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO metadata_fields (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7)"
        );
        let values = params![
            field.id.as_str(),
            &field.name,
            field.created_at,
            json(&field.spec)?,
            field.version,
            field.retired_at,
            field.updated_at,
        ];
        self.execute_one(sql, values).await
    }

    /// Writes what can change, and answers whether the field is there.
    pub async fn update_field(&mut self, field: &Field) -> Result<bool, StoreError> {
        let sql = "UPDATE metadata_fields SET spec = $2, version = $3, retired_at = $4, \
                   updated_at = $5 WHERE id = $1";
        let values = params![
            field.id.as_str(),
            json(&field.spec)?,
            field.version,
            field.retired_at,
            field.updated_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// All fields by name, retired ones included; there are few.
    pub async fn list_fields(&mut self) -> Result<Vec<Field>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM metadata_fields ORDER BY name LIMIT 1000"
        );
        self.query(sql, params![]).await?.iter().map(read).collect()
    }

    /// Whether any certificate has a value for the field.
    pub async fn is_field_in_use(&mut self, name: &str) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM certificate_metadata WHERE field = $1)";
        self.query_one(sql, params![name]).await?.get(0)
    }

    /// Gives a certificate other values, and answers whether it is there.
    pub async fn set_certificate_metadata(
        &mut self,
        id: &CertificateId,
        values: &Values,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE certificates SET metadata = $2 WHERE id = $1";
        let found = self
            .execute(sql, params![id.as_str(), json(values)?])
            .await?
            == 1;
        if found {
            let sql = "DELETE FROM certificate_metadata WHERE certificate_id = $1";
            self.execute(sql, params![id.as_str()]).await?;
            self.file_certificate_metadata(id, values).await?;
            self.refile_certificate(id.as_str()).await?;
        }
        Ok(found)
    }

    /// Files a certificate under its values.
    pub(crate) async fn file_certificate_metadata(
        &mut self,
        id: &CertificateId,
        values: &Values,
    ) -> Result<(), StoreError> {
        if values.is_empty() {
            return Ok(());
        }
        let rows: Vec<Vec<Value<'_>>> = values
            .iter()
            .map(|(field, value)| vec![id.as_str().into(), field.into(), value.into()])
            .collect();
        let sql = "INSERT INTO certificate_metadata (certificate_id, field, value) \
                   VALUES ($1, $2, $3)";
        self.execute_each(sql, &rows).await.map(drop)
    }

    /// The values that a key passes on, kept as they are until the transaction ends.
    pub async fn find_eab_key_metadata_for_update(
        &mut self,
        id: &EabKeyId,
    ) -> Result<Option<Values>, StoreError> {
        let sql = for_update!("SELECT metadata FROM eab_keys WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.map(|row| row.json(0)).transpose()
    }

    /// Gives a key other values to pass on.
    pub async fn set_eab_key_metadata(
        &mut self,
        id: &EabKeyId,
        values: &Values,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE eab_keys SET metadata = $2 WHERE id = $1";
        self.execute_one(sql, params![id.as_str(), json(values)?])
            .await
    }

    /// The values of the newest certificate of an account that has exactly these names. Only the
    /// newest certificates under the first name are looked at, however many there are.
    pub async fn find_metadata_of_account(
        &mut self,
        account: &AccountId,
        names: &[String],
    ) -> Result<Option<Values>, StoreError> {
        self.newest_metadata("c.account_id = $2", account.as_str(), names)
            .await
    }

    /// The same of a team, among what was not ordered by ACME.
    pub async fn find_metadata_of_team(
        &mut self,
        team: &TeamId,
        names: &[String],
    ) -> Result<Option<Values>, StoreError> {
        let owned = "c.team_id = $2 AND c.account_id IS NULL AND c.enrollment_id IS NOT NULL";
        self.newest_metadata(owned, team.as_str(), names).await
    }

    async fn newest_metadata(
        &mut self,
        owned: &str,
        owner: &str,
        names: &[String],
    ) -> Result<Option<Values>, StoreError> {
        let Some(first) = names.first() else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT c.names, c.metadata FROM (SELECT certificate_id FROM certificate_names \
             WHERE name = $1 ORDER BY certificate_id DESC LIMIT $3) AS n \
             JOIN certificates AS c ON c.id = n.certificate_id \
             WHERE {owned} ORDER BY c.id DESC LIMIT $3"
        );
        let rows = self
            .query(&sql, params![name_key(first), owner, LOOKED_AT])
            .await?;
        for row in &rows {
            if same_names(&row.json::<Vec<String>>(0)?, names) {
                return row.json(1).map(Some);
            }
        }
        Ok(None)
    }
}

fn same_names(one: &[String], other: &[String]) -> bool {
    let sorted = |names: &[String]| {
        let mut names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        names.sort_unstable();
        names
    };
    one.len() == other.len() && sorted(one) == sorted(other)
}

fn read(row: &Row) -> Result<Field, StoreError> {
    Ok(Field {
        id: row.parse(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
        spec: row.json(3)?,
        version: row.get(4)?,
        retired_at: row.get(5)?,
        updated_at: row.get(6)?,
    })
}

/// Certificates under one name that are looked at for a predecessor.
const LOOKED_AT: u32 = 100;
