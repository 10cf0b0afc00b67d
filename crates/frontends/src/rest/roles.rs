//! `/roles` and `/permissions`: what can be granted.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::access::CustomRole;
use domain::permission::Permission;
use domain::role::Role;
use http::{HeaderMap, StatusCode};
use lifecycle::access::AccessError;
use lifecycle::access::roles::AnyRole;
use protocols::rest::page::Page;
use protocols::rest::role as wire;

use super::Verbs;
use super::access::Operator;
use super::etag;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;

/// Every role: the built-in ones, then the others by name
#[utoipa::path(get, path = "/api/v1/roles", tag = "access",
    responses((status = 200, description = "The roles", body = Page<wire::Role>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Role>>, Failure> {
    Ok(Json(Page {
        items: verbs.roles().await?.iter().map(render).collect(),
        next: None,
    }))
}

/// One role; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/roles/{name}", tag = "access",
    params(("name" = String, Path, description = "Name of the role")),
    responses((status = 200, description = "The role", body = wire::Role,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let role = verbs.role(&name).await?;
    Ok(answer(&role.ok_or_else(|| unknown(&name))?))
}

fn unknown(name: &str) -> Failure {
    Failure::not_found(format!("there is no role `{name}`"))
}

/// Make a role of permissions, or change one
///
/// Takes every permission that the role has before and after: nobody makes a role that allows
/// more than they may, and nobody changes a role that they hold.
#[utoipa::path(put, path = "/api/v1/roles/{name}", tag = "access",
    params(
        ("name" = String, Path, description = "Name of the role"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one"),
    ),
    request_body = wire::PutRole,
    responses((status = 200, description = "The role as it is now; whoever holds it may do this at once",
        body = wire::Role, headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn put(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    headers: HeaderMap,
    Body(request): Body<wire::PutRole>,
) -> Result<impl IntoResponse, Failure> {
    let permissions = read_permissions(&request.permissions)?;
    let expected = etag::expected_time(&headers)?;
    let role = verbs
        .put_role(
            name,
            request.description,
            permissions,
            expected,
            &operator.caller(),
        )
        .await?;
    Ok(answer(&AnyRole::Custom(role)))
}

/// Delete a role that nobody holds
#[utoipa::path(delete, path = "/api/v1/roles/{name}", tag = "access",
    params(("name" = String, Path, description = "Name of the role")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "Somebody holds it", body = protocols::rest::problem::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn delete(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<StatusCode, Failure> {
    let deleted = verbs.delete_role(&name, &operator.caller()).await;
    deleted.map_err(|error| match error {
        AccessError::NoSuchRole(_) => unknown(&name),
        error => error.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every permission that a role may have
#[utoipa::path(get, path = "/api/v1/permissions", tag = "access",
    responses((status = 200, description = "The permissions", body = Page<wire::Permission>)))]
pub(crate) async fn permissions(
    Parameters(Everything {}): Parameters<Everything>,
) -> Json<Page<wire::Permission>> {
    let all = Permission::ALL.iter().map(|permission| wire::Permission {
        name: permission.to_string(),
        description: permission.description().to_owned(),
        roles: Role::ALL
            .into_iter()
            .filter(|role| role.grants(*permission))
            .map(|role| role.to_string())
            .collect(),
    });
    Json(Page {
        items: all.collect(),
        next: None,
    })
}

fn read_permissions(names: &[String]) -> Result<BTreeSet<Permission>, Failure> {
    let (known, faults): (Vec<_>, Vec<_>) = names
        .iter()
        .map(|name| name.parse::<Permission>())
        .partition(Result::is_ok);
    let faults: Vec<String> = faults
        .into_iter()
        .filter_map(|fault| Some(format!("`permissions`: {}", fault.err()?)))
        .collect();
    match faults.is_empty() {
        true => Ok(known.into_iter().flatten().collect()),
        false => Err(Failure::invalid(faults.join("; ")).with_faults(faults)),
    }
}

fn answer(role: &AnyRole) -> impl IntoResponse + use<> {
    let version = match role {
        AnyRole::BuiltIn(_) => 0,
        AnyRole::Custom(role) => role.updated_at.millis(),
    };
    (etag::tag(version), Json(render(role)))
}

fn render(role: &AnyRole) -> wire::Role {
    let custom = match role {
        AnyRole::BuiltIn(_) => None,
        AnyRole::Custom(custom) => Some(custom),
    };
    let description = match role {
        AnyRole::BuiltIn(role) => role.description(),
        AnyRole::Custom(role) => &role.description,
    };
    wire::Role {
        name: role.name().to_owned(),
        id: custom.map(|role: &CustomRole| role.id.to_string()),
        built_in: custom.is_none(),
        description: description.to_owned(),
        permissions: role.permissions().iter().map(ToString::to_string).collect(),
        created_at: custom.map(|role| role.created_at),
        updated_at: custom.map(|role| role.updated_at),
    }
}
