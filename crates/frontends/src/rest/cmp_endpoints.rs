//! `/cmp/endpoints`: where CMP clients come in, and their rules.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::cmp::CmpEndpoint;
use domain::permission::Permission;
use http::{HeaderMap, StatusCode};
use lifecycle::cmp::endpoints::PutEndpointError;
use protocols::rest::cmp as wire;
use protocols::rest::page::Page;
use protocols::rest::problem::ProblemKind;
use protocols::rest::team::OwnerQuery;

use super::access::Operator;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::names::Names;
use super::translate::{inward, outward};
use super::{Verbs, etag, shared};

/// All CMP endpoints
#[utoipa::path(get, path = "/api/v1/cmp/endpoints", tag = "enrolling",
    responses((status = 200, description = "The endpoints", body = Page<wire::CmpEndpoint>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::CmpEndpoint>>, Failure> {
    let found = verbs.list_cmp_endpoints().await?;
    shared::list(&verbs, &operator, &found, render).await
}

/// One CMP endpoint; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/cmp/endpoints/{name}", tag = "enrolling",
    params(("name" = String, Path, description = "Name of the endpoint")),
    responses((status = 200, description = "The endpoint", body = wire::CmpEndpoint,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let endpoint = find(&verbs, &name).await?;
    operator.require_shared(Permission::EnrollingRead, endpoint.team_id.as_ref(), || {
        unknown(&name)
    })?;
    shared::answer(&verbs, &endpoint, render).await
}

/// Make a CMP endpoint, or change the rules of one
#[utoipa::path(put, path = "/api/v1/cmp/endpoints/{name}", tag = "enrolling",
    params(
        ("name" = String, Path, description = "Name of the endpoint"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one"),
        OwnerQuery,
    ),
    request_body = wire::CmpEndpointRules,
    responses((status = 200, description = "The endpoint as it is now", body = wire::CmpEndpoint,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn put(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    Parameters(query): Parameters<OwnerQuery>,
    headers: HeaderMap,
    Body(rules): Body<wire::CmpEndpointRules>,
) -> Result<impl IntoResponse, Failure> {
    let expected = etag::expected_time(&headers)?;
    let known = verbs.list_cmp_endpoints().await?;
    let known = known.into_iter().find(|endpoint| endpoint.name == name);
    let team =
        shared::owner_of_put(&verbs, &operator, known.as_ref(), &query, || unknown(&name)).await?;
    let endpoint = verbs
        .put_cmp_endpoint(name, inward(&rules)?, team, expected, &operator.caller())
        .await?;
    shared::answer(&verbs, &endpoint, render).await
}

/// Delete a CMP endpoint with its secrets; certificates that were issued there stay
#[utoipa::path(delete, path = "/api/v1/cmp/endpoints/{name}", tag = "enrolling",
    params(("name" = String, Path, description = "Name of the endpoint")),
    responses((status = 204, description = "Deleted")))]
pub(crate) async fn delete(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<StatusCode, Failure> {
    let endpoint = find(&verbs, &name).await?;
    operator.require_shared(
        Permission::EnrollingWrite,
        endpoint.team_id.as_ref(),
        || unknown(&name),
    )?;
    verbs
        .delete_cmp_endpoint(&endpoint, &operator.caller())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(verbs: &Verbs, name: &str) -> Result<CmpEndpoint, Failure> {
    shared::named(verbs.list_cmp_endpoints().await?, name, unknown)
}

fn unknown(name: &str) -> Failure {
    let name: String = name.chars().take(80).collect();
    Failure::not_found(format!("there is no CMP endpoint `{name}`"))
}

fn render(
    verbs: &Verbs,
    endpoint: &CmpEndpoint,
    names: &Names,
) -> Result<wire::CmpEndpoint, Failure> {
    let base = &verbs.settings().public_url;
    Ok(wire::CmpEndpoint {
        name: endpoint.name.clone(),
        id: endpoint.id.to_string(),
        url: format!("{base}/.well-known/cmp/p/{}", endpoint.name),
        rules: outward(&endpoint.spec)?,
        team: endpoint.team_id.as_ref().map(|id| names.team(id)),
        created_at: endpoint.created_at,
        updated_at: endpoint.updated_at,
    })
}

impl From<PutEndpointError> for Failure {
    fn from(error: PutEndpointError) -> Self {
        match error {
            PutEndpointError::Store(error) => error.into(),
            PutEndpointError::Metadata(violations) => Self::rejected(&violations),
            PutEndpointError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            PutEndpointError::BadName(_)
            | PutEndpointError::NoSuchProfile(_)
            | PutEndpointError::NoProfile
            | PutEndpointError::OutOfBounds { .. }
            | PutEndpointError::Authority(_) => Self::invalid(error.to_string()),
        }
    }
}
