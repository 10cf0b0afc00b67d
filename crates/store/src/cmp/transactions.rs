//! CMP transactions.

use domain::cmp::{CmpTransaction, TransactionState};
use domain::id::EntryPointId;
use pki::time::Timestamp;

use crate::codec::{json, word};
use crate::dialect::for_update;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "endpoint_id, transaction_id, enrollment_id, request, request_number, proof, digest, nonce, \
         implicit, state, created_at, updated_at"
    };
}

impl Tx<'_> {
    /// Adds a transaction, unless there is one with its id; answers whether there was none.
    pub async fn insert_cmp_transaction(
        &mut self,
        transaction: &CmpTransaction,
    ) -> Result<bool, StoreError> {
        let sql = concat!(
            "INSERT INTO cmp_transactions (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ",
            "ON CONFLICT (endpoint_id, transaction_id) DO NOTHING"
        );
        let values = params![
            transaction.endpoint.as_str(),
            &transaction.id,
            transaction.enrollment.as_str(),
            word(&transaction.request)?,
            transaction.request_number,
            json(&transaction.proof)?,
            transaction.digest.to_string(),
            &transaction.nonce,
            transaction.implicit,
            json(&transaction.state)?,
            transaction.created_at,
            transaction.updated_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// The transaction of an endpoint with that id.
    pub async fn find_cmp_transaction(
        &mut self,
        endpoint: &EntryPointId,
        id: &str,
    ) -> Result<Option<CmpTransaction>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM cmp_transactions WHERE endpoint_id = $1 AND transaction_id = $2"
        );
        let row = self.query_opt(sql, params![endpoint.as_str(), id]).await?;
        row.as_ref().map(read).transpose()
    }

    /// As [`find_cmp_transaction`](Self::find_cmp_transaction); the row stays as it is until the
    /// transaction ends.
    pub async fn find_cmp_transaction_for_update(
        &mut self,
        endpoint: &EntryPointId,
        id: &str,
    ) -> Result<Option<CmpTransaction>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM cmp_transactions WHERE endpoint_id = $1 AND transaction_id = $2"
        ));
        let row = self.query_opt(sql, params![endpoint.as_str(), id]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Writes how far a transaction has come, and the nonce of our answer.
    pub async fn update_cmp_transaction(
        &mut self,
        endpoint: &EntryPointId,
        id: &str,
        state: &TransactionState,
        nonce: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE cmp_transactions SET state = $3, nonce = $4, updated_at = $5 \
                   WHERE endpoint_id = $1 AND transaction_id = $2";
        let values = params![endpoint.as_str(), id, json(state)?, nonce, now];
        self.execute_one(sql, values).await
    }

    /// Deletes transactions in which nothing happened since `before`, and answers how many.
    pub async fn delete_old_cmp_transactions(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM cmp_transactions WHERE (endpoint_id, transaction_id) IN \
                   (SELECT endpoint_id, transaction_id FROM cmp_transactions \
                    WHERE updated_at < $1 LIMIT $2)";
        self.execute(sql, params![before, limit]).await
    }
}

fn read(row: &Row) -> Result<CmpTransaction, StoreError> {
    Ok(CmpTransaction {
        endpoint: row.parse(0)?,
        id: row.get(1)?,
        enrollment: row.parse(2)?,
        request: row.word(3)?,
        request_number: row.get(4)?,
        proof: row.json(5)?,
        digest: row.parse(6)?,
        nonce: row.get(7)?,
        implicit: row.get(8)?,
        state: row.json(9)?,
        created_at: row.get(10)?,
        updated_at: row.get(11)?,
    })
}
