//! `/acme/directories`: ACME entry points and their rules.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::acme::directory::Directory;
use http::HeaderMap;
use lifecycle::operator::Expected;
use pki::time::Timestamp;
use protocols::rest::directory as wire;
use protocols::rest::page::Page;

use super::Verbs;
use super::access::Operator;
use super::etag;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::translate::{inward, outward};

/// All ACME directories
#[utoipa::path(get, path = "/api/v1/acme/directories", tag = "acme",
    responses((status = 200, description = "The directories", body = Page<wire::Directory>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Directory>>, Failure> {
    let found = verbs.list_directories().await?;
    let items = found.iter().map(|directory| render(&verbs, directory));
    Ok(Json(Page {
        items: items.collect::<Result<_, _>>()?,
        next: None,
    }))
}

/// One ACME directory; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/acme/directories/{name}", tag = "acme",
    params(("name" = String, Path, description = "Name of the directory")),
    responses((status = 200, description = "The directory", body = wire::Directory,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let found = verbs.list_directories().await?;
    let directory = found.into_iter().find(|directory| directory.name == name);
    let directory = directory
        .ok_or_else(|| Failure::not_found(format!("there is no ACME directory `{name}`")))?;
    answer(&verbs, &directory)
}

/// Make an ACME directory, or change the rules of one
#[utoipa::path(put, path = "/api/v1/acme/directories/{name}", tag = "acme",
    params(
        ("name" = String, Path, description = "Name of the directory"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one"),
    ),
    request_body = wire::DirectoryRules,
    responses((status = 200, description = "The directory as it is now", body = wire::Directory,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn put(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    headers: HeaderMap,
    Body(rules): Body<wire::DirectoryRules>,
) -> Result<impl IntoResponse, Failure> {
    let expected = match etag::expected(&headers)? {
        Expected::Anything => Expected::Anything,
        Expected::Absent => Expected::Absent,
        Expected::Version(version) => Expected::Version(Timestamp::from_millis(version)),
    };
    let directory = verbs
        .replace_directory(name, inward(&rules)?, expected, &operator.caller())
        .await?;
    answer(&verbs, &directory)
}

fn answer(verbs: &Verbs, directory: &Directory) -> Result<impl IntoResponse + use<>, Failure> {
    let tag = etag::tag(directory.updated_at.millis());
    Ok((tag, Json(render(verbs, directory)?)))
}

fn render(verbs: &Verbs, directory: &Directory) -> Result<wire::Directory, Failure> {
    let base = &verbs.settings().public_url;
    Ok(wire::Directory {
        name: directory.name.clone(),
        id: directory.id.to_string(),
        url: format!("{base}/acme/{}/directory", directory.name),
        rules: outward(&directory.spec)?,
        created_at: directory.created_at,
        updated_at: directory.updated_at,
    })
}
