//! Mails that prove control of a mailbox: what they say, when they left, what was replied.

use domain::acme::email::EmailChallenge;
use domain::id::AuthorizationId;
use pki::time::Timestamp;

use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "authorization_id, token, message_id, sent_at, digest, replied_at"
    };
}

impl Tx<'_> {
    /// Notes a mail that is to be sent.
    pub async fn insert_email_challenge(
        &mut self,
        challenge: &EmailChallenge,
    ) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO email_challenges (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6)"
        );
        let values = params![
            challenge.authorization.as_str(),
            &challenge.token,
            &challenge.message_id,
            challenge.sent_at,
            challenge.digest.as_deref(),
            challenge.replied_at,
        ];
        self.execute(sql, values).await.map(drop)
    }

    /// The mail of an authorization.
    pub async fn find_email_challenge(
        &mut self,
        authorization: &AuthorizationId,
    ) -> Result<Option<EmailChallenge>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM email_challenges WHERE authorization_id = $1"
        );
        let row = self.query_opt(sql, params![authorization.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The mail that had this half of a token.
    pub async fn find_email_challenge_by_token(
        &mut self,
        token: &str,
    ) -> Result<Option<EmailChallenge>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM email_challenges WHERE token = $1"
        );
        let row = self.query_opt(sql, params![token]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Notes that a mail left.
    pub async fn note_email_sent(
        &mut self,
        authorization: &AuthorizationId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE email_challenges SET sent_at = $2 WHERE authorization_id = $1";
        let values = params![authorization.as_str(), at];
        self.execute(sql, values).await.map(drop)
    }

    /// Notes the reply that was believed; the first one counts.
    pub async fn note_email_reply(
        &mut self,
        authorization: &AuthorizationId,
        digest: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE email_challenges SET digest = $2, replied_at = $3 \
                   WHERE authorization_id = $1 AND digest IS NULL";
        let values = params![authorization.as_str(), digest, at];
        self.execute(sql, values).await.map(drop)
    }

    /// Forgets the mails whose authorizations are no more.
    pub async fn purge_email_challenges(&mut self) -> Result<u64, StoreError> {
        let sql = "DELETE FROM email_challenges WHERE NOT EXISTS \
                   (SELECT 1 FROM acme_authorizations WHERE acme_authorizations.id = authorization_id)";
        self.execute(sql, params![]).await
    }
}

fn read(row: &Row) -> Result<EmailChallenge, StoreError> {
    Ok(EmailChallenge {
        authorization: row.parse(0)?,
        token: row.get(1)?,
        message_id: row.get(2)?,
        sent_at: row.get(3)?,
        digest: row.get(4)?,
        replied_at: row.get(5)?,
    })
}
