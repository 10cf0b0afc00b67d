//! The ways to a page: through what one condition finds, along one that is in order already, or along the
//! order that is asked for.

use super::condition::{Condition, Part, Source, Statement};
use super::cursor::{CertificateCursor, CertificateSort, Place, SortKey};
use crate::{Row, StoreError, Value};

/// One list, as it is asked for.
pub(super) struct Search<'a> {
    pub(super) conditions: Vec<Condition<'a>>,
    /// Which of a certificate's names it is listed under, where the order is that of names.
    pub(super) listed: Part<'a>,
    pub(super) sort: CertificateSort,
    pub(super) after: Option<&'a CertificateCursor>,
    pub(super) limit: u32,
}

/// `<select> few certificates, looked up one by one`.
pub(super) fn through<'a>(source: &Source<'a>, select: &str) -> Statement<'a> {
    Statement::default()
        .text("WITH found AS MATERIALIZED (SELECT DISTINCT certificate_id FROM (")
        .add(source.select.clone())
        .text(") AS ids) ")
        .text(select)
        // In SQLite this join is done in the order in which it is written.
        .text(" found CROSS JOIN certificates")
}

impl<'a> Search<'a> {
    /// The certificates of a source, sorted afterwards.
    pub(super) fn through(&self, index: usize, source: &Source<'a>) -> Statement<'a> {
        let statement = through(source, &format!("SELECT {} FROM", self.keys()));
        let statement = self.join_names(statement);
        self.rest(
            statement.and(Part::new("certificates.id = found.certificate_id", [])),
            Some(index),
        )
    }

    /// The certificates of an ordered source as they come.
    pub(super) fn following(&self, index: usize, source: &Source<'a>) -> Statement<'a> {
        let statement = Statement::default()
            .text("SELECT certificates.id FROM (")
            .add(source.select.clone())
            .text(") AS found CROSS JOIN certificates")
            .and(Part::new("certificates.id = found.certificate_id", []));
        let statement = match self.after {
            None => statement,
            Some(after) => statement.and(Part::new(
                &format!("found.certificate_id {} ?", self.sort.beyond()),
                [after.id.as_str().to_owned().into()],
            )),
        };
        let order = format!(" ORDER BY found.certificate_id {}", self.sort.direction());
        statement
            .and_checks(&self.conditions, Some(index))
            .text(&order)
            .add(self.at_most())
    }

    /// The certificates along the order, up to `end`.
    pub(super) fn along(&self, end: Option<CertificateCursor>) -> Statement<'a> {
        let statement = self.beginning();
        let statement = match end {
            None => statement,
            Some(end) => statement.and(self.compare(&end, self.within())),
        };
        self.rest(statement, None)
    }

    /// The key of the certificate some way along the order.
    pub(super) fn stroll(&self) -> Statement<'a> {
        let beginning = match self.sort.key {
            SortKey::Created | SortKey::NotAfter => self.beginning(),
            // The names alone tell how far that is.
            SortKey::Name => Statement::default()
                .text(&format!(
                    "SELECT {} FROM certificate_names AS listed",
                    self.keys()
                ))
                .and(self.listed.clone()),
        };
        let bounds: Vec<Condition<'a>> = match self.sort.key {
            // A range of the order itself is where the way begins and ends.
            SortKey::NotAfter => self
                .conditions
                .iter()
                .filter(|condition| condition.check.sql.starts_with("not_after"))
                .cloned()
                .collect(),
            SortKey::Created | SortKey::Name => Vec::new(),
        };
        let statement = beginning.and_checks(&bounds, None);
        let statement = match self.after {
            None => statement,
            Some(after) => statement.and(self.compare(after, self.sort.beyond())),
        };
        statement
            .text(&self.order())
            .add(Part::new(" LIMIT 1 OFFSET ?", [Value::from(STROLL)]))
    }

    fn beginning(&self) -> Statement<'a> {
        let from = match self.sort.key {
            SortKey::Created | SortKey::NotAfter => "certificates",
            SortKey::Name => "certificate_names AS listed CROSS JOIN certificates",
        };
        let statement = Statement::default().text(&format!("SELECT {} FROM {from}", self.keys()));
        self.join_conditions(statement)
    }

    fn join_names(&self, statement: Statement<'a>) -> Statement<'a> {
        match self.sort.key {
            SortKey::Created | SortKey::NotAfter => statement,
            SortKey::Name => {
                self.join_conditions(statement.text(" CROSS JOIN certificate_names AS listed"))
            }
        }
    }

    fn join_conditions(&self, statement: Statement<'a>) -> Statement<'a> {
        match self.sort.key {
            SortKey::Created | SortKey::NotAfter => statement,
            SortKey::Name => statement
                .and(Part::new("listed.certificate_id = certificates.id", []))
                .and(self.listed.clone()),
        }
    }

    fn rest(&self, statement: Statement<'a>, except: Option<usize>) -> Statement<'a> {
        let statement = match self.after {
            None => statement,
            Some(after) => statement.and(self.compare(after, self.sort.beyond())),
        };
        statement
            .and_checks(&self.conditions, except)
            .text(&self.order())
            .add(self.at_most())
    }

    fn at_most(&self) -> Part<'a> {
        Part::new(" LIMIT ?", [Value::from(self.limit)])
    }

    fn within(&self) -> &'static str {
        match self.sort.descending {
            true => ">=",
            false => "<=",
        }
    }

    fn keys(&self) -> &'static str {
        match self.sort.key {
            SortKey::Created => "certificates.id",
            SortKey::NotAfter => "certificates.id, certificates.not_after",
            SortKey::Name => "listed.certificate_id, listed.name",
        }
    }

    fn order(&self) -> String {
        let direction = self.sort.direction();
        match self.sort.key {
            SortKey::Created => format!(" ORDER BY certificates.id {direction}"),
            SortKey::NotAfter => {
                format!(" ORDER BY certificates.not_after {direction}, certificates.id {direction}")
            }
            SortKey::Name => {
                format!(" ORDER BY listed.name {direction}, listed.certificate_id {direction}")
            }
        }
    }

    fn compare(&self, cursor: &CertificateCursor, operator: &str) -> Part<'a> {
        let id: Value<'a> = cursor.id.as_str().to_owned().into();
        match &cursor.place {
            Place::Created => Part::new(&format!("certificates.id {operator} ?"), [id]),
            Place::NotAfter(at) => Part::new(
                &format!("(certificates.not_after, certificates.id) {operator} (?, ?)"),
                [(*at).into(), id],
            ),
            Place::Name(name) => Part::new(
                &format!("(listed.name, listed.certificate_id) {operator} (?, ?)"),
                [name.clone().into(), id],
            ),
        }
    }

    pub(super) fn cursor(&self, row: &Row) -> Result<CertificateCursor, StoreError> {
        let place = match self.sort.key {
            SortKey::Created => Place::Created,
            SortKey::NotAfter => Place::NotAfter(row.get(1)?),
            SortKey::Name => Place::Name(row.get(1)?),
        };
        Ok(CertificateCursor {
            id: row.parse(0)?,
            place,
        })
    }
}

/// So many certificates are looked at along the order before a source is gone through instead.
const STROLL: u32 = 4_000;
