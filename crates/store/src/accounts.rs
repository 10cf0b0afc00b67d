//! ACME accounts (RFC 8555 section 7.1.2) and the keys they had before.

use domain::access::Visibility;
use domain::acme::account::{Account, AccountStatus};
use domain::id::{AccountId, DirectoryId, EabKeyId, TeamId};
use pki::time::Timestamp;

use crate::codec::{json, word};
use crate::dialect::for_update;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

/// Which accounts to list; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    pub visible: Visibility,
    pub directory: Option<DirectoryId>,
    pub status: Option<AccountStatus>,
    pub eab_key: Option<EabKeyId>,
}

macro_rules! columns {
    () => {
        "id, directory_id, eab_key_id, eab_jws, created_from, created_at, jwk, thumbprint, status, \
         contacts, terms_agreed, updated_at, team_id, metadata"
    };
}

impl Tx<'_> {
    /// Adds an account. A second one with the same key in the same directory is a duplicate.
    pub async fn insert_account(&mut self, account: &Account) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO acme_accounts (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        );
        let values = params![
            account.id.as_str(),
            account.directory_id.as_str(),
            account.eab_key_id.as_ref().map(EabKeyId::as_str),
            account.eab_jws.as_deref(),
            account.created_from.as_deref(),
            account.created_at,
            &account.jwk,
            &account.thumbprint,
            word(&account.status)?,
            json(&account.contacts)?,
            account.terms_agreed,
            account.updated_at,
            account.team_id.as_ref().map(TeamId::as_str),
            json(&account.metadata)?,
        ];
        self.execute_one(sql, values).await
    }

    /// The account with that id.
    pub async fn find_account(&mut self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM acme_accounts WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// As [`find_account`](Self::find_account); the row stays as it is until the transaction ends.
    pub async fn find_account_for_update(
        &mut self,
        id: &AccountId,
    ) -> Result<Option<Account>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM acme_accounts WHERE id = $1"
        ));
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The account of a directory that has this key now.
    pub async fn find_account_by_thumbprint(
        &mut self,
        directory: &DirectoryId,
        thumbprint: &str,
    ) -> Result<Option<Account>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM acme_accounts WHERE directory_id = $1 AND thumbprint = $2"
        );
        let row = self
            .query_opt(sql, params![directory.as_str(), thumbprint])
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Whether any account in any directory has this key now.
    pub async fn is_account_thumbprint(&mut self, thumbprint: &str) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM acme_accounts WHERE thumbprint = $1)";
        self.query_one(sql, params![thumbprint]).await?.get(0)
    }

    /// Writes what can change, and answers whether the account is there. A key that another account
    /// of the directory has is a duplicate.
    pub async fn update_account(&mut self, account: &Account) -> Result<bool, StoreError> {
        let sql = "UPDATE acme_accounts SET jwk = $2, thumbprint = $3, status = $4, contacts = $5, \
                   terms_agreed = $6, updated_at = $7, metadata = $8 WHERE id = $1";
        let values = params![
            account.id.as_str(),
            &account.jwk,
            &account.thumbprint,
            word(&account.status)?,
            json(&account.contacts)?,
            account.terms_agreed,
            account.updated_at,
            json(&account.metadata)?,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Remembers a key that the account had until now.
    pub async fn retire_thumbprint(
        &mut self,
        account: &AccountId,
        thumbprint: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO acme_past_thumbprints (account_id, thumbprint, retired_at) \
                   VALUES ($1, $2, $3) \
                   ON CONFLICT (account_id, thumbprint) DO UPDATE SET retired_at = $3";
        self.execute_one(sql, params![account.as_str(), thumbprint, now])
            .await
    }

    /// The keys that an account had before, latest first; the last thousand of them.
    pub async fn list_past_thumbprints(
        &mut self,
        account: &AccountId,
    ) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT thumbprint FROM acme_past_thumbprints WHERE account_id = $1 \
                   ORDER BY retired_at DESC, thumbprint LIMIT 1000";
        let rows = self.query(sql, params![account.as_str()]).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Accounts that fit the filter, newest first.
    pub async fn list_accounts(
        &mut self,
        filter: &AccountFilter,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Vec<Account>, StoreError> {
        let status = filter.status.as_ref().map(word).transpose()?;
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM acme_accounts"))
            .visible("team_id", &filter.visible)
            .and_if(
                "directory_id = ?",
                filter.directory.as_ref().map(DirectoryId::as_str),
            )
            .and_if("status = ?", status)
            .and_if(
                "eab_key_id = ?",
                filter.eab_key.as_ref().map(EabKeyId::as_str),
            )
            .and_if("id < ?", after.map(AccountId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// The accounts that a key bound, newest first.
    pub async fn list_accounts_of_eab_key(
        &mut self,
        key: &EabKeyId,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Vec<Account>, StoreError> {
        let filter = AccountFilter {
            eab_key: Some(key.clone()),
            ..AccountFilter::default()
        };
        self.list_accounts(&filter, after, limit).await
    }
}

fn read(row: &Row) -> Result<Account, StoreError> {
    Ok(Account {
        id: row.parse(0)?,
        directory_id: row.parse(1)?,
        eab_key_id: row.parse_opt(2)?,
        eab_jws: row.get(3)?,
        created_from: row.get(4)?,
        created_at: row.get(5)?,
        jwk: row.get(6)?,
        thumbprint: row.get(7)?,
        status: row.word(8)?,
        contacts: row.json(9)?,
        terms_agreed: row.get(10)?,
        updated_at: row.get(11)?,
        team_id: row.parse_opt(12)?,
        metadata: row.json(13)?,
    })
}
