//! Passkeys: public keys of authenticators.

use domain::id::{PasskeyId, UserId};
use domain::passkey::Passkey;
use pki::time::Timestamp;

use crate::dialect::for_update;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, user_id, credential_id, name, created_at, credential, last_used_at"
    };
}

impl Tx<'_> {
    /// Adds a passkey, unless the authenticator is known already; answers whether it is new.
    pub async fn insert_passkey(&mut self, passkey: &Passkey) -> Result<bool, StoreError> {
        let sql = concat!(
            "INSERT INTO passkeys (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (credential_id) DO NOTHING"
        );
        let values = params![
            passkey.id.as_str(),
            passkey.user.as_str(),
            &passkey.credential_id,
            &passkey.name,
            passkey.created_at,
            &passkey.credential,
            passkey.last_used_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// The passkey that an authenticator presents; the row stays as it is until the transaction ends.
    pub async fn find_passkey_by_credential(
        &mut self,
        credential_id: &str,
    ) -> Result<Option<Passkey>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM passkeys WHERE credential_id = $1"
        ));
        let row = self.query_opt(sql, params![credential_id]).await?;
        row.as_ref().map(read).transpose()
    }

    /// A person's passkeys, newest first.
    pub async fn list_passkeys(&mut self, user: &UserId) -> Result<Vec<Passkey>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM passkeys WHERE user_id = $1 ORDER BY id DESC LIMIT 100"
        );
        let rows = self.query(sql, params![user.as_str()]).await?;
        rows.iter().map(read).collect()
    }

    /// Notes a use, with the counter that the authenticator came to.
    pub async fn update_passkey(
        &mut self,
        id: &PasskeyId,
        credential: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE passkeys SET credential = $2, last_used_at = $3 WHERE id = $1";
        let values = params![id.as_str(), credential, now];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Removes one of a person's passkeys, and answers whether there was one.
    pub async fn delete_passkey(
        &mut self,
        user: &UserId,
        id: &PasskeyId,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM passkeys WHERE id = $1 AND user_id = $2";
        let values = params![id.as_str(), user.as_str()];
        Ok(self.execute(sql, values).await? == 1)
    }
}

fn read(row: &Row) -> Result<Passkey, StoreError> {
    Ok(Passkey {
        id: row.parse(0)?,
        user: row.parse(1)?,
        credential_id: row.get(2)?,
        name: row.get(3)?,
        created_at: row.get(4)?,
        credential: row.get(5)?,
        last_used_at: row.get(6)?,
    })
}
