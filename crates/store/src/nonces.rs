//! Replay nonces that were redeemed, for nodes that share a database (RFC 8555 section 6.5).
//!
//! On PostgreSQL the tables are `UNLOGGED`: redeeming waits for no disk, and a server that crashed or
//! was promoted starts with both empty. The epoch is lost with them, and with it every nonce of the time
//! before is refused instead of being accepted a second time.

use pki::time::Timestamp;

use crate::{Sql, Store, StoreError, params};

const NEW_EPOCH: Sql<'static> = Sql::each(
    "INSERT INTO nonce_epoch (id, epoch) VALUES (1, lower(hex(randomblob(16)))) \
     ON CONFLICT (id) DO NOTHING",
    "INSERT INTO nonce_epoch (id, epoch) VALUES (1, CAST(gen_random_uuid() AS TEXT)) \
     ON CONFLICT (id) DO NOTHING",
);

impl Store {
    /// What the table of spent nonces has been since it was last empty. Nonces of another epoch are
    /// void; the key that makes them is to be derived from it.
    pub async fn nonce_epoch(&self) -> Result<String, StoreError> {
        let epoch: String = self
            .write_unlogged("nonce.epoch", |tx| {
                Box::pin(async move {
                    let find = "SELECT epoch FROM nonce_epoch WHERE id = 1";
                    if let Some(row) = tx.query_opt(find, params![]).await? {
                        return row.get(0);
                    }
                    tx.execute(NEW_EPOCH, params![]).await?;
                    tx.query_one(find, params![]).await?.get(0)
                })
            })
            .await?;
        self.remember_epoch(&epoch);
        Ok(epoch)
    }

    /// Redeems a nonce of the epoch last answered by [`nonce_epoch`](Self::nonce_epoch). Of any number
    /// of callers on any number of nodes exactly one is told `true`, and nobody if that epoch is over.
    pub async fn spend_nonce(&self, nonce: &str, now: Timestamp) -> Result<bool, StoreError> {
        let Some(epoch) = self.known_epoch() else {
            return Ok(false);
        };
        let nonce = nonce.to_owned();
        self.write_unlogged("nonce.spend", move |tx| {
            Box::pin(async move {
                // The epoch is looked at in the same statement: a table emptied a moment ago is seen.
                let sql = "INSERT INTO spent_nonces (nonce, spent_at) \
                           SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT) FROM nonce_epoch WHERE epoch = $3 \
                           ON CONFLICT (nonce) DO NOTHING";
                Ok(tx.execute(sql, params![&nonce, now, &*epoch]).await? == 1)
            })
        })
        .await
    }

    /// Forgets nonces that were spent before `before`, and answers how many.
    pub async fn purge_nonces(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write("nonce.purge", move |tx| {
            Box::pin(async move {
                tx.execute(
                    "DELETE FROM spent_nonces WHERE spent_at < $1",
                    params![before],
                )
                .await
            })
        })
        .await
    }
}
