//! The keys that sign our CMP messages, one in use per issuer.

use domain::id::IssuerId;
use pki::time::Timestamp;

use crate::{StoreError, Tx, params};

/// A signer's certificate with its key.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSigner {
    /// DER.
    pub certificate: Vec<u8>,
    /// PKCS#8, sealed.
    pub sealed_key: String,
    pub not_after: Timestamp,
}

impl Tx<'_> {
    /// Puts a signer in the place of the one before.
    pub async fn put_cmp_signer(
        &mut self,
        issuer: &IssuerId,
        signer: &StoredSigner,
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
    ) -> Result<Option<StoredSigner>, StoreError> {
        let sql = "SELECT certificate, sealed_key, not_after_at FROM cmp_signers \
                   WHERE issuer_id = $1";
        let Some(row) = self.query_opt(sql, params![issuer.as_str()]).await? else {
            return Ok(None);
        };
        Ok(Some(StoredSigner {
            certificate: row.get(0)?,
            sealed_key: row.get(1)?,
            not_after: row.get(2)?,
        }))
    }
}

impl std::fmt::Debug for StoredSigner {
    /// Without the key, sealed as it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredSigner")
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}
