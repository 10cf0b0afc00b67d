//! `/tokens`: who may use this API as a program.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::access::HeldRole;
use domain::id::TokenId;
use domain::token::ApiToken;
use http::StatusCode;
use lifecycle::access::grants::NewGrant;
use lifecycle::access::{AccessError, NewToken};
use pki::time::Timestamp;
use protocols::rest::page::{Page, PageQuery};
use protocols::rest::token as wire;

use super::Verbs;
use super::access::{Fresh, Operator};
use super::extract::{Body, Named, created};
use super::failure::Failure;
use super::grants::held;
use super::listing::{Everything, Listing};
use super::names::Names;

/// API tokens that hold a role where the caller sees it, newest first
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", params(PageQuery),
    responses((status = 200, description = "A page of tokens", body = Page<wire::Token>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    listing: Listing<Everything, TokenId>,
) -> Result<Json<Page<wire::Token>>, Failure> {
    let (names, now) = (Names::load(&verbs).await?, verbs.now());
    let found = verbs
        .list_tokens(operator.rights(), listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |(token, _)| token.id.to_string(),
        |(token, roles)| render(&token, &roles, &names, now),
    )))
}

/// Make an API token; its secret is shown this once
///
/// It may do no more than whoever makes it: a role takes every permission that it has, in the
/// same team or everywhere. A token that is made by a token ends no later.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens",
    request_body = wire::CreateToken,
    responses((status = 201, description = "The token and its secret", body = wire::CreatedToken)))]
pub(crate) async fn create(
    State(verbs): State<Verbs>,
    operator: Operator,
    _fresh: Fresh,
    Body(request): Body<wire::CreateToken>,
) -> Result<Response, Failure> {
    let wanted = NewToken {
        name: request.name,
        grant: NewGrant {
            role: request.role,
            team: request.team,
        },
        lifetime: request.lifetime_seconds.map(Duration::from_secs),
    };
    let made = verbs.create_token_with(wanted, &operator.caller()).await?;
    let names = Names::load(&verbs).await?;
    let token = render(&made.token, &made.roles, &names, verbs.now());
    let secret = made.secret.expose().to_owned();
    let path = format!("/api/v1/tokens/{}", token.id);
    Ok(created(path, &wire::CreatedToken { token, secret }))
}

/// Revoke an API token, for good
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens",
    params(("id" = String, Path, description = "Id of the token")),
    responses(
        (status = 204, description = "It opens nothing any more"),
        (status = 409, description = "It is the last administrator", body = protocols::rest::problem::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn revoke(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<TokenId>,
) -> Result<StatusCode, Failure> {
    let revoked = verbs.revoke_token(&id, &operator.caller()).await;
    revoked.map_err(|error| match error {
        AccessError::Unknown => {
            Failure::not_found(format!("there is no token {id} that could be revoked"))
        }
        error => error.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}

fn render(token: &ApiToken, roles: &[HeldRole], names: &Names, now: Timestamp) -> wire::Token {
    wire::Token {
        id: token.id.to_string(),
        name: token.name.clone(),
        roles: held(roles, names),
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
        created_by: token.created_by.as_ref().map(ToString::to_string),
    }
}
