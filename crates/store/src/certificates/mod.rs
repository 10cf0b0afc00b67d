//! The inventory of certificates.

mod columns;
mod filter;
pub(crate) mod names;
mod revocation;

use domain::certificate::InventoryCertificate;
use domain::id::{CertificateId, EnrollmentId};
use pki::fingerprint::Fingerprint;
use pki::serial::Serial;

use self::filter::Spread;
pub use self::filter::{CertificateFilter, NameQuery};
pub(crate) use self::names::key as name_key;
pub use self::revocation::RevokedCertificate;

use self::columns::{columns, read};
use crate::codec::hex;
use crate::dialect::for_update;
use crate::list::List;
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
               $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)"
        );
        self.execute_one(sql, &columns::values(certificate)?)
            .await?;
        let rows: Vec<Vec<Value<'_>>> = names::keys(&certificate.names)
            .into_iter()
            .map(|name| vec![name.into(), certificate.id.as_str().into()])
            .collect();
        let sql = "INSERT INTO certificate_names (name, certificate_id) VALUES ($1, $2)";
        self.execute_each(sql, &rows).await?;
        self.file_certificate_metadata(&certificate.id, &certificate.metadata)
            .await
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
            .query_opt(sql, params![fingerprint.to_string()])
            .await?;
        row.as_ref().map(read).transpose()
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

    /// Certificates that fit the filter, newest first.
    pub async fn list_certificates(
        &mut self,
        filter: &CertificateFilter,
        after: Option<&CertificateId>,
        limit: u32,
    ) -> Result<Vec<InventoryCertificate>, StoreError> {
        // The page is found in an index that holds all that is filtered by; only then are its rows read.
        let list = List::new("SELECT id FROM certificates");
        let list = filter.apply(list, self.spread(filter).await?)?;
        let (page, values) = filter
            .apply_metadata(list, self.rare_value(filter).await?)
            .and_if("id < ?", after.map(CertificateId::as_str))
            .limit("ORDER BY id DESC", limit);
        let sql = format!(
            concat!(
                "SELECT ",
                columns!(),
                " FROM certificates WHERE id IN ({}) ORDER BY id DESC"
            ),
            page
        );
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// Whether a key is in a certificate of the inventory, of whatever origin.
    pub async fn is_key_certified(&mut self, spki_sha256: &[u8; 32]) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM certificates WHERE spki_sha256 = $1)";
        let values = params![crate::codec::hex(spki_sha256)];
        self.query_one(sql, values).await?.get(0)
    }

    /// How many certificates fit the filter.
    pub async fn count_certificates(
        &mut self,
        filter: &CertificateFilter,
    ) -> Result<u64, StoreError> {
        let list = List::new("SELECT count(*) FROM certificates");
        let list = filter.apply(list, Spread::Few)?;
        let (sql, values) = filter.apply_metadata(list, Some(0)).all();
        self.query_one(&sql, &values).await?.get(0)
    }

    /// Which value of a filter so few certificates have that they are best looked up by it.
    async fn rare_value(
        &mut self,
        filter: &CertificateFilter,
    ) -> Result<Option<usize>, StoreError> {
        let sql = "SELECT count(*) FROM (SELECT 1 AS one FROM certificate_metadata \
                   WHERE field = $1 AND value = $2 LIMIT $3) AS first_ones";
        for (index, (field, value)) in filter.metadata.iter().enumerate() {
            let count: u32 = self
                .query_one(sql, params![field, value, FEW + 1])
                .await?
                .get(0)?;
            if count <= FEW {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Whether the names of a filter are few enough to be looked up first.
    async fn spread(&mut self, filter: &CertificateFilter) -> Result<Spread, StoreError> {
        let Some(NameQuery::Suffix(suffix)) = &filter.name else {
            return Ok(Spread::Few);
        };
        let (from, to) = names::range_below(suffix);
        let sql = "SELECT count(*) FROM (SELECT 1 AS one FROM certificate_names \
                   WHERE name >= $1 AND name < $2 LIMIT $3) AS first_ones";
        let count: u32 = self
            .query_one(sql, params![from, to, FEW + 1])
            .await?
            .get(0)?;
        Ok(if count > FEW {
            Spread::Many
        } else {
            Spread::Few
        })
    }
}

/// Up to so many names are looked up first.
const FEW: u32 = 5_000;
