//! `/profiles`: what may be issued.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::permission::Permission;
use domain::profile::Profile;
use http::HeaderMap;
use lifecycle::operator::Expected;
use protocols::rest::page::Page;
use protocols::rest::profile as wire;
use protocols::rest::team::OwnerQuery;

use super::access::Operator;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::names::Names;
use super::translate::{inward, outward};
use super::{Verbs, etag, people, shared};

/// The current version of every profile
#[utoipa::path(get, path = "/api/v1/profiles", tag = "profiles",
    responses((status = 200, description = "The profiles", body = Page<wire::Profile>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Profile>>, Failure> {
    let found = verbs.profiles().await?;
    shared::list(&verbs, &operator, &found, render).await
}

/// One profile; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/profiles/{name}", tag = "profiles",
    params(("name" = String, Path, description = "Name of the profile")),
    responses((status = 200, description = "The profile", body = wire::Profile,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let profile = find(&verbs, &name).await?;
    operator.require_shared(Permission::PolicyRead, profile.team_id.as_ref(), || {
        unknown(&name)
    })?;
    shared::answer(&verbs, &profile, render).await
}

/// Make a profile, or a new version of one
///
/// Certificates and orders keep the version they were made under.
#[utoipa::path(put, path = "/api/v1/profiles/{name}", tag = "profiles",
    params(
        ("name" = String, Path, description = "Name of the profile"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one"),
        OwnerQuery,
    ),
    request_body = wire::ProfileRules,
    responses((status = 200, description = "The profile as it is now", body = wire::Profile,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn put(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    Parameters(query): Parameters<OwnerQuery>,
    headers: HeaderMap,
    Body(rules): Body<wire::ProfileRules>,
) -> Result<impl IntoResponse, Failure> {
    let expected = match etag::expected(&headers)? {
        Expected::Anything => Expected::Anything,
        Expected::Absent => Expected::Absent,
        // Versions begin with 1: a number that is none agrees with nothing that is stored.
        Expected::Version(version) => Expected::Version(u32::try_from(version).unwrap_or(0)),
    };
    let known = verbs.profile(&name).await?;
    let team = shared::owner_of_put(&verbs, &operator, known.as_deref(), &query, || {
        unknown(&name)
    })
    .await?;
    let profile = verbs
        .replace_profile(name, inward(&rules)?, team, expected, &operator.caller())
        .await?;
    shared::answer(&verbs, &profile, render).await
}

async fn find(verbs: &Verbs, name: &str) -> Result<Profile, Failure> {
    shared::named(verbs.profiles().await?, name, unknown)
}

pub(super) async fn shown(verbs: &Verbs, name: &str) -> Result<impl IntoResponse + use<>, Failure> {
    shared::answer(verbs, &find(verbs, name).await?, render).await
}

pub(super) fn unknown(name: &str) -> Failure {
    Failure::not_found(format!("there is no profile `{name}`"))
}

pub(super) fn render(
    _: &Verbs,
    profile: &Profile,
    names: &Names,
) -> Result<wire::Profile, Failure> {
    Ok(wire::Profile {
        name: profile.name.clone(),
        id: profile.id.to_string(),
        version: profile.version,
        rules: outward(&profile.spec)?,
        team: profile.team_id.as_ref().map(|id| names.team(id)),
        people: profile
            .spec
            .approval
            .as_ref()
            .map(|rule| names.approvers().of(people::of_rule(rule)))
            .unwrap_or_default(),
        created_at: profile.created_at,
    })
}
