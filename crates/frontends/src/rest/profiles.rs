//! `/profiles`: what may be issued.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::profile::Profile;
use http::HeaderMap;
use lifecycle::operator::Expected;
use protocols::rest::page::Page;
use protocols::rest::profile as wire;

use super::Verbs;
use super::access::Operator;
use super::etag;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::translate::{inward, outward};

/// The current version of every profile
#[utoipa::path(get, path = "/api/v1/profiles", tag = "profiles",
    responses((status = 200, description = "The profiles", body = Page<wire::Profile>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Profile>>, Failure> {
    let found = verbs.profiles().await?;
    Ok(Json(Page {
        items: found.iter().map(render).collect::<Result<_, _>>()?,
        next: None,
    }))
}

/// One profile; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/profiles/{name}", tag = "profiles",
    params(("name" = String, Path, description = "Name of the profile")),
    responses((status = 200, description = "The profile", body = wire::Profile,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let found = verbs.profiles().await?;
    let profile = found.into_iter().find(|profile| profile.name == name);
    answer(&profile.ok_or_else(|| Failure::not_found(format!("there is no profile `{name}`")))?)
}

/// Make a profile, or a new version of one
///
/// Certificates and orders keep the version they were made under.
#[utoipa::path(put, path = "/api/v1/profiles/{name}", tag = "profiles",
    params(
        ("name" = String, Path, description = "Name of the profile"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one"),
    ),
    request_body = wire::ProfileRules,
    responses((status = 200, description = "The profile as it is now", body = wire::Profile,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn put(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    headers: HeaderMap,
    Body(rules): Body<wire::ProfileRules>,
) -> Result<impl IntoResponse, Failure> {
    let expected = match etag::expected(&headers)? {
        Expected::Anything => Expected::Anything,
        Expected::Absent => Expected::Absent,
        // Versions begin with 1: a number that is none agrees with nothing that is stored.
        Expected::Version(version) => Expected::Version(u32::try_from(version).unwrap_or(0)),
    };
    let profile = verbs
        .replace_profile(name, inward(&rules)?, expected, &operator.caller())
        .await?;
    answer(&profile)
}

fn answer(profile: &Profile) -> Result<impl IntoResponse + use<>, Failure> {
    Ok((etag::tag(profile.version.into()), Json(render(profile)?)))
}

fn render(profile: &Profile) -> Result<wire::Profile, Failure> {
    Ok(wire::Profile {
        name: profile.name.clone(),
        id: profile.id.to_string(),
        version: profile.version,
        rules: outward(&profile.spec)?,
        created_at: profile.created_at,
    })
}
