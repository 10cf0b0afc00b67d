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

use super::Verbs;
use super::access::Operator;
use super::etag;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::names::Names;
use super::translate::{inward, outward};

/// All ACME directories
#[utoipa::path(get, path = "/api/v1/acme/directories", tag = "acme",
    responses((status = 200, description = "The directories", body = Page<wire::Directory>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Directory>>, Failure> {
    let visible = operator.visible(Permission::AcmeRead);
    let (found, names) = (verbs.list_directories().await?, Names::load(&verbs).await?);
    let items = found
        .iter()
        .filter(|directory| visible.shows_shared(directory.team_id.as_ref()))
        .map(|directory| render(&verbs, directory, &names));
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
    operator: Operator,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let directory = find(&verbs, &name).await?;
    operator.require_shared(Permission::AcmeRead, directory.team_id.as_ref(), || {
        unknown(&name)
    })?;
    answer(&verbs, &directory).await
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
    let team = match verbs.directory(&name).await? {
        Some(directory) => {
            let owner = directory.team_id.as_ref();
            operator.require_shared(Permission::AcmeWrite, owner, || unknown(&name))?;
            None
        }
        None => {
            let wanted = query.team.as_deref();
            verbs
                .choose_team(operator.rights(), Permission::AcmeWrite, wanted)
                .await?
        }
    };
    let directory = verbs
        .replace_directory(name, inward(&rules)?, team, expected, &operator.caller())
        .await?;
    answer(&verbs, &directory).await
}

async fn find(verbs: &Verbs, name: &str) -> Result<Directory, Failure> {
    let found = verbs.list_directories().await?;
    let directory = found.into_iter().find(|directory| directory.name == name);
    directory.ok_or_else(|| unknown(name))
}

pub(super) async fn shown(verbs: &Verbs, name: &str) -> Result<impl IntoResponse + use<>, Failure> {
    answer(verbs, &find(verbs, name).await?).await
}

pub(super) fn unknown(name: &str) -> Failure {
    Failure::not_found(format!("there is no ACME directory `{name}`"))
}

async fn answer(
    verbs: &Verbs,
    directory: &Directory,
) -> Result<impl IntoResponse + use<>, Failure> {
    let tag = etag::tag(directory.updated_at.millis());
    let names = Names::load(verbs).await?;
    Ok((tag, Json(render(verbs, directory, &names)?)))
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
