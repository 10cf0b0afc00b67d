//! OpenID Connect providers.

use domain::id::ProviderId;
use domain::sign_on::Provider;

use crate::codec::json;
use crate::dialect::for_update;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, name, spec, sealed_secret, created_at, updated_at"
    };
}

impl Tx<'_> {
    /// Adds a provider.
    pub async fn insert_provider(&mut self, provider: &Provider) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO sign_on_providers (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6)"
        );
        let values = params![
            provider.id.as_str(),
            &provider.name,
            json(&provider.spec)?,
            provider.sealed_secret.as_deref(),
            provider.created_at,
            provider.updated_at,
        ];
        self.execute_one(sql, values).await
    }

    /// The provider with that id.
    pub async fn find_provider(&mut self, id: &ProviderId) -> Result<Option<Provider>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM sign_on_providers WHERE id = $1"
        );
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The provider with that name.
    pub async fn find_provider_by_name(
        &mut self,
        name: &str,
    ) -> Result<Option<Provider>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM sign_on_providers WHERE name = $1"
        );
        let row = self.query_opt(sql, params![name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// As above; the row stays as it is until the transaction ends.
    pub async fn find_provider_by_name_for_update(
        &mut self,
        name: &str,
    ) -> Result<Option<Provider>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM sign_on_providers WHERE name = $1"
        ));
        let row = self.query_opt(sql, params![name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// All providers by name; there are few.
    pub async fn list_providers(&mut self) -> Result<Vec<Provider>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM sign_on_providers ORDER BY name LIMIT 1000"
        );
        self.query(sql, params![]).await?.iter().map(read).collect()
    }

    /// Writes settings and secret, and answers whether the provider is there.
    pub async fn update_provider(&mut self, provider: &Provider) -> Result<bool, StoreError> {
        let sql = "UPDATE sign_on_providers SET spec = $2, sealed_secret = $3, updated_at = $4 \
                   WHERE id = $1";
        let values = params![
            provider.id.as_str(),
            json(&provider.spec)?,
            provider.sealed_secret.as_deref(),
            provider.updated_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Removes a provider for which nobody is left, and answers whether there was one.
    pub async fn delete_provider(&mut self, id: &ProviderId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM sign_on_providers WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str()]).await? == 1)
    }
}

fn read(row: &Row) -> Result<Provider, StoreError> {
    Ok(Provider {
        id: row.parse(0)?,
        name: row.get(1)?,
        spec: row.json(2)?,
        sealed_secret: row.get(3)?,
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
    })
}
