//! The keys that sign our CMP messages, one in use per issuer.

use domain::id::IssuerId;
use pki::time::Timestamp;

use crate::delegates::StoredDelegate;
use crate::{StoreError, Tx, params};

impl Tx<'_> {
    /// Puts a signer in the place of the one before.
    pub async fn put_cmp_signer(
        &mut self,
        issuer: &IssuerId,
        signer: &StoredDelegate,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO cmp_signers \
                   (issuer_id, certificate, sealed_key, not_after_at, created_at) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (issuer_id) DO UPDATE \
                   SET certificate = $2, sealed_key = $3, not_after_at = $4, created_at = $5";
        let values = params![
            issuer.as_str(),
            &signer.certificate,
            &signer.sealed_key,
            signer.not_after,
            now,
        ];
        self.execute_one(sql, values).await
    }

    /// The signer in use.
    pub async fn find_cmp_signer(
        &mut self,
        issuer: &IssuerId,
    ) -> Result<Option<StoredDelegate>, StoreError> {
        let sql = "SELECT certificate, sealed_key, not_after_at FROM cmp_signers \
                   WHERE issuer_id = $1";
        self.find_delegate(sql, params![issuer.as_str()]).await
    }
}
