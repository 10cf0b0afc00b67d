//! `/blocked-keys`: keys that are never certified again, whoever asks.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use lifecycle::BlockedKey;
use lifecycle::revocation::blocked_keys::{BlockKeyError, KeyName};
use pki::fingerprint::Fingerprint;
use protocols::rest::blocked_key as wire;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::{Fresh, Operator};
use super::extract::{Body, Named};
use super::failure::Failure;
use super::listing::{Everything, Listing};

/// Keys that are never certified again, by their hashes
#[utoipa::path(get, path = "/api/v1/blocked-keys", tag = "certificates",
    params(PageQuery),
    responses((status = 200, description = "A page of keys", body = Page<wire::BlockedKey>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    listing: Listing<Everything, Fingerprint>,
) -> Result<Json<Page<wire::BlockedKey>>, Failure> {
    let found = verbs.blocked_keys(listing.after, listing.rows()).await?;
    Ok(Json(listing.page(
        found,
        |key| Fingerprint(key.spki_sha256).to_string(),
        render,
    )))
}

/// When and why a key was blocked
#[utoipa::path(get, path = "/api/v1/blocked-keys/{spki_sha256}", tag = "certificates",
    params(("spki_sha256" = String, Path, description = "SHA-256 of its SubjectPublicKeyInfo, hex")),
    responses((status = 200, description = "The key", body = wire::BlockedKey)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(key): Named<Fingerprint>,
) -> Result<Json<wire::BlockedKey>, Failure> {
    let found = verbs.blocked_key(key).await?;
    let unknown = || Failure::not_found(format!("the key {key} is not blocked"));
    Ok(Json(render(found.ok_or_else(unknown)?)))
}

/// Block keys: nothing is issued for them any more
///
/// Certificates that have them stay as they are; revoke those beside it. A key that was blocked before
/// keeps its first reason.
#[utoipa::path(post, path = "/api/v1/blocked-keys", tag = "certificates",
    request_body = wire::BlockKeys,
    responses((status = 200, description = "How each of them stands", body = wire::BlockedKeys)))]
pub(crate) async fn block(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::BlockKeys>,
) -> Result<Json<wire::BlockedKeys>, Failure> {
    let keys: Result<Vec<KeyName>, _> = request.keys.iter().map(|key| key.parse()).collect();
    let keys = keys.map_err(|error| Failure::invalid(format!("`keys`: {error}")))?;
    let blocked = verbs
        .block_keys(keys, request.reason, &operator.caller())
        .await?;
    Ok(Json(wire::BlockedKeys {
        items: blocked.into_iter().map(render).collect(),
    }))
}

/// Let a key be certified again
#[utoipa::path(delete, path = "/api/v1/blocked-keys/{spki_sha256}", tag = "certificates",
    params(("spki_sha256" = String, Path, description = "SHA-256 of its SubjectPublicKeyInfo, hex")),
    responses((status = 204, description = "It is not blocked any more")))]
pub(crate) async fn unblock(
    State(verbs): State<Verbs>,
    operator: Operator,
    _fresh: Fresh,
    Named(key): Named<Fingerprint>,
) -> Result<StatusCode, Failure> {
    verbs.unblock_key(key, &operator.caller()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn render(key: BlockedKey) -> wire::BlockedKey {
    wire::BlockedKey {
        spki_sha256: Fingerprint(key.spki_sha256).to_string(),
        reason: key.reason,
        blocked_at: key.blocked_at,
    }
}

impl From<BlockKeyError> for Failure {
    fn from(error: BlockKeyError) -> Self {
        match error {
            BlockKeyError::Store(error) => error.into(),
            BlockKeyError::NotBlocked(_) => Self::not_found(error.to_string()),
            BlockKeyError::NoReason
            | BlockKeyError::LongReason
            | BlockKeyError::Count
            | BlockKeyError::NoSuchCertificate(_) => Self::invalid(error.to_string()),
        }
    }
}
