//! Pages of certificates: found by the rarest condition, or along the order that is asked for.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use domain::certificate::InventoryCertificate;
use domain::id::CertificateId;
use pki::time::Timestamp;

use super::columns::{columns, read};
use super::condition::{Condition, Part, Source, Statement};
use super::filter::CertificateFilter;
use crate::codec::json;
use crate::{Row, Sql, StoreError, Tx, Value, params};

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CertificateSort {
    pub key: SortKey,
    pub descending: bool,
}

/// What a list is sorted by; certificates that are equal in it come in the order of their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortKey {
    /// When they became known.
    #[default]
    Created,
    /// When they end.
    NotAfter,
    /// The first of their names, by domain: `example.org`, `a.example.org`, `example.net`.
    Name,
}

impl CertificateSort {
    /// Newest first.
    pub const NEWEST: Self = Self {
        key: SortKey::Created,
        descending: true,
    };
    /// Those that end first, first.
    pub const ENDING: Self = Self {
        key: SortKey::NotAfter,
        descending: false,
    };

    fn direction(self) -> &'static str {
        match self.descending {
            true => "DESC",
            false => "ASC",
        }
    }

    fn beyond(self) -> &'static str {
        match self.descending {
            true => "<",
            false => ">",
        }
    }
}

/// Where a page ends: what the next one goes on behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateCursor {
    id: CertificateId,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Created,
    NotAfter(Timestamp),
    Name(String),
}

/// A text that is no cursor.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no `next` of a page of certificates")]
pub struct ParseCursorError;

impl CertificateCursor {
    /// The order that it is of.
    pub fn key(&self) -> SortKey {
        match self.place {
            Place::Created => SortKey::Created,
            Place::NotAfter(_) => SortKey::NotAfter,
            Place::Name(_) => SortKey::Name,
        }
    }
}

impl From<CertificateId> for CertificateCursor {
    fn from(id: CertificateId) -> Self {
        Self {
            id,
            place: Place::Created,
        }
    }
}

impl fmt::Display for CertificateCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Created => write!(f, "{}", self.id),
            Place::NotAfter(at) => write!(f, "{}-e{}", self.id, at.millis()),
            Place::Name(name) => {
                write!(
                    f,
                    "{}-n{}",
                    self.id,
                    BASE64URL_NOPAD.encode(name.as_bytes())
                )
            }
        }
    }
}

impl FromStr for CertificateCursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        let (id, place) = match text.split_once('-') {
            None => (text, Place::Created),
            Some((id, place)) => (id, read_place(place).ok_or(ParseCursorError)?),
        };
        let id = id.parse().map_err(|_| ParseCursorError)?;
        Ok(Self { id, place })
    }
}

fn read_place(text: &str) -> Option<Place> {
    if let Some(millis) = text.strip_prefix('e') {
        return Some(Place::NotAfter(Timestamp::from_millis(
            millis.parse().ok()?,
        )));
    }
    let octets = BASE64URL_NOPAD
        .decode(text.strip_prefix('n')?.as_bytes())
        .ok()?;
    let name = String::from_utf8(octets).ok()?;
    (!name.contains('\0')).then_some(Place::Name(name))
}

/// A certificate of a list, with the cursor that goes on behind it.
pub struct Listed {
    pub certificate: InventoryCertificate,
    pub cursor: CertificateCursor,
}

/// Sources with up to so many certificates are gone through whole, whatever the order.
const FEW: u32 = 5_000;
/// So many certificates are looked at along the order before a source is gone through instead.
const STROLL: u32 = 4_000;

/// One list, as it is asked for.
struct Search<'a> {
    conditions: Vec<Condition<'a>>,
    sort: CertificateSort,
    after: Option<&'a CertificateCursor>,
    limit: u32,
}

impl Tx<'_> {
    /// Certificates that fit the filter, newest first.
    pub async fn list_certificates(
        &mut self,
        filter: &CertificateFilter,
        after: Option<&CertificateId>,
        limit: u32,
    ) -> Result<Vec<InventoryCertificate>, StoreError> {
        let after = after.cloned().map(CertificateCursor::from);
        let found = self
            .search_certificates(filter, CertificateSort::NEWEST, after.as_ref(), limit)
            .await?;
        Ok(found.into_iter().map(|found| found.certificate).collect())
    }

    /// Certificates that fit the filter, in the order of `sort`. A cursor of another order is an error.
    pub async fn search_certificates(
        &mut self,
        filter: &CertificateFilter,
        sort: CertificateSort,
        after: Option<&CertificateCursor>,
        limit: u32,
    ) -> Result<Vec<Listed>, StoreError> {
        if after.is_some_and(|after| after.key() != sort.key) {
            return Err(StoreError::Misuse {
                name: "search_certificates",
                rule: "a cursor goes on in the order that it is of",
            });
        }
        let search = Search {
            conditions: filter.conditions()?,
            sort,
            after,
            limit,
        };
        let cursors = self.find_page(&search).await?;
        self.read_page(cursors).await
    }

    /// How many certificates fit the filter.
    pub async fn count_certificates(
        &mut self,
        filter: &CertificateFilter,
    ) -> Result<u64, StoreError> {
        let conditions = filter.conditions()?;
        let rarest = self.rarest(&conditions).await?;
        let (index, source) = match rarest {
            Some((index, count, source)) if count <= FEW => (Some(index), Some(source)),
            Some(_) | None => (None, None),
        };
        let statement = match source {
            Some(source) => through(source, "SELECT count(*) FROM")
                .and(Part::new("certificates.id = found.certificate_id", [])),
            None => Statement::default().text("SELECT count(*) FROM certificates"),
        };
        let (sql, values) = statement.and_checks(&conditions, index).finish();
        self.query_one(&sql, &values).await?.get(0)
    }

    async fn find_page(
        &mut self,
        search: &Search<'_>,
    ) -> Result<Vec<CertificateCursor>, StoreError> {
        let rarest = self.rarest(&search.conditions).await?;
        let Some((index, count, source)) = rarest else {
            return self.page_of(search, search.along(None)).await;
        };
        if count <= FEW {
            return self.page_of(search, search.through(index, source)).await;
        }
        let by_id = search.sort.key == SortKey::Created;
        let mut sources = search.conditions.iter().enumerate();
        let ordered = sources.find_map(|(index, condition)| {
            let source = condition.source.as_ref()?;
            (by_id && source.is_ordered).then_some((index, source))
        });
        if let Some((index, source)) = ordered {
            return self.page_of(search, search.following(index, source)).await;
        }
        // Conditions that many fit are mostly met within a short way. Where they are not, going on
        // could mean going through everything.
        let end = self.end_of_stroll(search).await?;
        let is_whole = end.is_none();
        let page = self.page_of(search, search.along(end)).await?;
        if is_whole || page.len() == search.limit as usize {
            return Ok(page);
        }
        self.page_of(search, search.through(index, source)).await
    }

    /// The condition whose source has fewest certificates, counted up to one more than few.
    async fn rarest<'c, 'a>(
        &mut self,
        conditions: &'c [Condition<'a>],
    ) -> Result<Option<(usize, u32, &'c Source<'a>)>, StoreError> {
        let mut rarest: Option<(usize, u32, &Source<'a>)> = None;
        for (index, condition) in conditions.iter().enumerate() {
            let Some(source) = &condition.source else {
                continue;
            };
            let (sql, values) = Statement::default()
                .text("SELECT count(*) FROM (SELECT 1 AS one FROM (")
                .add(source.select.clone())
                .text(") AS found")
                .add(Part::new(" LIMIT ?) AS first_ones", [Value::from(FEW + 1)]))
                .finish();
            let count: u32 = self.query_one(&sql, &values).await?.get(0)?;
            if rarest.is_none_or(|(_, least, _)| count < least) {
                rarest = Some((index, count, source));
            }
            if count == 0 {
                break;
            }
        }
        Ok(rarest)
    }

    /// The certificate at the end of a short way along the order; `None` if the list ends before.
    async fn end_of_stroll(
        &mut self,
        search: &Search<'_>,
    ) -> Result<Option<CertificateCursor>, StoreError> {
        let (sql, values) = search.stroll().finish();
        let row = self.query_opt(&sql, &values).await?;
        row.as_ref().map(|row| search.cursor(row)).transpose()
    }

    async fn page_of(
        &mut self,
        search: &Search<'_>,
        statement: Statement<'_>,
    ) -> Result<Vec<CertificateCursor>, StoreError> {
        let (sql, values) = statement.finish();
        let rows = self.query(&sql, &values).await?;
        rows.iter().map(|row| search.cursor(row)).collect()
    }

    /// The certificates of a page, in its order.
    async fn read_page(
        &mut self,
        cursors: Vec<CertificateCursor>,
    ) -> Result<Vec<Listed>, StoreError> {
        let ids: Vec<&str> = cursors.iter().map(|cursor| cursor.id.as_str()).collect();
        let sql = Sql::each(
            concat!(
                "SELECT ",
                columns!(),
                " FROM certificates WHERE id IN (SELECT value FROM json_each($1))"
            ),
            concat!(
                "SELECT ",
                columns!(),
                " FROM certificates \
                 WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::text::json)))"
            ),
        );
        let rows = self.query(sql, params![json(&ids)?]).await?;
        let mut certificates = std::collections::HashMap::with_capacity(rows.len());
        for row in &rows {
            let certificate = read(row)?;
            certificates.insert(certificate.id.clone(), certificate);
        }
        Ok(cursors
            .into_iter()
            .filter_map(|cursor| {
                let certificate = certificates.remove(&cursor.id)?;
                Some(Listed {
                    certificate,
                    cursor,
                })
            })
            .collect())
    }
}

/// `<select> few certificates, looked up one by one`.
fn through<'a>(source: &Source<'a>, select: &str) -> Statement<'a> {
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
    fn through(&self, index: usize, source: &Source<'a>) -> Statement<'a> {
        let statement = through(source, &format!("SELECT {} FROM", self.keys()));
        let statement = self.join_names(statement);
        self.rest(
            statement.and(Part::new("certificates.id = found.certificate_id", [])),
            Some(index),
        )
    }

    /// The certificates of an ordered source as they come.
    fn following(&self, index: usize, source: &Source<'a>) -> Statement<'a> {
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
    fn along(&self, end: Option<CertificateCursor>) -> Statement<'a> {
        let statement = self.beginning();
        let statement = match end {
            None => statement,
            Some(end) => statement.and(self.compare(&end, self.within())),
        };
        self.rest(statement, None)
    }

    /// The key of the certificate some way along the order.
    fn stroll(&self) -> Statement<'a> {
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
        let statement = self.beginning().and_checks(&bounds, None);
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
                .and(Part::new("listed.is_first = 1", [])),
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

    fn cursor(&self, row: &Row) -> Result<CertificateCursor, StoreError> {
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
