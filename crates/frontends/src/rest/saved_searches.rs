//! `/saved-searches`: searches that people keep, for themselves or for a team.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::id::SavedSearchId;
use domain::search::SavedSearch;
use http::StatusCode;
use lifecycle::inventory::saved_searches::{SavedSearchError, SearchSpec};
use protocols::rest::certificate::CertificateQuery;
use protocols::rest::inventory as wire;
use protocols::rest::page::{Page, PageQuery};
use url::form_urlencoded;

use super::Verbs;
use super::access::Operator;
use super::extract::{Body, Named, created};
use super::failure::Failure;
use super::listing::{Everything, Listing, filter_of};
use super::names::Names;
use super::search;

/// Own searches and those that teams share, newest first
#[utoipa::path(get, path = "/api/v1/saved-searches", tag = "certificates",
    params(PageQuery),
    responses((status = 200, description = "A page of searches", body = Page<wire::SavedSearch>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    listing: Listing<Everything, SavedSearchId>,
) -> Result<Json<Page<wire::SavedSearch>>, Failure> {
    let names = Names::load(&verbs).await?;
    let found = verbs
        .list_saved_searches(&operator.caller(), listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |search| search.id.to_string(),
        |search| render(search, &operator, &names),
    )))
}

/// One saved search
#[utoipa::path(get, path = "/api/v1/saved-searches/{id}", tag = "certificates",
    params(("id" = String, Path, description = "Id of the search")),
    responses((status = 200, description = "The search", body = wire::SavedSearch)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<SavedSearchId>,
) -> Result<Json<wire::SavedSearch>, Failure> {
    let found = verbs.saved_search(&id, &operator.caller()).await?;
    let search =
        found.ok_or_else(|| Failure::not_found(format!("there is no saved search {id}")))?;
    Ok(Json(render(search, &operator, &Names::load(&verbs).await?)))
}

/// Keep a search
#[utoipa::path(post, path = "/api/v1/saved-searches", tag = "certificates",
    request_body = wire::SavedSearchRequest,
    responses((status = 201, description = "The search", body = wire::SavedSearch)))]
pub(crate) async fn create(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::SavedSearchRequest>,
) -> Result<Response, Failure> {
    let names = Names::load(&verbs).await?;
    let spec = read(request, &names, &operator, &verbs).await?;
    let search = verbs.create_saved_search(spec, &operator.caller()).await?;
    let path = format!("/api/v1/saved-searches/{}", search.id);
    Ok(created(path, &render(search, &operator, &names)))
}

/// Change an own search
#[utoipa::path(put, path = "/api/v1/saved-searches/{id}", tag = "certificates",
    params(("id" = String, Path, description = "Id of the search")),
    request_body = wire::SavedSearchRequest,
    responses((status = 200, description = "The search", body = wire::SavedSearch)))]
pub(crate) async fn replace(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<SavedSearchId>,
    Body(request): Body<wire::SavedSearchRequest>,
) -> Result<Json<wire::SavedSearch>, Failure> {
    let names = Names::load(&verbs).await?;
    let spec = read(request, &names, &operator, &verbs).await?;
    let changed = verbs
        .replace_saved_search(&id, spec, &operator.caller())
        .await?;
    Ok(Json(render(changed, &operator, &names)))
}

/// Forget an own search
#[utoipa::path(delete, path = "/api/v1/saved-searches/{id}", tag = "certificates",
    params(("id" = String, Path, description = "Id of the search")),
    responses((status = 204, description = "Forgotten")))]
pub(crate) async fn delete(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<SavedSearchId>,
) -> Result<StatusCode, Failure> {
    verbs.delete_saved_search(&id, &operator.caller()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A search is kept only if it can be asked: what is wrong with it is told now, not at its use.
async fn read(
    request: wire::SavedSearchRequest,
    names: &Names,
    operator: &Operator,
    verbs: &Verbs,
) -> Result<SearchSpec, Failure> {
    let query = as_query(&request.search);
    let read: CertificateQuery = filter_of(&query)?;
    let fields = verbs.fields().await?;
    search::read(read, names, &fields, operator, verbs.now())?;
    let rights = operator.rights();
    let team = request.team.as_deref();
    Ok(SearchSpec {
        name: request.name.trim().to_owned(),
        team: team.map(|name| names.team_id(name, rights)).transpose()?,
        parameters: request.search,
    })
}

fn as_query(parameters: &BTreeMap<String, String>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters).finish()
}

fn render(search: SavedSearch, operator: &Operator, names: &Names) -> wire::SavedSearch {
    wire::SavedSearch {
        id: search.id.to_string(),
        own: search.owner == *operator.principal(),
        owner: search.owner.to_string(),
        name: search.name,
        team: search.team.as_ref().map(|id| names.team(id)),
        search: search.parameters,
        created_at: search.created_at,
        updated_at: search.updated_at,
    }
}

impl From<SavedSearchError> for Failure {
    fn from(error: SavedSearchError) -> Self {
        match error {
            SavedSearchError::Store(error) => error.into(),
            SavedSearchError::Unknown(_) => Self::not_found(error.to_string()),
            SavedSearchError::NameTaken | SavedSearchError::TooMany => {
                Self::conflict(error.to_string())
            }
            SavedSearchError::NoOwner | SavedSearchError::Name | SavedSearchError::ForeignTeam => {
                Self::invalid(error.to_string())
            }
        }
    }
}
