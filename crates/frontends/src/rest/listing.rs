//! Lists: filters and the cursor in, a page out.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use http::Uri;
use http::request::Parts;
use protocols::rest::page::{Page, PageQuery};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::extract::misfit;
use super::failure::Failure;

/// What a list is asked for: a filter, where to go on, how much.
#[derive(Debug)]
pub(crate) struct Listing<F, I> {
    pub(crate) filter: F,
    pub(crate) after: Option<I>,
    limit: u32,
}

/// The filter of a list that has none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Everything {}

impl<F, I> Listing<F, I> {
    /// How many rows to read: one more than is shown says whether there are more.
    pub(crate) fn rows(&self) -> u32 {
        self.limit + 1
    }

    /// The page that `rows` make.
    pub(crate) fn page<R, W>(
        &self,
        mut rows: Vec<R>,
        id: impl Fn(&R) -> String,
        render: impl Fn(R) -> W,
    ) -> Page<W> {
        let limit = self.limit as usize;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more).map(id);
        Page {
            items: rows.into_iter().map(render).collect(),
            next,
        }
    }
}

impl<F: DeserializeOwned, I: FromStr<Err: Display>> Listing<F, I> {
    fn read(query: &str) -> Result<Self, Failure> {
        let mut limit = PageQuery::DEFAULT_LIMIT;
        let mut after = None;
        // `serde(flatten)` would take numbers for texts, so the two are picked out by hand.
        let mut rest = form_urlencoded::Serializer::new(String::new());
        let mut metadata = serde_json::Map::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.contains('\0') {
                return Err(Failure::invalid(format!("`{name}` holds a NUL character")));
            }
            match name.as_ref() {
                "limit" => limit = read_limit(&value)?,
                "after" => after = Some(read_cursor(&value)?),
                name => match name.strip_prefix("metadata.") {
                    Some(field) => {
                        let text = value.into_owned().into();
                        if metadata.insert(field.to_owned(), text).is_some() {
                            return Err(Failure::invalid(format!("`{name}` is there twice")));
                        }
                    }
                    None if name == "metadata" => {
                        return Err(Failure::invalid(
                            "name the field: `metadata.<field>=<value>`",
                        ));
                    }
                    None => {
                        rest.append_pair(name, &value);
                    }
                },
            }
        }
        // Names that nobody knows beforehand fit into no struct: gathered, they are one member,
        // which lists that are not filtered by metadata refuse like any other they do not know.
        if !metadata.is_empty() {
            rest.append_pair("metadata", &serde_json::Value::Object(metadata).to_string());
        }
        Ok(Self {
            filter: read_filter(&rest.finish())?,
            after,
            limit,
        })
    }
}

/// The filter of a query that asks for no page.
pub(crate) fn filter_of<F: DeserializeOwned>(query: &str) -> Result<F, Failure> {
    let parameters = form_urlencoded::parse(query.as_bytes());
    for (name, _) in parameters {
        if matches!(name.as_ref(), "limit" | "after") {
            return Err(Failure::invalid(format!(
                "`{name}` is for lists; this is not one"
            )));
        }
    }
    Listing::<F, u64>::read(query).map(|listing| listing.filter)
}

/// One parameter of a query, and the query without it.
pub(crate) fn take_out(query: &str, wanted: &str) -> (Option<String>, String) {
    let mut taken = None;
    let mut rest = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name == wanted && taken.is_none() {
            true => taken = Some(value.into_owned()),
            false => {
                rest.append_pair(&name, &value);
            }
        }
    }
    (taken, rest.finish())
}

fn read_limit(text: &str) -> Result<u32, Failure> {
    text.parse()
        .ok()
        .filter(|limit| (1..=PageQuery::MAX_LIMIT).contains(limit))
        .ok_or_else(|| {
            Failure::invalid(format!(
                "`limit` must be a number from 1 to {}",
                PageQuery::MAX_LIMIT
            ))
        })
}

fn read_cursor<I: FromStr<Err: Display>>(text: &str) -> Result<I, Failure> {
    text.parse().map_err(|error: I::Err| {
        Failure::invalid(format!(
            "`after` must be what the page before gave as `next`: {error}"
        ))
    })
}

pub(crate) fn read_filter<F: DeserializeOwned>(query: &str) -> Result<F, Failure> {
    let uri: Uri = format!("/?{query}")
        .parse()
        .map_err(|_| Failure::invalid("the query is too long"))?;
    Query::<F>::try_from_uri(&uri)
        .map(|Query(filter)| filter)
        .map_err(|rejection| misfit(&rejection.body_text()))
}

impl<S, F, I> FromRequestParts<S> for Listing<F, I>
where
    S: Send + Sync,
    F: DeserializeOwned,
    I: FromStr<Err: Display>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        Self::read(parts.uri.query().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use protocols::rest::certificate::CertificateQuery;

    use super::*;

    type Numbers = Listing<CertificateQuery, u64>;

    #[test]
    fn filter_and_cursor_are_told_apart() {
        let listing = Numbers::read("suffix=example.org&limit=2&after=7&status=revoked").unwrap();
        assert_eq!(listing.filter.suffix.as_deref(), Some("example.org"));
        assert_eq!((listing.after, listing.limit), (Some(7), 2));
    }

    #[test]
    fn values_of_metadata_are_gathered_and_only_where_they_are_filtered_by() {
        let query = "metadata.cost_center=47%2011&metadata.team=web&limit=2";
        let listing = Numbers::read(query).unwrap();
        let metadata = &listing.filter.metadata;
        assert_eq!(
            (metadata["cost_center"].as_str(), metadata.len()),
            ("47 11", 2)
        );
        assert_eq!(listing.filter.parameters()[0].0, "metadata.cost_center");
        assert!(Listing::<Everything, u64>::read(query).is_err());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for query in [
            "limit=0",
            "limit=501",
            "limit=many",
            "after=x",
            "isuer=root",
            "status=fine",
            "serial=zz",
            "expires_before=tomorrow",
            "name=a%00b",
            "metadata=a",
            "metadata.a=1&metadata.a=2",
        ] {
            assert!(Numbers::read(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_cursor_is_given_only_where_there_is_more() {
        let listing = Numbers::read("limit=2").unwrap();
        assert_eq!(listing.rows(), 3);
        let page = |rows: Vec<u64>| listing.page(rows, u64::to_string, |row| row);
        assert_eq!(page(vec![9, 8]).next, None);
        let more = page(vec![9, 8, 7]);
        assert_eq!((more.items, more.next), (vec![9, 8], Some("8".to_owned())));
    }
}
