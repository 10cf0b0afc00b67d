//! Many certificates at once: what an import or a discovery brings in.

use std::collections::HashMap;

use domain::certificate::InventoryCertificate;
use domain::id::{CertificateId, IssuerId};
use pki::fingerprint::Fingerprint;
use pki::serial::Serial;

use super::columns::{self, columns};
use super::figures::{Sums, filed_under};
use super::name_rows;
use crate::codec::json;
use crate::{Row, Sql, StoreError, Tx, Value, params};

/// A certificate with a serial number that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SameSerial {
    pub id: CertificateId,
    pub serial: Serial,
    /// Together with the serial number it names a certificate (RFC 5280 section 4.1.2.2).
    pub issuer_name: String,
}

impl Tx<'_> {
    /// Those of the certificates that are there already, by fingerprint.
    pub async fn find_known_certificates(
        &mut self,
        fingerprints: &[Fingerprint],
    ) -> Result<HashMap<Fingerprint, CertificateId>, StoreError> {
        let sql = Sql::each(
            "SELECT c.id, c.fingerprint FROM json_each($1) AS sought CROSS JOIN certificates AS c \
             WHERE c.fingerprint = sought.value",
            "SELECT id, fingerprint FROM certificates WHERE fingerprint = \
             ANY (ARRAY(SELECT json_array_elements_text($1::text::json)))",
        );
        let short: HashMap<String, Fingerprint> = fingerprints
            .iter()
            .map(|fingerprint| (columns::short(fingerprint), *fingerprint))
            .collect();
        let sought: Vec<&String> = short.keys().collect();
        let rows = self.query(sql, params![json(&sought)?]).await?;
        rows.iter()
            .map(|row| {
                let fingerprint = short.get(row.get::<&str>(1)?).copied();
                let fingerprint =
                    fingerprint.ok_or_else(|| row.unreadable(1, &"not what was asked for"))?;
                Ok((fingerprint, row.parse(0)?))
            })
            .collect()
    }

    /// Certificates with any of these serial numbers, by whomever they were issued.
    pub async fn find_certificates_of_serials(
        &mut self,
        serials: &[Serial],
    ) -> Result<Vec<SameSerial>, StoreError> {
        // Each half has an index of its own.
        let sql = Sql::each(
            "SELECT c.id, c.serial, c.issuer_name FROM json_each($1) AS sought \
             CROSS JOIN certificates AS c \
             WHERE c.serial = sought.value AND c.issuer_id IS NOT NULL \
             UNION ALL SELECT c.id, c.serial, c.issuer_name FROM json_each($1) AS sought \
             CROSS JOIN certificates AS c \
             WHERE c.serial = sought.value AND c.issuer_id IS NULL",
            "SELECT id, serial, issuer_name FROM certificates WHERE issuer_id IS NOT NULL AND \
             serial = ANY (ARRAY(SELECT json_array_elements_text($1::text::json))) \
             UNION ALL \
             SELECT id, serial, issuer_name FROM certificates WHERE issuer_id IS NULL AND \
             serial = ANY (ARRAY(SELECT json_array_elements_text($1::text::json)))",
        );
        let sought: Vec<String> = serials.iter().map(Serial::to_string).collect();
        let rows = self.query(sql, params![json(&sought)?]).await?;
        let read = |row: &Row| {
            Ok(SameSerial {
                id: row.parse(0)?,
                serial: row.parse(1)?,
                issuer_name: row.get(2)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Whether an enrollment was given that serial number of one of our issuers.
    pub async fn is_serial_enrolled(
        &mut self,
        issuer: &IssuerId,
        serial: &Serial,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM enrollments \
                   WHERE issuer_id = $1 AND serial = $2 AND serial IS NOT NULL)";
        let values = params![issuer.as_str(), serial.to_string()];
        self.query_one(sql, values).await?.get(0)
    }

    /// Adds certificates, none of which may be there yet.
    pub async fn insert_certificates(
        &mut self,
        certificates: &[InventoryCertificate],
    ) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(certificates.len());
        let mut names = Vec::with_capacity(certificates.len());
        let mut values = Vec::new();
        let mut changes = Vec::with_capacity(certificates.len());
        let mut sums = Sums::new();
        for certificate in certificates {
            rows.push(columns::values(certificate)?);
            names.extend(name_rows(certificate));
            let id: Value<'_> = certificate.id.as_str().into();
            let of_id = |(field, value): (&String, &String)| {
                vec![id.clone(), field.clone().into(), value.clone().into()]
            };
            values.extend(certificate.metadata.iter().map(of_id));
            *sums.entry(filed_under(certificate)?).or_default() += 1;
            changes.push(vec![id, "".into(), 0.into(), 0.into()]);
        }
        // In the order of the tree that they go into.
        names.sort_unstable_by(|one, other| text_of(one).cmp(&text_of(other)));
        self.insert_rows(concat!("certificates (", columns!(), ")"), rows)
            .await?;
        let into = "certificate_names (name, certificate_id, is_first)";
        self.insert_rows(into, names).await?;
        let into = "certificate_metadata (certificate_id, field, value)";
        self.insert_rows(into, values).await?;
        let into = "certificate_changes (certificate_id, facet, end_day, certificates)";
        self.insert_rows(into, changes).await?;
        self.add_to_counts(&sums).await
    }
}

fn text_of<'r>(row: &'r [Value<'_>]) -> Option<&'r str> {
    match row.first() {
        Some(Value::Text(text)) => Some(text),
        Some(Value::Null | Value::Integer(_) | Value::Blob(_)) | None => None,
    }
}
