//! Rules by which client certificates stand for tokens.

use domain::client_certificate::{CaReference, CertificateMatch, ClientCertificate};
use domain::id::{ClientCertificateId, TokenId};
use pki::time::Timestamp;

use crate::codec::json;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, name, token_id, ca, subject, created_at, last_used_at"
    };
}

impl Tx<'_> {
    /// Adds a rule, unless there is one for the same certificates; answers whether it is new.
    pub async fn insert_client_certificate(
        &mut self,
        rule: &ClientCertificate,
    ) -> Result<bool, StoreError> {
        let sql = concat!(
            "INSERT INTO client_certificates (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (ca, subject) DO NOTHING"
        );
        let values = params![
            rule.id.as_str(),
            &rule.name,
            rule.token.as_str(),
            rule.ca.to_string(),
            json(&rule.subject)?,
            rule.created_at,
            rule.last_used_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// The rule with that id.
    pub async fn find_client_certificate(
        &mut self,
        id: &ClientCertificateId,
    ) -> Result<Option<ClientCertificate>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM client_certificates WHERE id = $1"
        );
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The rule for certificates of a CA with one of these in them, the first that is found.
    pub async fn match_client_certificate(
        &mut self,
        ca: &CaReference,
        candidates: &[CertificateMatch],
    ) -> Result<Option<ClientCertificate>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM client_certificates WHERE ca = $1 AND subject = $2"
        );
        for candidate in candidates {
            let values = params![ca.to_string(), json(candidate)?];
            if let Some(row) = self.query_opt(sql, values).await? {
                return read(&row).map(Some);
            }
        }
        Ok(None)
    }

    /// Rules, newest first.
    pub async fn list_client_certificates(
        &mut self,
        after: Option<&ClientCertificateId>,
        limit: u32,
    ) -> Result<Vec<ClientCertificate>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM client_certificates"))
            .and_if("id < ?", after.map(ClientCertificateId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// Notes a use.
    pub async fn touch_client_certificate(
        &mut self,
        id: &ClientCertificateId,
        token: &TokenId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE client_certificates SET last_used_at = $2 WHERE id = $1";
        self.execute(sql, params![id.as_str(), now]).await?;
        self.touch_token(token, now).await.map(drop)
    }

    /// Removes a rule, and answers whether there was one.
    pub async fn delete_client_certificate(
        &mut self,
        id: &ClientCertificateId,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM client_certificates WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str()]).await? == 1)
    }
}

fn read(row: &Row) -> Result<ClientCertificate, StoreError> {
    Ok(ClientCertificate {
        id: row.parse(0)?,
        name: row.get(1)?,
        token: row.parse(2)?,
        ca: row.parse(3)?,
        subject: row.json(4)?,
        created_at: row.get(5)?,
        last_used_at: row.get(6)?,
    })
}
