//! ACME authorizations (RFC 8555 section 7.1.4).

use domain::acme::authorization::{Authorization, AuthorizationState};
use domain::id::{AccountId, AuthorizationId, DirectoryId};
use domain::identifier::Identifier;
use pki::time::Timestamp;

use crate::codec::json;
use crate::dialect::for_update;
use crate::list::placeholders;
use crate::{Row, StoreError, Tx, Value, params};

macro_rules! columns {
    () => {
        "id, account_id, directory_id, identifier_type, identifier, wildcard, token, created_at, \
         state, challenges, expires_at"
    };
}

impl Tx<'_> {
    /// Adds an authorization.
    pub async fn insert_authorization(
        &mut self,
        authorization: &Authorization,
    ) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO acme_authorizations (",
            columns!(),
            ", status) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        );
        let values = params![
            authorization.id.as_str(),
            authorization.account_id.as_str(),
            authorization.directory_id.as_str(),
            authorization.identifier.kind(),
            authorization.identifier.value(),
            authorization.wildcard,
            &authorization.token,
            authorization.created_at,
            json(&authorization.state)?,
            json(&authorization.challenges)?,
            authorization.expires_at,
            status(&authorization.state),
        ];
        self.execute_one(sql, values).await
    }

    /// The authorization with that id.
    pub async fn find_authorization(
        &mut self,
        id: &AuthorizationId,
    ) -> Result<Option<Authorization>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM acme_authorizations WHERE id = $1"
        );
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// As [`find_authorization`](Self::find_authorization); the row stays as it is until the
    /// transaction ends.
    pub async fn find_authorization_for_update(
        &mut self,
        id: &AuthorizationId,
    ) -> Result<Option<Authorization>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM acme_authorizations WHERE id = $1"
        ));
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The authorizations of an order, in no particular order; those not there are left out.
    pub async fn list_authorizations_by_ids(
        &mut self,
        ids: &[AuthorizationId],
    ) -> Result<Vec<Authorization>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let places = placeholders(ids.len());
        let sql = format!(
            concat!(
                "SELECT ",
                columns!(),
                " FROM acme_authorizations WHERE id IN ({})"
            ),
            places
        );
        let values: Vec<Value<'_>> = ids.iter().map(|id| id.as_str().into()).collect();
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// Writes what can change, and answers whether the authorization is there.
    pub async fn update_authorization(
        &mut self,
        authorization: &Authorization,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE acme_authorizations \
                   SET state = $2, challenges = $3, expires_at = $4, status = $5 WHERE id = $1";
        let values = params![
            authorization.id.as_str(),
            json(&authorization.state)?,
            json(&authorization.challenges)?,
            authorization.expires_at,
            status(&authorization.state),
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// An authorization of the account for exactly this identifier that is valid at `valid_at`, the
    /// one that stays so longest.
    pub async fn find_valid_authorization(
        &mut self,
        account: &AccountId,
        directory: &DirectoryId,
        identifier: &Identifier,
        wildcard: bool,
        valid_at: Timestamp,
    ) -> Result<Option<Authorization>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM acme_authorizations WHERE account_id = $1 AND directory_id = $2 \
              AND identifier_type = $3 AND identifier = $4 AND wildcard = $5 \
              AND status = 'valid' AND expires_at > $6 ORDER BY expires_at DESC LIMIT 1"
        );
        let values = params![
            account.as_str(),
            directory.as_str(),
            identifier.kind(),
            identifier.value(),
            wildcard,
            valid_at,
        ];
        let row = self.query_opt(sql, values).await?;
        row.as_ref().map(read).transpose()
    }

    /// Deletes authorizations that expired before `before`, so long ago that no open order needs them.
    pub async fn delete_expired_authorizations(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM acme_authorizations WHERE id IN \
                   (SELECT id FROM acme_authorizations WHERE expires_at < $1 \
                    ORDER BY expires_at LIMIT $2)";
        self.execute(sql, params![before, limit]).await
    }
}

/// The state's name, for the index.
fn status(state: &AuthorizationState) -> &'static str {
    match state {
        AuthorizationState::Pending => "pending",
        AuthorizationState::Valid { .. } => "valid",
        AuthorizationState::Invalid => "invalid",
        AuthorizationState::Deactivated => "deactivated",
        AuthorizationState::Revoked => "revoked",
    }
}

fn read(row: &Row) -> Result<Authorization, StoreError> {
    let identifier = Identifier::parse_any(row.get(3)?, row.get(4)?);
    Ok(Authorization {
        id: row.parse(0)?,
        account_id: row.parse(1)?,
        directory_id: row.parse(2)?,
        identifier: identifier.map_err(|error| row.unreadable(4, &error))?,
        wildcard: row.get(5)?,
        token: row.get(6)?,
        created_at: row.get(7)?,
        state: row.json(8)?,
        challenges: row.json(9)?,
        expires_at: row.get(10)?,
    })
}
