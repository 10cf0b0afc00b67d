//! Keys of ours that speak for a CA (OCSP responders, CMP signers, SCEP registration authorities), as they
//! are kept.

use pki::time::Timestamp;

use crate::row::Row;
use crate::value::Value;
use crate::{StoreError, Tx};

/// A delegate's certificate with its key.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredDelegate {
    /// DER.
    pub certificate: Vec<u8>,
    /// PKCS#8, sealed.
    pub sealed_key: String,
    pub not_after: Timestamp,
}

impl std::fmt::Debug for StoredDelegate {
    /// Without the key, sealed as it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredDelegate")
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl Tx<'_> {
    /// The delegate that a query finds; its columns are certificate, sealed_key and not_after_at.
    pub(crate) async fn find_delegate(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<StoredDelegate>, StoreError> {
        let row = self.query_opt(sql, values).await?;
        row.as_ref().map(read).transpose()
    }
}

fn read(row: &Row) -> Result<StoredDelegate, StoreError> {
    Ok(StoredDelegate {
        certificate: row.get(0)?,
        sealed_key: row.get(1)?,
        not_after: row.get(2)?,
    })
}
