//! What people prove themselves with: passwords, authenticators, recovery codes.

use domain::id::UserId;
use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;

use crate::{Row, StoreError, Tx, params};

/// What is kept of one person's secrets; all of it hashed or sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredCredentials {
    /// argon2id in PHC form.
    pub password_hash: Option<String>,
    pub password_changed_at: Option<Timestamp>,
    pub sealed_totp: Option<String>,
    /// Until its first code shows that the authenticator took it over.
    pub sealed_totp_pending: Option<String>,
    /// The last step of which a code was taken.
    pub totp_step: u64,
}

impl Tx<'_> {
    /// What a person proves themselves with; nothing where nothing was set.
    pub async fn find_credentials(
        &mut self,
        user: &UserId,
    ) -> Result<StoredCredentials, StoreError> {
        let sql = "SELECT password_hash, password_changed_at, sealed_totp, sealed_totp_pending, \
                   totp_step FROM user_credentials WHERE user_id = $1";
        let row = self.query_opt(sql, params![user.as_str()]).await?;
        row.as_ref()
            .map_or_else(|| Ok(StoredCredentials::default()), read)
    }

    /// Sets a password.
    pub async fn put_password(
        &mut self,
        user: &UserId,
        hash: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO user_credentials (user_id, password_hash, password_changed_at, \
                   totp_step) VALUES ($1, $2, $3, 0) \
                   ON CONFLICT (user_id) DO UPDATE SET password_hash = $2, password_changed_at = $3";
        self.execute_one(sql, params![user.as_str(), hash, now])
            .await
    }

    /// Keeps an authenticator's secret until its first code.
    pub async fn put_pending_totp(
        &mut self,
        user: &UserId,
        sealed: &str,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO user_credentials (user_id, sealed_totp_pending, totp_step) \
                   VALUES ($1, $2, 0) \
                   ON CONFLICT (user_id) DO UPDATE SET sealed_totp_pending = $2";
        self.execute_one(sql, params![user.as_str(), sealed]).await
    }

    /// Takes the pending authenticator into use, its code of `step` being spent. Answers whether it
    /// is still the one that `sealed` was read from.
    pub async fn confirm_totp(
        &mut self,
        user: &UserId,
        sealed: &str,
        step: u64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE user_credentials SET sealed_totp = sealed_totp_pending, \
                   sealed_totp_pending = NULL, totp_step = $3 \
                   WHERE user_id = $1 AND sealed_totp_pending = $2";
        let values = params![user.as_str(), sealed, signed(step)];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Spends the code of a step. Of any number of callers exactly one is told that it was good.
    pub async fn spend_totp_step(&mut self, user: &UserId, step: u64) -> Result<bool, StoreError> {
        let sql = "UPDATE user_credentials SET totp_step = $2 \
                   WHERE user_id = $1 AND totp_step < $2 AND sealed_totp IS NOT NULL";
        Ok(self
            .execute(sql, params![user.as_str(), signed(step)])
            .await?
            == 1)
    }

    /// Removes the authenticator, and answers whether there was one.
    pub async fn remove_totp(&mut self, user: &UserId) -> Result<bool, StoreError> {
        let sql = "UPDATE user_credentials SET sealed_totp = NULL, sealed_totp_pending = NULL \
                   WHERE user_id = $1 AND sealed_totp IS NOT NULL";
        Ok(self.execute(sql, params![user.as_str()]).await? == 1)
    }

    /// Replaces a person's recovery codes.
    pub async fn put_recovery_codes(
        &mut self,
        user: &UserId,
        hashes: &[Fingerprint],
    ) -> Result<(), StoreError> {
        self.delete_recovery_codes(user).await?;
        for hash in hashes {
            let sql = "INSERT INTO recovery_codes (hash, user_id) VALUES ($1, $2)";
            self.execute_one(sql, params![hash.to_string(), user.as_str()])
                .await?;
        }
        Ok(())
    }

    /// Uses a recovery code up. Of any number of callers exactly one is told that it was good.
    pub async fn spend_recovery_code(
        &mut self,
        user: &UserId,
        hash: &Fingerprint,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM recovery_codes WHERE hash = $1 AND user_id = $2";
        let values = params![hash.to_string(), user.as_str()];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// How many recovery codes are left.
    pub async fn count_recovery_codes(&mut self, user: &UserId) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM recovery_codes WHERE user_id = $1";
        self.query_one(sql, params![user.as_str()]).await?.get(0)
    }

    /// Removes all recovery codes.
    pub async fn delete_recovery_codes(&mut self, user: &UserId) -> Result<u64, StoreError> {
        let sql = "DELETE FROM recovery_codes WHERE user_id = $1";
        self.execute(sql, params![user.as_str()]).await
    }

    /// Removes everything a person proves themselves with, and what they are half-way through.
    pub async fn delete_credentials(&mut self, user: &UserId) -> Result<(), StoreError> {
        self.delete_recovery_codes(user).await?;
        for sql in [
            "DELETE FROM passkeys WHERE user_id = $1",
            "DELETE FROM tickets WHERE user_id = $1",
            "DELETE FROM user_credentials WHERE user_id = $1",
        ] {
            self.execute(sql, params![user.as_str()]).await?;
        }
        Ok(())
    }
}

/// Steps count half minutes; they reach the sign bit after the sun is gone.
fn signed(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

fn read(row: &Row) -> Result<StoredCredentials, StoreError> {
    Ok(StoredCredentials {
        password_hash: row.get(0)?,
        password_changed_at: row.get(1)?,
        sealed_totp: row.get(2)?,
        sealed_totp_pending: row.get(3)?,
        totp_step: row.get(4)?,
    })
}
