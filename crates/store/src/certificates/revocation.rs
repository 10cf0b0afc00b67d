//! Revoking, and what CRLs and OCSP ask.

use domain::certificate::Revocation;
use domain::id::{CertificateId, IssuerId};
use pki::serial::Serial;
use pki::time::Timestamp;

use super::columns::read_revocation;
use crate::codec::hex;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

/// An entry of a CRL, with the id that its page is continued by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedCertificate {
    pub id: CertificateId,
    pub serial: Serial,
    pub revocation: Revocation,
}

impl Tx<'_> {
    /// Revokes a certificate, and answers whether it was not revoked before.
    pub async fn revoke_certificate(
        &mut self,
        id: &CertificateId,
        revocation: &Revocation,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE certificates SET revoked_at = $2, revocation_reason = $3 \
                   WHERE id = $1 AND revoked_at IS NULL";
        let reason = i32::from(revocation.reason.code());
        self.uncount_certificate(id.as_str()).await?;
        let changed = self
            .execute(sql, params![id.as_str(), revocation.at, reason])
            .await?;
        self.recount_certificate(id.as_str()).await?;
        Ok(changed == 1)
    }

    /// The revoked certificates of an issuer that did not expire before `expired_before`, in the
    /// order of their ids.
    pub async fn list_unexpired_revoked(
        &mut self,
        issuer: &IssuerId,
        expired_before: Timestamp,
        after: Option<&CertificateId>,
        limit: u32,
    ) -> Result<Vec<RevokedCertificate>, StoreError> {
        let select = "SELECT id, serial, revoked_at, revocation_reason FROM certificates";
        let (sql, values) = List::new(select)
            .and("revoked_at IS NOT NULL")
            .and_if("issuer_id = ?", Some(issuer.as_str()))
            .and_if("not_after >= ?", Some(expired_before))
            .and_if("id > ?", after.map(CertificateId::as_str))
            .limit("ORDER BY id", limit);
        let rows = self.query(&sql, &values).await?;
        rows.iter().map(read_revoked).collect()
    }

    /// Whether and why a certificate of one of our issuers is revoked, and when it ends; `None` if the
    /// serial was never issued.
    pub async fn serial_status(
        &mut self,
        authority_key_identifier: &[u8],
        serial: &Serial,
    ) -> Result<Option<(Option<Revocation>, Timestamp)>, StoreError> {
        let sql = "SELECT not_after, revoked_at, revocation_reason FROM certificates \
                   WHERE authority_key_identifier = $1 AND serial = $2 AND issuer_id IS NOT NULL";
        let values = params![hex(authority_key_identifier), serial.to_string()];
        match self.query_opt(sql, values).await? {
            None => Ok(None),
            Some(row) => Ok(Some((read_revocation(&row, 1)?, row.get(0)?))),
        }
    }
}

fn read_revoked(row: &Row) -> Result<RevokedCertificate, StoreError> {
    let revocation = read_revocation(row, 2)?;
    Ok(RevokedCertificate {
        id: row.parse(0)?,
        serial: row.parse(1)?,
        revocation: revocation.ok_or_else(|| row.unreadable(2, &"not revoked"))?,
    })
}
