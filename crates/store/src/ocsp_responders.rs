//! The keys that sign OCSP answers, one in use per issuer.

use domain::id::IssuerId;
use pki::time::Timestamp;

use crate::delegates::StoredDelegate;
use crate::{StoreError, Tx, params};

impl Tx<'_> {
    /// Puts a responder in the place of the one before.
    pub async fn put_ocsp_responder(
        &mut self,
        issuer: &IssuerId,
        responder: &StoredDelegate,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO ocsp_responders \
                   (issuer_id, certificate, sealed_key, not_after_at, created_at) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (issuer_id) DO UPDATE \
                   SET certificate = $2, sealed_key = $3, not_after_at = $4, created_at = $5";
        let values = params![
            issuer.as_str(),
            &responder.certificate,
            &responder.sealed_key,
            responder.not_after,
            now,
        ];
        self.execute_one(sql, values).await
    }

    /// The responder in use.
    pub async fn find_ocsp_responder(
        &mut self,
        issuer: &IssuerId,
    ) -> Result<Option<StoredDelegate>, StoreError> {
        let sql = "SELECT certificate, sealed_key, not_after_at FROM ocsp_responders \
                   WHERE issuer_id = $1";
        self.find_delegate(sql, params![issuer.as_str()]).await
    }
}
