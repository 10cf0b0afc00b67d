//! Responses to challenges of CAs elsewhere, until they are taken away.

use domain::id::IssuerId;
use domain::issuer::response::ChallengeResponse;
use pki::time::Timestamp;

use crate::codec::word;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "issuer_id, order_url, place, name, value, placed_at"
    };
}

/// More than an order has names; what is left is found by another look.
const MANY: u32 = 1_000;

impl Tx<'_> {
    /// Notes a response; one that is noted already keeps its time.
    pub async fn note_challenge_response(
        &mut self,
        response: &ChallengeResponse,
    ) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO challenge_responses (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (issuer_id, order_url, name, value) DO NOTHING"
        );
        let values = params![
            response.issuer.as_str(),
            &response.order,
            word(&response.place)?,
            &response.name,
            &response.value,
            response.placed_at,
        ];
        self.execute(sql, values).await.map(drop)
    }

    /// The responses of an order.
    pub async fn list_challenge_responses(
        &mut self,
        issuer: &IssuerId,
        order: &str,
    ) -> Result<Vec<ChallengeResponse>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM challenge_responses WHERE issuer_id = $1 AND order_url = $2 \
             ORDER BY name, value LIMIT $3"
        );
        let values = params![issuer.as_str(), order, MANY];
        let rows = self.query(sql, values).await?;
        rows.iter().map(read).collect()
    }

    /// Responses of an issuer that were placed before an instant, the oldest first.
    pub async fn list_challenge_responses_before(
        &mut self,
        issuer: &IssuerId,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<ChallengeResponse>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM challenge_responses WHERE issuer_id = $1 AND placed_at < $2 \
             ORDER BY placed_at, order_url, name, value LIMIT $3"
        );
        let values = params![issuer.as_str(), before, limit];
        let rows = self.query(sql, values).await?;
        rows.iter().map(read).collect()
    }

    /// What a CA that comes with this token is to be shown.
    pub async fn find_http_response(&mut self, token: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM challenge_responses \
                   WHERE name = $1 AND place = 'http-01' ORDER BY placed_at DESC LIMIT 1";
        let row = self.query_opt(sql, params![token]).await?;
        row.map(|row| row.get(0)).transpose()
    }

    /// Forgets a response.
    pub async fn delete_challenge_response(
        &mut self,
        response: &ChallengeResponse,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM challenge_responses \
                   WHERE issuer_id = $1 AND order_url = $2 AND name = $3 AND value = $4";
        let values = params![
            response.issuer.as_str(),
            &response.order,
            &response.name,
            &response.value,
        ];
        self.execute(sql, values).await.map(drop)
    }
}

fn read(row: &Row) -> Result<ChallengeResponse, StoreError> {
    Ok(ChallengeResponse {
        issuer: row.parse(0)?,
        order: row.get(1)?,
        place: row.word(2)?,
        name: row.get(3)?,
        value: row.get(4)?,
        placed_at: row.get(5)?,
    })
}
