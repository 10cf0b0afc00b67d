//! When CAs elsewhere want certificates of theirs renewed.

use domain::id::{CertificateId, IssuerId};
use domain::renewal::{RenewalAdvice, RenewalWindow};
use pki::time::Timestamp;

use crate::{StoreError, Tx, params};

/// A certificate whose CA is to be asked about it.
#[derive(Clone, Debug)]
pub struct ToAskAbout {
    pub id: CertificateId,
    pub der: Vec<u8>,
    pub not_after: Timestamp,
}

impl Tx<'_> {
    /// Certificates of an issuer in force and without a successor, whose CA was not asked yet or is to
    /// be asked again.
    pub async fn list_to_ask_about(
        &mut self,
        issuer: &IssuerId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ToAskAbout>, StoreError> {
        let sql = "SELECT c.id, c.der, c.not_after FROM certificates AS c \
                   LEFT JOIN renewal_advice AS a ON a.certificate_id = c.id \
                   WHERE c.issuer_id = $1 AND c.not_after > $2 AND c.origin = 'issued' \
                   AND c.replaced_by IS NULL AND c.revoked_at IS NULL \
                   AND (a.ask_at IS NULL OR a.ask_at <= $2) \
                   ORDER BY c.not_after, c.id LIMIT $3";
        let rows = self
            .query(sql, params![issuer.as_str(), now, limit])
            .await?;
        let read = |row: &crate::Row| {
            Ok(ToAskAbout {
                id: row.parse(0)?,
                der: row.get(1)?,
                not_after: row.get(2)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// What the CA said of a certificate; `None` where it was not asked yet.
    pub async fn find_renewal_advice(
        &mut self,
        certificate: &CertificateId,
    ) -> Result<Option<RenewalAdvice>, StoreError> {
        let sql = "SELECT start_at, end_at, explanation_url, asked_at, ask_at \
                   FROM renewal_advice WHERE certificate_id = $1";
        let row = self.query_opt(sql, params![certificate.as_str()]).await?;
        let Some(row) = row else { return Ok(None) };
        let (start, end): (Option<Timestamp>, Option<Timestamp>) = (row.get(0)?, row.get(1)?);
        Ok(Some(RenewalAdvice {
            window: start
                .zip(end)
                .map(|(start, end)| RenewalWindow { start, end }),
            explanation_url: row.get(2)?,
            asked_at: row.get(3)?,
            ask_at: row.get(4)?,
        }))
    }

    /// Notes what the CA says of a certificate now.
    pub async fn put_renewal_advice(
        &mut self,
        certificate: &CertificateId,
        advice: &RenewalAdvice,
        forget_at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO renewal_advice (certificate_id, start_at, end_at, explanation_url, \
                   asked_at, ask_at, forget_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                   ON CONFLICT (certificate_id) DO UPDATE SET start_at = $2, end_at = $3, \
                   explanation_url = $4, asked_at = $5, ask_at = $6, forget_at = $7";
        let values = params![
            certificate.as_str(),
            advice.window.map(|window| window.start),
            advice.window.map(|window| window.end),
            advice.explanation_url.as_deref(),
            advice.asked_at,
            advice.ask_at,
            forget_at,
        ];
        self.execute_one(sql, values).await
    }

    /// Drops what was said of certificates that have ended.
    pub async fn delete_renewal_advice_before(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let sql = "DELETE FROM renewal_advice WHERE forget_at < $1";
        self.execute(sql, params![now]).await.map(drop)
    }
}
