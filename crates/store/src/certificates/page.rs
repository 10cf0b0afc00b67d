//! Pages of certificates: found by the rarest condition, or along the order that is asked for.

use domain::certificate::InventoryCertificate;
use domain::id::CertificateId;

use super::columns::{columns, read};
use super::condition::{Condition, Part, Source, Statement};
use super::cursor::{CertificateCursor, CertificateSort, SortKey};
use super::filter::CertificateFilter;
use super::route::{Search, through};
use crate::codec::json;
use crate::{Sql, StoreError, Tx, Value, params};

/// A certificate of a list, with the cursor that goes on behind it.
pub struct Listed {
    pub certificate: InventoryCertificate,
    pub cursor: CertificateCursor,
}

/// Sources with up to so many certificates are gone through whole, whatever the order.
const FEW: u32 = 5_000;

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
            listed: filter.listed(),
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
