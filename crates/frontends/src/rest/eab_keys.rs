//! `/acme/eab-keys`: external account binding keys.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::acme::eab::{EabKey, EabUsage};
use domain::id::{EabKeyId, TeamId};
use domain::permission::Permission;
use lifecycle::acme::eab_keys::NewEabKey;
use pki::time::Timestamp;
use protocols::rest::eab_key as wire;
use protocols::rest::metadata::texts;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::Operator;
use super::extract::{Body, Named, Parameters, created};
use super::failure::Failure;
use super::listing::{Everything, Listing};
use super::names::Names;
use super::terms::{read_names, shown_names};

/// External account binding keys, newest first
#[utoipa::path(get, path = "/api/v1/acme/eab-keys", tag = "acme", params(PageQuery),
    responses((status = 200, description = "A page of keys", body = Page<wire::EabKey>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    listing: Listing<Everything, EabKeyId>,
) -> Result<Json<Page<wire::EabKey>>, Failure> {
    let (names, now) = (Names::load(&verbs).await?, verbs.now());
    let found = verbs
        .list_eab_keys(
            operator.visible(Permission::AcmeRead),
            listing.after.clone(),
            listing.rows(),
        )
        .await?;
    Ok(Json(listing.page(
        found,
        |key| key.id.to_string(),
        |key| render(&key, &names, now),
    )))
}

/// One external account binding key
#[utoipa::path(get, path = "/api/v1/acme/eab-keys/{id}", tag = "acme",
    params(("id" = String, Path, description = "Id of the key, which is its `kid`")),
    responses((status = 200, description = "The key, without its secret", body = wire::EabKey)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<EabKeyId>,
) -> Result<Json<wire::EabKey>, Failure> {
    require(&verbs, &operator, Permission::AcmeRead, &id).await?;
    Ok(Json(shown(&verbs, &id).await?))
}

/// Make an external account binding key; its secret is shown this once
#[utoipa::path(post, path = "/api/v1/acme/eab-keys", tag = "acme",
    request_body = wire::CreateEabKey,
    responses((status = 201, description = "The key and its secret", body = wire::CreatedEabKey)))]
pub(crate) async fn create(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::CreateEabKey>,
) -> Result<Response, Failure> {
    let team = verbs
        .choose_team(
            operator.rights(),
            Permission::AcmeWrite,
            request.team.as_deref(),
        )
        .await?;
    let made = verbs
        .create_eab_key(read(request, team)?, &operator.caller())
        .await?;
    let key = render(&made.key, &Names::load(&verbs).await?, verbs.now());
    let path = format!("/api/v1/acme/eab-keys/{}", key.id);
    let hmac = made.hmac.to_string();
    Ok(created(path, &wire::CreatedEabKey { key, hmac }))
}

/// Revoke an external account binding key, and with `cascade` the accounts it bound
#[utoipa::path(post, path = "/api/v1/acme/eab-keys/{id}/revoke", tag = "acme",
    params(("id" = String, Path, description = "Id of the key"), wire::RevokeEabKeyQuery),
    responses((status = 200, description = "Revoked", body = wire::RevokedEabKey)))]
pub(crate) async fn revoke(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<EabKeyId>,
    Parameters(query): Parameters<wire::RevokeEabKeyQuery>,
) -> Result<Json<wire::RevokedEabKey>, Failure> {
    require(&verbs, &operator, Permission::AcmeWrite, &id).await?;
    let ended = verbs
        .revoke_eab_key(&id, query.cascade, &operator.caller())
        .await?;
    Ok(Json(wire::RevokedEabKey {
        accounts_revoked: ended.ok_or_else(|| unknown(&id))?,
        id: id.to_string(),
    }))
}

pub(super) async fn require(
    verbs: &Verbs,
    operator: &Operator,
    needed: Permission,
    id: &EabKeyId,
) -> Result<(), Failure> {
    let key = verbs.eab_key(id).await?.ok_or_else(|| unknown(id))?;
    operator.require(needed, key.team_id.as_ref(), || unknown(id))
}

pub(super) async fn shown(verbs: &Verbs, id: &EabKeyId) -> Result<wire::EabKey, Failure> {
    let key = verbs.eab_key(id).await?.ok_or_else(|| unknown(id))?;
    Ok(render(&key, &Names::load(verbs).await?, verbs.now()))
}

pub(super) fn unknown(id: &EabKeyId) -> Failure {
    Failure::not_found(format!("there is no external account binding key {id}"))
}

fn read(request: wire::CreateEabKey, team: Option<TeamId>) -> Result<NewEabKey, Failure> {
    Ok(NewEabKey {
        name: request.name,
        directory: request.directory,
        team,
        allowed_names: read_names(&request.allowed_names)?,
        usage: match request.usage {
            wire::EabUsage::Single => EabUsage::Single,
            wire::EabUsage::Multi => EabUsage::Multi,
        },
        metadata: texts(request.metadata),
        lifetime: request.lifetime_seconds.map(Duration::from_secs),
    })
}

fn render(key: &EabKey, names: &Names, now: Timestamp) -> wire::EabKey {
    wire::EabKey {
        id: key.id.to_string(),
        name: key.name.clone(),
        status: status(key, now),
        directory: key.directory_id.as_ref().map(|id| names.directory(id)),
        allowed_names: shown_names(&key.allowed_names),
        usage: match key.usage {
            EabUsage::Single => wire::EabUsage::Single,
            EabUsage::Multi => wire::EabUsage::Multi,
        },
        metadata: key.metadata.clone(),
        uses: key.uses,
        team: key.team_id.as_ref().map(|id| names.team(id)),
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
        last_used_at: key.last_used_at,
        created_at: key.created_at,
    }
}

fn status(key: &EabKey, now: Timestamp) -> wire::EabKeyStatus {
    if key.revoked_at.is_some() {
        wire::EabKeyStatus::Revoked
    } else if key.expires_at.is_some_and(|end| now >= end) {
        wire::EabKeyStatus::Expired
    } else if key.usage == EabUsage::Single && key.uses > 0 {
        wire::EabKeyStatus::Used
    } else {
        wire::EabKeyStatus::Usable
    }
}
