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

use super::Verbs;
use super::access::Operator;
use super::etag;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::names::Names;
use super::translate::{inward, outward};

/// The current version of every profile
#[utoipa::path(get, path = "/api/v1/profiles", tag = "profiles",
    responses((status = 200, description = "The profiles", body = Page<wire::Profile>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Profile>>, Failure> {
    let visible = operator.visible(Permission::PolicyRead);
    let (found, names) = (verbs.profiles().await?, Names::load(&verbs).await?);
    let seen = found
        .iter()
        .filter(|profile| visible.shows_shared(profile.team_id.as_ref()));
    Ok(Json(Page {
        items: seen
            .map(|profile| render(profile, &names))
            .collect::<Result<_, _>>()?,
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
    operator: Operator,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let profile = find(&verbs, &name).await?;
    operator.require_shared(Permission::PolicyRead, profile.team_id.as_ref(), || {
        unknown(&name)
    })?;
    answer(&verbs, &profile).await
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
    let team = match verbs.profile(&name).await? {
        Some(profile) => {
            let owner = profile.team_id.as_ref();
            operator.require_shared(Permission::PolicyWrite, owner, || unknown(&name))?;
            None
        }
        None => {
            let wanted = query.team.as_deref();
            verbs
                .choose_team(operator.rights(), Permission::PolicyWrite, wanted)
                .await?
        }
    };
    let profile = verbs
        .replace_profile(name, inward(&rules)?, team, expected, &operator.caller())
        .await?;
    answer(&verbs, &profile).await
}

async fn find(verbs: &Verbs, name: &str) -> Result<Profile, Failure> {
    let found = verbs.profiles().await?;
    let profile = found.into_iter().find(|profile| profile.name == name);
    profile.ok_or_else(|| unknown(name))
}

pub(super) async fn shown(verbs: &Verbs, name: &str) -> Result<impl IntoResponse + use<>, Failure> {
    answer(verbs, &find(verbs, name).await?).await
}

pub(super) fn unknown(name: &str) -> Failure {
    Failure::not_found(format!("there is no profile `{name}`"))
}

async fn answer(verbs: &Verbs, profile: &Profile) -> Result<impl IntoResponse + use<>, Failure> {
    let names = Names::load(verbs).await?;
    let tag = etag::tag(profile.version.into());
    Ok((tag, Json(render(profile, &names)?)))
}

pub(super) fn render(profile: &Profile, names: &Names) -> Result<wire::Profile, Failure> {
    Ok(wire::Profile {
        name: profile.name.clone(),
        id: profile.id.to_string(),
        version: profile.version,
        rules: outward(&profile.spec)?,
        team: profile.team_id.as_ref().map(|id| names.team(id)),
        created_at: profile.created_at,
    })
}
