//! Small values of the installation, by name.

use pki::time::Timestamp;

use crate::{StoreError, Tx, params};

impl Tx<'_> {
    /// A setting's value.
    pub async fn find_setting(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM settings WHERE name = $1";
        let row = self.query_opt(sql, params![name]).await?;
        row.map(|row| row.get(0)).transpose()
    }

    /// Sets a value, whatever it was before.
    pub async fn put_setting(
        &mut self,
        name: &str,
        value: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) \
                   ON CONFLICT (name) DO UPDATE SET value = $2, updated_at = $3";
        self.execute_one(sql, params![name, value, now]).await
    }

    /// Sets a value unless there is one, and answers whether there was none: of several nodes that
    /// start at once the first wins.
    pub async fn insert_setting_if_absent(
        &mut self,
        name: &str,
        value: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) \
                   ON CONFLICT (name) DO NOTHING";
        Ok(self.execute(sql, params![name, value, now]).await? == 1)
    }

    /// Removes a setting. Of any number of callers exactly one is told that it did.
    pub async fn delete_setting(&mut self, name: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM settings WHERE name = $1";
        Ok(self.execute(sql, params![name]).await? == 1)
    }
}
