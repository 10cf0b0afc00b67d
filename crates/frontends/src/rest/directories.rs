//! `/acme/directories`: ACME entry points and their rules.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::acme::directory::Directory;
use domain::permission::Permission;
use http::HeaderMap;
use protocols::rest::directory as wire;
use protocols::rest::page::Page;
use protocols::rest::team::OwnerQuery;

use super::access::Operator;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::names::Names;
use super::translate::{inward, outward};
use super::{Verbs, etag, shared};

/// All ACME directories
#[utoipa::path(get, path = "/api/v1/acme/directories", tag = "acme",
    responses((status = 200, description = "The directories", body = Page<wire::Directory>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Directory>>, Failure> {
    let found = verbs.list_directories().await?;
    shared::list(&verbs, &operator, &found, render).await
}

/// One ACME directory; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/acme/directories/{name}", tag = "acme",
    params(("name" = String, Path, description = "Name of the directory")),
    responses((status = 200, description = "The directory", body = wire::Directory,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let directory = find(&verbs, &name).await?;
    operator.require_shared(Permission::AcmeRead, directory.team_id.as_ref(), || {
        unknown(&name)
    })?;
    shared::answer(&verbs, &directory, render).await
}

/// Make an ACME directory, or change the rules of one
#[utoipa::path(put, path = "/api/v1/acme/directories/{name}", tag = "acme",
    params(
        ("name" = String, Path, description = "Name of the directory"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one"),
        OwnerQuery,
    ),
    request_body = wire::DirectoryRules,
    responses((status = 200, description = "The directory as it is now", body = wire::Directory,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn put(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    Parameters(query): Parameters<OwnerQuery>,
    headers: HeaderMap,
    Body(rules): Body<wire::DirectoryRules>,
) -> Result<impl IntoResponse, Failure> {
    let expected = etag::expected_time(&headers)?;
    let known = verbs.directory(&name).await?;
    let team = shared::owner_of_put(&verbs, &operator, known.as_deref(), &query, || {
        unknown(&name)
    })
    .await?;
    let directory = verbs
        .replace_directory(name, inward(&rules)?, team, expected, &operator.caller())
        .await?;
    shared::answer(&verbs, &directory, render).await
}

async fn find(verbs: &Verbs, name: &str) -> Result<Directory, Failure> {
    shared::named(verbs.list_directories().await?, name, unknown)
}

pub(super) async fn shown(verbs: &Verbs, name: &str) -> Result<impl IntoResponse + use<>, Failure> {
    shared::answer(verbs, &find(verbs, name).await?, render).await
}

pub(super) fn unknown(name: &str) -> Failure {
    Failure::not_found(format!("there is no ACME directory `{name}`"))
}

fn render(verbs: &Verbs, directory: &Directory, names: &Names) -> Result<wire::Directory, Failure> {
    let base = &verbs.settings().public_url;
    Ok(wire::Directory {
        name: directory.name.clone(),
        id: directory.id.to_string(),
        url: format!("{base}/acme/{}/directory", directory.name),
        rules: outward(&directory.spec)?,
        team: directory.team_id.as_ref().map(|id| names.team(id)),
        created_at: directory.created_at,
        updated_at: directory.updated_at,
    })
}
