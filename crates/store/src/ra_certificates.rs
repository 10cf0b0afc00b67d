//! The keys that read and sign SCEP messages, one in use per service and issuer.

use domain::id::{EntryPointId, IssuerId};
use pki::time::Timestamp;

use crate::delegates::StoredDelegate;
use crate::{StoreError, Tx, params};

impl Tx<'_> {
    /// Puts a certificate in the place of one that ends before `overdue`; a younger one stays, so that of
    /// two who make one at the same time both use the same.
    pub async fn put_ra_certificate(
        &mut self,
        entry_point: &EntryPointId,
        issuer: &IssuerId,
        ra: &StoredDelegate,
        (now, overdue): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO ra_certificates \
                   (entry_point_id, issuer_id, certificate, sealed_key, not_after_at, created_at) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (entry_point_id, issuer_id) DO UPDATE \
                   SET certificate = $3, sealed_key = $4, not_after_at = $5, created_at = $6 \
                   WHERE ra_certificates.not_after_at <= $7";
        let values = params![
            entry_point.as_str(),
            issuer.as_str(),
            &ra.certificate,
            &ra.sealed_key,
            ra.not_after,
            now,
            overdue,
        ];
        self.execute(sql, values).await.map(drop)
    }

    /// The certificate in use.
    pub async fn find_ra_certificate(
        &mut self,
        entry_point: &EntryPointId,
        issuer: &IssuerId,
    ) -> Result<Option<StoredDelegate>, StoreError> {
        let sql = "SELECT certificate, sealed_key, not_after_at FROM ra_certificates \
                   WHERE entry_point_id = $1 AND issuer_id = $2";
        let values = params![entry_point.as_str(), issuer.as_str()];
        self.find_delegate(sql, values).await
    }
}
