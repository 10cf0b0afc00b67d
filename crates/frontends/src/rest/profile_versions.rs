//! `/profiles/{name}/versions`: what a profile was, and what changed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::permission::Permission;
use domain::profile::{self, Profile};
use protocols::rest::page::{Page, PageQuery};
use protocols::rest::profile as wire;

use super::Verbs;
use super::access::Operator;
use super::extract::{Named, NamedTwo, Parameters};
use super::failure::Failure;
use super::listing::{Everything, Listing};
use super::names::Names;
use super::profiles::{render, unknown};
use super::translate::outward;

/// The versions of a profile, newest first
///
/// Certificates name the version they were issued under. To go back to an old one, put its rules.
#[utoipa::path(get, path = "/api/v1/profiles/{name}/versions", tag = "profiles",
    params(("name" = String, Path, description = "Name of the profile"), PageQuery),
    responses((status = 200, description = "A page of versions", body = Page<wire::Profile>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    listing: Listing<Everything, u32>,
) -> Result<Json<Page<wire::Profile>>, Failure> {
    let current = current(&verbs, &operator, &name).await?;
    let found = verbs
        .profile_versions(&current.id, listing.after, listing.rows())
        .await?;
    let names = Names::load(&verbs).await?;
    let rendered = found.iter().map(|profile| render(&verbs, profile, &names));
    let rendered: Vec<wire::Profile> = rendered.collect::<Result<_, _>>()?;
    Ok(Json(listing.page(
        rendered,
        |profile| profile.version.to_string(),
        |profile| profile,
    )))
}

/// One version of a profile
#[utoipa::path(get, path = "/api/v1/profiles/{name}/versions/{version}", tag = "profiles",
    params(
        ("name" = String, Path, description = "Name of the profile"),
        ("version" = u32, Path, description = "Number of the version, from 1"),
    ),
    responses((status = 200, description = "The profile as it was", body = wire::Profile)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    NamedTwo(name, version): NamedTwo<String, u32>,
) -> Result<Json<wire::Profile>, Failure> {
    let current = current(&verbs, &operator, &name).await?;
    let found = find(&verbs, &current, version).await?;
    Ok(Json(render(&verbs, &found, &Names::load(&verbs).await?)?))
}

/// What a version changed
#[utoipa::path(get, path = "/api/v1/profiles/{name}/versions/{version}/changes", tag = "profiles",
    params(
        ("name" = String, Path, description = "Name of the profile"),
        ("version" = u32, Path, description = "Number of the version, from 1"),
        wire::ChangesQuery,
    ),
    responses((status = 200, description = "Every member that differs", body = wire::Changes)))]
pub(crate) async fn changes(
    State(verbs): State<Verbs>,
    operator: Operator,
    NamedTwo(name, version): NamedTwo<String, u32>,
    Parameters(query): Parameters<wire::ChangesQuery>,
) -> Result<Json<wire::Changes>, Failure> {
    let current = current(&verbs, &operator, &name).await?;
    let after = find(&verbs, &current, version).await?;
    let since = query
        .since
        .unwrap_or_else(|| version.saturating_sub(1).max(1));
    let before = find(&verbs, &current, since).await?;
    let rules = |profile: &Profile| outward::<_, serde_json::Value>(&profile.spec);
    let found = profile::changes(&rules(&before)?, &rules(&after)?);
    Ok(Json(wire::Changes {
        before: since,
        after: version,
        changes: outward(&found)?,
    }))
}

/// The profile of that name, if the operator may see it.
pub(super) async fn current(
    verbs: &Verbs,
    operator: &Operator,
    name: &str,
) -> Result<Arc<Profile>, Failure> {
    let found = verbs.profile(name).await?;
    let profile = found.ok_or_else(|| unknown(name))?;
    operator.require_shared(Permission::PolicyRead, profile.team_id.as_ref(), || {
        unknown(name)
    })?;
    Ok(profile)
}

pub(super) async fn find(
    verbs: &Verbs,
    current: &Profile,
    version: u32,
) -> Result<Arc<Profile>, Failure> {
    let found = verbs.profile_version(&current.id, version).await?;
    found.ok_or_else(|| {
        Failure::not_found(format!(
            "the profile `{}` has no version {version}; its newest is {}",
            current.name, current.version
        ))
    })
}
