//! Tickets: what somebody holds who is half-way through something that takes two requests.

use domain::id::UserId;
use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::codec::word;
use crate::{Row, StoreError, Tx, params};

/// What a ticket is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketPurpose {
    /// To choose a password for the first time, or after a reset.
    Setup,
    PasskeyRegistration,
    PasskeySignIn,
    /// To come back from a sign-on provider.
    SignOn,
}

/// A ticket as it is kept: by the hash of its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub hash: Fingerprint,
    pub purpose: TicketPurpose,
    pub user: Option<UserId>,
    /// What the second half needs, sealed.
    pub sealed: Option<String>,
    pub expires_at: Timestamp,
}

macro_rules! columns {
    () => {
        "hash, purpose, user_id, sealed, expires_at"
    };
}

impl Tx<'_> {
    /// Adds a ticket.
    pub async fn insert_ticket(&mut self, ticket: &Ticket) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO tickets (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5)"
        );
        let values = params![
            ticket.hash.to_string(),
            word(&ticket.purpose)?,
            ticket.user.as_ref().map(UserId::as_str),
            ticket.sealed.as_deref(),
            ticket.expires_at,
        ];
        self.execute_one(sql, values).await
    }

    /// A ticket that is good at `now`.
    pub async fn find_ticket(
        &mut self,
        hash: &Fingerprint,
        purpose: TicketPurpose,
        now: Timestamp,
    ) -> Result<Option<Ticket>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM tickets WHERE hash = $1 AND purpose = $2 AND expires_at > $3"
        );
        let values = params![hash.to_string(), word(&purpose)?, now];
        let row = self.query_opt(sql, values).await?;
        row.as_ref().map(read).transpose()
    }

    /// Uses a ticket up. Of any number of callers exactly one is told that it did.
    pub async fn delete_ticket(&mut self, hash: &Fingerprint) -> Result<bool, StoreError> {
        let sql = "DELETE FROM tickets WHERE hash = $1";
        Ok(self.execute(sql, params![hash.to_string()]).await? == 1)
    }

    /// Withdraws a person's tickets of one purpose.
    pub async fn delete_tickets_of(
        &mut self,
        user: &UserId,
        purpose: TicketPurpose,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM tickets WHERE user_id = $1 AND purpose = $2";
        self.execute(sql, params![user.as_str(), word(&purpose)?])
            .await
    }

    /// Withdraws every ticket there is.
    pub async fn delete_all_tickets(&mut self) -> Result<u64, StoreError> {
        self.execute("DELETE FROM tickets", params![]).await
    }

    /// Deletes tickets that ran out.
    pub async fn purge_tickets(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let sql = "DELETE FROM tickets WHERE expires_at <= $1";
        self.execute(sql, params![now]).await
    }
}

fn read(row: &Row) -> Result<Ticket, StoreError> {
    Ok(Ticket {
        hash: row.parse(0)?,
        purpose: row.word(1)?,
        user: row.parse_opt(2)?,
        sealed: row.get(3)?,
        expires_at: row.get(4)?,
    })
}
