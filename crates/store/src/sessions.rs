//! Sessions, kept by the hashes of their secrets.

use domain::id::{SessionId, UserId};
use domain::session::Session;
use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;

use crate::codec::word;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, user_id, hash, method, address, user_agent, created_at, authenticated_at, last_used_at"
    };
}

impl Tx<'_> {
    /// Adds a session.
    pub async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO sessions (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        );
        let values = params![
            session.id.as_str(),
            session.user.as_str(),
            session.hash.to_string(),
            word(&session.method)?,
            session.address.as_deref(),
            session.user_agent.as_deref(),
            session.created_at,
            session.authenticated_at,
            session.last_used_at,
        ];
        self.execute_one(sql, values).await
    }

    /// The session that a browser presents, one that ran out included.
    pub async fn find_session_by_hash(
        &mut self,
        hash: &Fingerprint,
    ) -> Result<Option<Session>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM sessions WHERE hash = $1");
        let row = self.query_opt(sql, params![hash.to_string()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// A person's sessions, newest first.
    pub async fn list_sessions(
        &mut self,
        user: &UserId,
        after: Option<&SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM sessions"))
            .and_if("user_id = ?", Some(user.as_str()))
            .and_if("id < ?", after.map(SessionId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// Notes that a session was used.
    pub async fn touch_session(
        &mut self,
        id: &SessionId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE sessions SET last_used_at = $2 WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }

    /// Notes that its user proved again who they are.
    pub async fn renew_session(
        &mut self,
        id: &SessionId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE sessions SET authenticated_at = $2, last_used_at = $2 WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }

    /// Ends one of a person's sessions, and answers whether there was one.
    pub async fn delete_session(
        &mut self,
        user: &UserId,
        id: &SessionId,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM sessions WHERE id = $1 AND user_id = $2";
        let values = params![id.as_str(), user.as_str()];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Ends all of a person's sessions but one, and answers how many.
    pub async fn delete_other_sessions(
        &mut self,
        user: &UserId,
        kept: &SessionId,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";
        self.execute(sql, params![user.as_str(), kept.as_str()])
            .await
    }

    /// Ends all of a person's sessions, and answers how many.
    pub async fn delete_sessions_of(&mut self, user: &UserId) -> Result<u64, StoreError> {
        let sql = "DELETE FROM sessions WHERE user_id = $1";
        self.execute(sql, params![user.as_str()]).await
    }

    /// Ends every session there is.
    pub async fn delete_all_sessions(&mut self) -> Result<u64, StoreError> {
        self.execute("DELETE FROM sessions", params![]).await
    }

    /// Deletes sessions that were last used, or begun, before these instants.
    pub async fn purge_sessions(
        &mut self,
        used_before: Timestamp,
        begun_before: Timestamp,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM sessions WHERE last_used_at < $1 OR created_at < $2";
        self.execute(sql, params![used_before, begun_before]).await
    }
}

fn read(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.parse(0)?,
        user: row.parse(1)?,
        hash: row.parse(2)?,
        method: row.word(3)?,
        address: row.get(4)?,
        user_agent: row.get(5)?,
        created_at: row.get(6)?,
        authenticated_at: row.get(7)?,
        last_used_at: row.get(8)?,
    })
}
