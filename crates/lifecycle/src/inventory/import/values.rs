//! A table (CSV, RFC 4180) of metadata for certificates that are there already.

use domain::certificate::InventoryCertificate;
use domain::id::CertificateId;
use domain::metadata::Change;
use domain::permission::Permission;
use pki::fingerprint::Fingerprint;
use pki::serial::Serial;
use store::StoreError;
use store::certificates::CertificateFilter;

use super::{Judged, Verdict};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::metadata::change::ChangeMetadataError;
use crate::operator::Expected;

/// Why a table is not read.
#[derive(Debug, thiserror::Error)]
pub enum ValuesError {
    #[error("the table cannot be read: {0}")]
    Table(#[from] csv::Error),
    #[error(
        "the table's first line names its columns: `fingerprint`, or `serial` and `issuer`, by which certificates are found, and metadata fields"
    )]
    Columns,
    #[error("a table has at most {MOST_ROWS} lines; send the rest in another one")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a table.
#[derive(Debug, Default)]
pub struct ValuesReport {
    /// Certificates that have other values now, or would have.
    pub changed: u64,
    /// Certificates that had them before.
    pub unchanged: u64,
    pub broken: u64,
    /// What became of each line, or of the first so many.
    pub lines: Vec<Judged>,
}

const MOST_ROWS: usize = 100_000;
const MOST_TOLD: usize = 1_000;

/// The columns by which certificates are found, and the others.
struct Columns {
    fingerprint: Option<usize>,
    serial: Option<usize>,
    issuer: Option<usize>,
    fields: Vec<(usize, String)>,
}

impl Columns {
    fn read(header: &csv::StringRecord) -> Result<Self, ValuesError> {
        let mut columns = Self {
            fingerprint: None,
            serial: None,
            issuer: None,
            fields: Vec::new(),
        };
        for (place, name) in header.iter().enumerate() {
            let known = match name {
                "fingerprint" => &mut columns.fingerprint,
                "serial" => &mut columns.serial,
                "issuer" => &mut columns.issuer,
                "" => return Err(ValuesError::Columns),
                name => {
                    columns.fields.push((place, name.to_owned()));
                    continue;
                }
            };
            if known.replace(place).is_some() {
                return Err(ValuesError::Columns);
            }
        }
        let by_serial = columns.serial.is_some() && columns.issuer.is_some();
        match (columns.fingerprint.is_some() || by_serial) && !columns.fields.is_empty() {
            true => Ok(columns),
            false => Err(ValuesError::Columns),
        }
    }

    /// What the line asks for; an empty cell leaves a value as it is.
    fn change(&self, row: &csv::StringRecord) -> Change {
        let cells = self.fields.iter();
        cells
            .filter_map(|(place, name)| Some((name, row.get(*place)?)))
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name.clone(), Some(text.to_owned())))
            .collect()
    }
}

impl Lifecycle {
    /// Changes metadata of certificates that the caller may change, line by line.
    pub async fn import_values(
        &self,
        table: &[u8],
        dry_run: bool,
        caller: &Caller,
    ) -> Result<ValuesReport, ValuesError> {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(table);
        let columns = Columns::read(reader.headers()?)?;
        let mut report = ValuesReport::default();
        for (number, row) in reader.records().enumerate() {
            if number == MOST_ROWS {
                return Err(ValuesError::TooMany);
            }
            let row = row?;
            let line = row.position().map_or(0, csv::Position::line);
            let done = self.import_row(&columns, &row, dry_run, caller).await?;
            report.add(format!("line {line}"), done);
        }
        Ok(report)
    }

    /// The certificate and whether it changed, or what is wrong with the line.
    async fn import_row(
        &self,
        columns: &Columns,
        row: &csv::StringRecord,
        dry_run: bool,
        caller: &Caller,
    ) -> Result<Result<(CertificateId, bool), String>, StoreError> {
        let certificate = match self.find_by_row(columns, row, caller).await? {
            Ok(certificate) => certificate,
            Err(reason) => return Ok(Err(reason)),
        };
        let team = certificate.team_id.as_ref();
        if !caller.rights.allows(Permission::CertificatesEdit, team) {
            return Ok(Err(format!(
                "changing {} needs the permission `{}`",
                certificate.id,
                Permission::CertificatesEdit
            )));
        }
        let change = columns.change(row);
        let changed = match dry_run {
            true => {
                self.preview_certificate_metadata(&certificate.id, change)
                    .await
            }
            false => {
                self.change_certificate_metadata(
                    &certificate.id,
                    change,
                    Expected::Anything,
                    caller,
                )
                .await
            }
        };
        match changed {
            Ok(values) => Ok(Ok((certificate.id, values != certificate.metadata))),
            Err(ChangeMetadataError::Store(error)) => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    async fn find_by_row(
        &self,
        columns: &Columns,
        row: &csv::StringRecord,
        caller: &Caller,
    ) -> Result<Result<InventoryCertificate, String>, StoreError> {
        let cell = |place: Option<usize>| {
            let text = place.and_then(|place| row.get(place));
            text.filter(|text| !text.is_empty())
        };
        let mut filter = CertificateFilter {
            visible: caller.rights.visible(Permission::CertificatesRead),
            ..CertificateFilter::default()
        };
        let issuer = cell(columns.issuer);
        match (cell(columns.fingerprint), cell(columns.serial), issuer) {
            (Some(text), _, _) => match text.parse::<Fingerprint>() {
                Ok(fingerprint) => filter.fingerprint = Some(fingerprint),
                Err(error) => return Ok(Err(error.to_string())),
            },
            (None, Some(text), Some(_)) => match text.parse::<Serial>() {
                Ok(serial) => filter.serial = Some(serial),
                Err(error) => return Ok(Err(error.to_string())),
            },
            (None, _, _) => return Ok(Err("the line names no certificate".to_owned())),
        }
        let mut found = self.list_certificates(filter, None, FEW).await?;
        if cell(columns.fingerprint).is_none() {
            found.retain(|certificate| Some(certificate.issuer_name.as_str()) == issuer);
        }
        match (found.pop(), found.is_empty()) {
            (Some(certificate), true) => Ok(Ok(certificate)),
            (Some(_), false) => Ok(Err("the line fits several certificates".to_owned())),
            (None, _) => Ok(Err("there is no such certificate".to_owned())),
        }
    }
}

/// Issuers give a number once; a few that do not are told of.
const FEW: u32 = 20;

impl ValuesReport {
    fn add(&mut self, place: String, done: Result<(CertificateId, bool), String>) {
        let verdict = match done {
            Ok((id, true)) => {
                self.changed += 1;
                Verdict::New(id)
            }
            Ok((id, false)) => {
                self.unchanged += 1;
                Verdict::Known(id)
            }
            Err(reason) => {
                self.broken += 1;
                Verdict::Broken(reason)
            }
        };
        if self.lines.len() < MOST_TOLD {
            self.lines.push(Judged {
                place,
                verdict,
                certificate: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Result<Columns, ValuesError> {
        Columns::read(&csv::StringRecord::from(names.to_vec()))
    }

    #[test]
    fn a_table_says_how_certificates_are_found_and_what_they_get() {
        assert!(columns(&["fingerprint", "owner"]).is_ok());
        assert!(columns(&["serial", "issuer", "owner"]).is_ok());
        for names in [
            &["owner"][..],
            &["serial", "owner"],
            &["fingerprint"],
            &["fingerprint", "fingerprint", "owner"],
            &["fingerprint", ""],
        ] {
            assert!(columns(names).is_err(), "{names:?}");
        }
    }

    #[test]
    fn an_empty_cell_changes_nothing() {
        let columns = columns(&["owner", "fingerprint", "billing"]).unwrap();
        let row = csv::StringRecord::from(vec!["", "ab", "4711"]);
        let change = columns.change(&row);
        assert_eq!(
            change,
            Change::from([("billing".to_owned(), Some("4711".to_owned()))])
        );
    }
}
