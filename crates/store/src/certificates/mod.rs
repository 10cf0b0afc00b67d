//! The inventory of certificates.

mod adopt;
mod batch;
mod columns;
mod condition;
mod cursor;
mod figures;
mod filing;
mod filter;
pub(crate) mod names;
mod page;
mod revocation;
mod route;
mod text;
pub mod trends;

use domain::certificate::InventoryCertificate;
use domain::id::{CertificateId, EnrollmentId};
use pki::fingerprint::Fingerprint;
use pki::serial::Serial;

pub use self::batch::SameSerial;
pub use self::cursor::{CertificateCursor, CertificateSort, ParseCursorError, SortKey};
pub use self::filter::{CertificateFilter, NameQuery};
pub(crate) use self::names::key as name_key;
pub use self::page::Listed;
pub use self::revocation::RevokedCertificate;

use self::columns::{columns, read};
use crate::codec::hex;
use crate::dialect::for_update;
use crate::{StoreError, Tx, Value, params};

impl Tx<'_> {
    /// Adds a certificate under all its names. One that is there already, by its fingerprint, its
    /// enrollment or as serial of one of our issuers, is a duplicate.
    pub async fn insert_certificate(
        &mut self,
        certificate: &InventoryCertificate,
    ) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO certificates (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
               $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)"
        );
        self.execute_one(sql, &columns::values(certificate)?)
            .await?;
        let sql = "INSERT INTO certificate_names (name, certificate_id, is_first) \
                   VALUES ($1, $2, $3)";
        self.execute_each(sql, &name_rows(certificate)).await?;
        self.file_certificate_metadata(&certificate.id, &certificate.metadata)
            .await?;
        self.count_new_certificate(certificate).await
    }

    /// The certificate with that id.
    pub async fn find_certificate(
        &mut self,
        id: &CertificateId,
    ) -> Result<Option<InventoryCertificate>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM certificates WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// As [`find_certificate`](Self::find_certificate); the row stays as it is until the transaction
    /// ends.
    pub async fn find_certificate_for_update(
        &mut self,
        id: &CertificateId,
    ) -> Result<Option<InventoryCertificate>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM certificates WHERE id = $1"
        ));
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The certificate with that SHA-256 of its DER.
    pub async fn find_certificate_by_fingerprint(
        &mut self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<InventoryCertificate>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM certificates WHERE fingerprint = $1"
        );
        let row = self
            .query_opt(sql, params![columns::short(fingerprint)])
            .await?;
        let found = row.as_ref().map(read).transpose()?;
        Ok(found.filter(|certificate| certificate.fingerprint == *fingerprint))
    }

    /// The certificate of one of our issuers with that serial; the issuer is named by its key
    /// identifier as in an RFC 9773 CertID.
    pub async fn find_certificate_by_serial(
        &mut self,
        authority_key_identifier: &[u8],
        serial: &Serial,
    ) -> Result<Option<InventoryCertificate>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM certificates WHERE authority_key_identifier = $1 AND serial = $2 \
              AND issuer_id IS NOT NULL"
        );
        let values = params![hex(authority_key_identifier), serial.to_string()];
        let row = self.query_opt(sql, values).await?;
        row.as_ref().map(read).transpose()
    }

    /// The certificate that an enrollment ended with.
    pub async fn find_certificate_by_enrollment(
        &mut self,
        enrollment: &EnrollmentId,
    ) -> Result<Option<InventoryCertificate>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM certificates WHERE enrollment_id = $1"
        );
        let row = self.query_opt(sql, params![enrollment.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Notes which certificate took the place of another, and answers whether none had before.
    pub async fn set_replaced_by(
        &mut self,
        id: &CertificateId,
        by: &CertificateId,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE certificates SET replaced_by = $2 WHERE id = $1 AND replaced_by IS NULL";
        Ok(self.execute(sql, params![id.as_str(), by.as_str()]).await? == 1)
    }

    /// Takes back that a certificate took the place of another: nobody has it.
    pub async fn unset_replaced_by(&mut self, by: &CertificateId) -> Result<(), StoreError> {
        let sql = "UPDATE certificates SET replaced_by = NULL \
                   WHERE id = (SELECT replaces FROM certificates WHERE id = $1) AND replaced_by = $1";
        self.execute(sql, params![by.as_str()]).await?;
        Ok(())
    }

    /// Whether a key is in a certificate of the inventory, of whatever origin.
    pub async fn is_key_certified(&mut self, spki_sha256: &[u8; 32]) -> Result<bool, StoreError> {
        // The beginning of the hash has an index.
        let sql = "SELECT EXISTS (SELECT 1 FROM certificates \
                   WHERE substr(spki_sha256, 1, 16) = $1 AND spki_sha256 = $2)";
        let hash = hex(spki_sha256);
        let beginning: String = hash.chars().take(16).collect();
        self.query_one(sql, params![beginning, hash]).await?.get(0)
    }
}

/// The rows of a certificate's names. It is listed under the first of them.
fn name_rows(certificate: &InventoryCertificate) -> Vec<Vec<Value<'_>>> {
    names::filed_under(&certificate.names, &certificate.subject)
        .into_iter()
        .enumerate()
        .map(|(place, name)| {
            let is_first = place == 0;
            vec![name.into(), certificate.id.as_str().into(), is_first.into()]
        })
        .collect()
}
