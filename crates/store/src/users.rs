//! People.

use domain::id::{ProviderId, UserId};
use domain::user::{User, UserName, Vouched};
use pki::time::Timestamp;

use crate::codec::{json, word};
use crate::dialect::for_update;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, name, display_name, email, state, provider_id, subject, provider_groups, created_at, \
         last_sign_in_at"
    };
}

impl Tx<'_> {
    /// Adds a person, unless the name is taken; answers whether it was free.
    pub async fn insert_user(&mut self, user: &User) -> Result<bool, StoreError> {
        let sql = concat!(
            "INSERT INTO users (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (name) DO NOTHING"
        );
        let vouched = user.vouched.as_ref();
        let values = params![
            user.id.as_str(),
            user.name.as_str(),
            &user.display_name,
            user.email.as_deref(),
            word(&user.state)?,
            vouched.map(|vouched| vouched.provider.as_str()),
            vouched.map(|vouched| vouched.subject.as_str()),
            vouched.map(|vouched| json(&vouched.groups)).transpose()?,
            user.created_at,
            user.last_sign_in_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// The person with that id.
    pub async fn find_user(&mut self, id: &UserId) -> Result<Option<User>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM users WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// As [`find_user`](Self::find_user); the row stays as it is until the transaction ends.
    pub async fn find_user_for_update(&mut self, id: &UserId) -> Result<Option<User>, StoreError> {
        let sql = for_update!(concat!("SELECT ", columns!(), " FROM users WHERE id = $1"));
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The person with that name.
    pub async fn find_user_by_name(&mut self, name: &UserName) -> Result<Option<User>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM users WHERE name = $1");
        let row = self.query_opt(sql, params![name.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The person that a provider knows by that subject; the row stays as it is until the
    /// transaction ends.
    pub async fn find_user_by_subject(
        &mut self,
        provider: &ProviderId,
        subject: &str,
    ) -> Result<Option<User>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM users WHERE provider_id = $1 AND subject = $2"
        ));
        let row = self
            .query_opt(sql, params![provider.as_str(), subject])
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// People, newest first.
    pub async fn list_users(
        &mut self,
        after: Option<&UserId>,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM users"))
            .and_if("id < ?", after.map(UserId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// Whether a provider vouches for anybody.
    pub async fn has_users_of_provider(&mut self, id: &ProviderId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM users WHERE provider_id = $1 LIMIT 1";
        Ok(self.query_opt(sql, params![id.as_str()]).await?.is_some())
    }

    /// Writes what may change of a person, and answers whether the person is there.
    pub async fn update_user(&mut self, user: &User) -> Result<bool, StoreError> {
        let sql = "UPDATE users SET display_name = $2, email = $3, state = $4, \
                   provider_groups = $5, last_sign_in_at = $6 WHERE id = $1";
        let groups = user.vouched.as_ref().map(|vouched| json(&vouched.groups));
        let values = params![
            user.id.as_str(),
            &user.display_name,
            user.email.as_deref(),
            word(&user.state)?,
            groups.transpose()?,
            user.last_sign_in_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Notes a sign-in.
    pub async fn touch_user(&mut self, id: &UserId, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE users SET last_sign_in_at = $2 WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }

    /// Removes a person with everything they prove themselves with, and answers whether there was one.
    pub async fn delete_user(&mut self, id: &UserId) -> Result<bool, StoreError> {
        self.delete_credentials(id).await?;
        self.delete_sessions_of(id).await?;
        let sql = "DELETE FROM users WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str()]).await? == 1)
    }
}

fn read(row: &Row) -> Result<User, StoreError> {
    let provider: Option<ProviderId> = row.parse_opt(5)?;
    let vouched = match provider {
        None => None,
        Some(provider) => Some(Vouched {
            provider,
            subject: row.get(6)?,
            groups: row.json(7)?,
        }),
    };
    Ok(User {
        id: row.parse(0)?,
        name: row.parse(1)?,
        display_name: row.get(2)?,
        email: row.get(3)?,
        state: row.word(4)?,
        vouched,
        created_at: row.get(8)?,
        last_sign_in_at: row.get(9)?,
    })
}
