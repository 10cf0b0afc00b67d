//! `/teams`: who owns certificates, ACME directories, binding keys and profiles.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::permission::Permission;
use domain::team::Team;
use http::{HeaderMap, StatusCode};
use protocols::rest::page::Page;
use protocols::rest::team as wire;

use super::Verbs;
use super::access::Operator;
use super::etag;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;

/// The teams that the caller sees, by name
#[utoipa::path(get, path = "/api/v1/teams", tag = "access",
    responses((status = 200, description = "The teams", body = Page<wire::Team>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Team>>, Failure> {
    let visible = operator.rights().visible(Permission::AccessRead);
    let teams = verbs.teams().await?;
    let seen = teams.iter().filter(|team| visible.shows(Some(&team.id)));
    Ok(Json(Page {
        items: seen.map(render).collect(),
        next: None,
    }))
}

/// One team; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/teams/{name}", tag = "access",
    params(("name" = String, Path, description = "Name of the team")),
    responses((status = 200, description = "The team", body = wire::Team,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    Ok(answer(
        &find(&verbs, &operator, Permission::AccessRead, &name).await?,
    ))
}

/// Make a team, or change what is said about one
#[utoipa::path(put, path = "/api/v1/teams/{name}", tag = "access",
    params(
        ("name" = String, Path, description = "Name of the team"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one"),
    ),
    request_body = wire::PutTeam,
    responses((status = 200, description = "The team as it is now", body = wire::Team,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn put(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    headers: HeaderMap,
    Body(request): Body<wire::PutTeam>,
) -> Result<impl IntoResponse, Failure> {
    // Who makes teams everywhere may learn that the name is free; others ask for one they see.
    let needed = Permission::AccessAdminister;
    if !operator.rights().allows(needed, None) {
        find(&verbs, &operator, needed, &name).await?;
    }
    let expected = etag::expected_time(&headers)?;
    let team = verbs
        .put_team(name, request.description, expected, &operator.caller())
        .await?;
    Ok(answer(&team))
}

/// Delete a team that owns nothing any more, and the grants that were made in it
#[utoipa::path(delete, path = "/api/v1/teams/{name}", tag = "access",
    params(("name" = String, Path, description = "Name of the team")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "It still owns something", body = protocols::rest::problem::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn delete(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<StatusCode, Failure> {
    find(&verbs, &operator, Permission::AccessAdminister, &name).await?;
    verbs.delete_team(&name, &operator.caller()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(
    verbs: &Verbs,
    operator: &Operator,
    needed: Permission,
    name: &str,
) -> Result<Team, Failure> {
    let unknown = || Failure::not_found(format!("there is no team `{name}`"));
    let team = verbs.team(name).await?.ok_or_else(unknown)?;
    operator.require(needed, Some(&team.id), unknown)?;
    Ok(team)
}

fn answer(team: &Team) -> impl IntoResponse + use<> {
    (etag::tag(team.updated_at.millis()), Json(render(team)))
}

fn render(team: &Team) -> wire::Team {
    wire::Team {
        name: team.name.clone(),
        id: team.id.to_string(),
        description: team.description.clone(),
        created_at: team.created_at,
        updated_at: team.updated_at,
    }
}
