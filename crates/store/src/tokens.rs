//! API tokens, kept by their hashes.

use domain::access::{Principal, Visibility};
use domain::id::TokenId;
use domain::token::ApiToken;
use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;

use crate::list::List;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, name, hash, expires_at, created_at, last_used_at, revoked_at, created_by"
    };
}

impl Tx<'_> {
    /// Adds a token.
    pub async fn insert_token(&mut self, token: &ApiToken) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO api_tokens (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        );
        let values = params![
            token.id.as_str(),
            &token.name,
            token.hash.to_string(),
            token.expires_at,
            token.created_at,
            token.last_used_at,
            token.revoked_at,
            token.created_by.as_ref().map(Principal::as_str),
        ];
        self.execute_one(sql, values).await
    }

    /// The token that a caller presents, revoked and expired ones included.
    pub async fn find_token_by_hash(
        &mut self,
        hash: &Fingerprint,
    ) -> Result<Option<ApiToken>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM api_tokens WHERE hash = $1");
        let row = self.query_opt(sql, params![hash.to_string()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The token with that id.
    pub async fn find_token(&mut self, id: &TokenId) -> Result<Option<ApiToken>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM api_tokens WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Tokens that hold a role in a team that is seen, newest first.
    pub async fn list_tokens(
        &mut self,
        visible: &Visibility,
        after: Option<&TokenId>,
        limit: u32,
    ) -> Result<Vec<ApiToken>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM api_tokens"))
            .visible_by(
                "id IN (SELECT principal FROM role_grants WHERE team_id IN (?))",
                visible,
            )
            .and_if("id < ?", after.map(TokenId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// Notes that a token was used.
    pub async fn touch_token(&mut self, id: &TokenId, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE api_tokens SET last_used_at = $2 WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }

    /// Revokes a token, and answers whether it was in force until now.
    pub async fn revoke_token(&mut self, id: &TokenId, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE api_tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }
}

fn read(row: &Row) -> Result<ApiToken, StoreError> {
    Ok(ApiToken {
        id: row.parse(0)?,
        name: row.get(1)?,
        hash: row.parse(2)?,
        expires_at: row.get(3)?,
        created_at: row.get(4)?,
        last_used_at: row.get(5)?,
        revoked_at: row.get(6)?,
        created_by: row.parse_opt(7)?,
    })
}
