//! `/est/labels` and `/scep/services`: where clients without accounts come in.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::enrolling::{EntryPoint, EntryPointSpec, Protocol};
use domain::permission::Permission;
use http::{HeaderMap, StatusCode};
use protocols::rest::entry_point as wire;
use protocols::rest::page::Page;
use protocols::rest::team::OwnerQuery;

use super::access::Operator;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::names::Names;
use super::translate::{inward, outward};
use super::{Verbs, etag, shared};

/// All EST labels
#[utoipa::path(get, path = "/api/v1/est/labels", tag = "enrolling",
    responses((status = 200, description = "The labels", body = Page<wire::EstLabel>)))]
pub(crate) async fn list_labels(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::EstLabel>>, Failure> {
    list(&verbs, &operator, Protocol::Est, label).await
}

/// All SCEP services
#[utoipa::path(get, path = "/api/v1/scep/services", tag = "enrolling",
    responses((status = 200, description = "The services", body = Page<wire::ScepService>)))]
pub(crate) async fn list_services(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::ScepService>>, Failure> {
    list(&verbs, &operator, Protocol::Scep, service).await
}

/// One EST label; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/est/labels/{name}", tag = "enrolling",
    params(("name" = String, Path, description = "Name of the label")),
    responses((status = 200, description = "The label", body = wire::EstLabel,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show_label(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let point = seen(&verbs, &operator, Protocol::Est, &name).await?;
    shared::answer(&verbs, &point, label).await
}

/// One SCEP service; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/scep/services/{name}", tag = "enrolling",
    params(("name" = String, Path, description = "Name of the service")),
    responses((status = 200, description = "The service", body = wire::ScepService,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show_service(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let point = seen(&verbs, &operator, Protocol::Scep, &name).await?;
    shared::answer(&verbs, &point, service).await
}

/// Make an EST label, or change the rules of one
#[utoipa::path(put, path = "/api/v1/est/labels/{name}", tag = "enrolling",
    params(
        ("name" = String, Path, description = "Name of the label"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one"),
        OwnerQuery,
    ),
    request_body = wire::EstRules,
    responses((status = 200, description = "The label as it is now", body = wire::EstLabel,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn put_label(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    Parameters(query): Parameters<OwnerQuery>,
    headers: HeaderMap,
    Body(rules): Body<wire::EstRules>,
) -> Result<impl IntoResponse, Failure> {
    let spec = EntryPointSpec::Est(inward(&rules)?);
    let point = put(&verbs, &operator, (name, spec), query, &headers).await?;
    shared::answer(&verbs, &point, label).await
}

/// Make a SCEP service, or change the rules of one
#[utoipa::path(put, path = "/api/v1/scep/services/{name}", tag = "enrolling",
    params(
        ("name" = String, Path, description = "Name of the service"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one"),
        OwnerQuery,
    ),
    request_body = wire::ScepRules,
    responses((status = 200, description = "The service as it is now", body = wire::ScepService,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn put_service(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    Parameters(query): Parameters<OwnerQuery>,
    headers: HeaderMap,
    Body(rules): Body<wire::ScepRules>,
) -> Result<impl IntoResponse, Failure> {
    let spec = EntryPointSpec::Scep(inward(&rules)?);
    let point = put(&verbs, &operator, (name, spec), query, &headers).await?;
    shared::answer(&verbs, &point, service).await
}

/// Remove an EST label with its passwords
#[utoipa::path(delete, path = "/api/v1/est/labels/{name}", tag = "enrolling",
    params(("name" = String, Path, description = "Name of the label")),
    responses((status = 204, description = "Removed")))]
pub(crate) async fn delete_label(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<StatusCode, Failure> {
    delete(&verbs, &operator, Protocol::Est, &name).await
}

/// Remove a SCEP service with its passwords
#[utoipa::path(delete, path = "/api/v1/scep/services/{name}", tag = "enrolling",
    params(("name" = String, Path, description = "Name of the service")),
    responses((status = 204, description = "Removed")))]
pub(crate) async fn delete_service(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<StatusCode, Failure> {
    delete(&verbs, &operator, Protocol::Scep, &name).await
}

type Render<W> = fn(&Verbs, &EntryPoint, &Names) -> Result<W, Failure>;

async fn list<W>(
    verbs: &Verbs,
    operator: &Operator,
    protocol: Protocol,
    render: Render<W>,
) -> Result<Json<Page<W>>, Failure> {
    let found = verbs.list_entry_points(protocol).await?;
    shared::list(verbs, operator, &found, render).await
}

/// The entry point of that name, if it is seen.
pub(super) async fn seen(
    verbs: &Verbs,
    operator: &Operator,
    protocol: Protocol,
    name: &str,
) -> Result<EntryPoint, Failure> {
    let unknown = || unknown(protocol, name);
    let found = verbs.entry_point(protocol, name).await?;
    let point = found.ok_or_else(unknown)?;
    let owner = point.team_id.as_ref();
    operator.require_shared(Permission::EnrollingRead, owner, unknown)?;
    Ok(point)
}

async fn put(
    verbs: &Verbs,
    operator: &Operator,
    (name, spec): (String, EntryPointSpec),
    query: OwnerQuery,
    headers: &HeaderMap,
) -> Result<EntryPoint, Failure> {
    let expected = etag::expected_time(headers)?;
    let protocol = spec.protocol();
    let known = verbs.entry_point(protocol, &name).await?;
    let team = shared::owner_of_put(verbs, operator, known.as_ref(), &query, || {
        unknown(protocol, &name)
    })
    .await?;
    let stored = verbs
        .put_entry_point(name, spec, team, expected, &operator.caller())
        .await?;
    Ok(stored)
}

async fn delete(
    verbs: &Verbs,
    operator: &Operator,
    protocol: Protocol,
    name: &str,
) -> Result<StatusCode, Failure> {
    let point = seen(verbs, operator, protocol, name).await?;
    let owner = point.team_id.as_ref();
    operator.require_shared(Permission::EnrollingWrite, owner, || {
        unknown(protocol, name)
    })?;
    verbs
        .delete_entry_point(protocol, name, &operator.caller())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(protocol: Protocol, name: &str) -> Failure {
    let name: String = name.chars().take(80).collect();
    Failure::not_found(format!("there is no {} `{name}`", protocol.noun()))
}

fn label(verbs: &Verbs, point: &EntryPoint, names: &Names) -> Result<wire::EstLabel, Failure> {
    let EntryPointSpec::Est(rules) = &point.spec else {
        return Err(unknown(Protocol::Est, &point.name));
    };
    let base = &verbs.settings().public_url;
    Ok(wire::EstLabel {
        name: point.name.clone(),
        id: point.id.to_string(),
        url: format!("{base}/.well-known/est/{}", point.name),
        rules: outward(rules)?,
        team: point.team_id.as_ref().map(|id| names.team(id)),
        created_at: point.created_at,
        updated_at: point.updated_at,
    })
}

fn service(verbs: &Verbs, point: &EntryPoint, names: &Names) -> Result<wire::ScepService, Failure> {
    let EntryPointSpec::Scep(rules) = &point.spec else {
        return Err(unknown(Protocol::Scep, &point.name));
    };
    let base = &verbs.settings().public_url;
    Ok(wire::ScepService {
        name: point.name.clone(),
        id: point.id.to_string(),
        url: format!("{base}/scep/{}", point.name),
        rules: outward(rules)?,
        team: point.team_id.as_ref().map(|id| names.team(id)),
        created_at: point.created_at,
        updated_at: point.updated_at,
    })
}
