//! `/tokens`: who may use this API. For administrators only.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::id::TokenId;
use domain::role::Role;
use domain::token::ApiToken;
use http::StatusCode;
use pki::time::Timestamp;
use protocols::rest::page::{Page, PageQuery};
use protocols::rest::token as wire;

use super::Verbs;
use super::access::Operator;
use super::extract::{Body, Named, created};
use super::failure::Failure;
use super::listing::{Everything, Listing};

/// API tokens, newest first
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", params(PageQuery),
    responses((status = 200, description = "A page of tokens", body = Page<wire::Token>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    listing: Listing<Everything, TokenId>,
) -> Result<Json<Page<wire::Token>>, Failure> {
    let now = verbs.now();
    let found = verbs
        .list_tokens(listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |token| token.id.to_string(),
        |token| render(&token, now),
    )))
}

/// Make an API token; its secret is shown this once
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens",
    request_body = wire::CreateToken,
    responses((status = 201, description = "The token and its secret", body = wire::CreatedToken)))]
pub(crate) async fn create(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::CreateToken>,
) -> Result<Response, Failure> {
    if request.name.trim().is_empty() {
        return Err(Failure::invalid(
            "`name` is empty; say who or what the token is for",
        ));
    }
    let lifetime = request.lifetime_seconds.map(Duration::from_secs);
    let made = verbs
        .create_token(
            request.name,
            read_role(request.role),
            lifetime,
            &operator.caller(),
        )
        .await?;
    let token = render(&made.token, verbs.now());
    let secret = made.secret.expose().to_owned();
    let path = format!("/api/v1/tokens/{}", token.id);
    Ok(created(path, &wire::CreatedToken { token, secret }))
}

/// Revoke an API token, for good
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens",
    params(("id" = String, Path, description = "Id of the token")),
    responses((status = 204, description = "It opens nothing any more")))]
pub(crate) async fn revoke(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<TokenId>,
) -> Result<StatusCode, Failure> {
    match verbs.revoke_token(&id, &operator.caller()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Failure::not_found(format!(
            "there is no token {id} that could be revoked"
        ))),
    }
}

fn read_role(role: wire::Role) -> Role {
    match role {
        wire::Role::Administrator => Role::Administrator,
        wire::Role::CaOperator => Role::CaOperator,
        wire::Role::PolicyAuthor => Role::PolicyAuthor,
        wire::Role::Approver => Role::Approver,
        wire::Role::Requester => Role::Requester,
        wire::Role::Auditor => Role::Auditor,
    }
}

fn render(token: &ApiToken, now: Timestamp) -> wire::Token {
    wire::Token {
        id: token.id.to_string(),
        name: token.name.clone(),
        role: match token.role {
            Role::Administrator => wire::Role::Administrator,
            Role::CaOperator => wire::Role::CaOperator,
            Role::PolicyAuthor => wire::Role::PolicyAuthor,
            Role::Approver => wire::Role::Approver,
            Role::Requester => wire::Role::Requester,
            Role::Auditor => wire::Role::Auditor,
        },
        status: if token.revoked_at.is_some() {
            wire::TokenStatus::Revoked
        } else if token.is_usable(now) {
            wire::TokenStatus::Usable
        } else {
            wire::TokenStatus::Expired
        },
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
        revoked_at: token.revoked_at,
        created_at: token.created_at,
    }
}
