//! `/session/passkeys` and `/session/passkey`: authenticators that sign in without a password.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::id::PasskeyId;
use domain::passkey::Passkey;
use http::StatusCode;
use lifecycle::sign_in::passkeys::Challenge;
use protocols::rest::page::Page;
use protocols::rest::session as wire;

use super::Verbs;
use super::access::{Fresh, Person, Visitor};
use super::extract::{Body, Named, Parameters, created};
use super::failure::Failure;
use super::listing::Everything;
use super::sessions::{begun, with_cookie};

/// A challenge to sign in with whatever passkey the browser finds
#[utoipa::path(post, path = "/api/v1/session/passkey/challenge", tag = "session",
    responses((status = 200, description = "For `navigator.credentials.get`", body = wire::PasskeyChallenge)))]
pub(crate) async fn challenge_sign_in(
    State(verbs): State<Verbs>,
    _visitor: Visitor,
) -> Result<Json<wire::PasskeyChallenge>, Failure> {
    Ok(Json(render_challenge(verbs.begin_passkey_sign_in().await?)))
}

/// Sign in with a passkey
#[utoipa::path(post, path = "/api/v1/session/passkey", tag = "session",
    request_body = wire::PasskeySignIn,
    responses((status = 200, description = "Signed in", body = wire::CurrentSession)))]
pub(crate) async fn sign_in(
    State(verbs): State<Verbs>,
    visitor: Visitor,
    Body(request): Body<wire::PasskeySignIn>,
) -> Result<Response, Failure> {
    let started = verbs
        .finish_passkey_sign_in(
            &request.ticket,
            request.credential,
            visitor.user_agent.clone(),
            &visitor.caller(),
        )
        .await?;
    let body = begun(&verbs, &started).await?;
    Ok(with_cookie(&verbs, &started, Json(body)))
}

/// One's own passkeys, newest first
#[utoipa::path(get, path = "/api/v1/session/passkeys", tag = "session",
    responses((status = 200, description = "All of them", body = Page<wire::Passkey>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    person: Person,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Passkey>>, Failure> {
    let found = verbs.list_passkeys(&person.signed_in().user.id).await?;
    Ok(Json(Page {
        items: found.iter().map(render).collect(),
        next: None,
    }))
}

/// A challenge to register another passkey
#[utoipa::path(post, path = "/api/v1/session/passkeys/challenge", tag = "session",
    responses((status = 200, description = "For `navigator.credentials.create`", body = wire::PasskeyChallenge)))]
pub(crate) async fn challenge_registration(
    State(verbs): State<Verbs>,
    person: Person,
    _fresh: Fresh,
) -> Result<Json<wire::PasskeyChallenge>, Failure> {
    let challenge = verbs.begin_passkey(&person.signed_in().user).await?;
    Ok(Json(render_challenge(challenge)))
}

/// Register a passkey
#[utoipa::path(post, path = "/api/v1/session/passkeys", tag = "session",
    request_body = wire::RegisterPasskey,
    responses((status = 201, description = "It signs in from now on", body = wire::Passkey)))]
pub(crate) async fn register(
    State(verbs): State<Verbs>,
    person: Person,
    _fresh: Fresh,
    Body(request): Body<wire::RegisterPasskey>,
) -> Result<Response, Failure> {
    let passkey = verbs
        .finish_passkey(
            &person.signed_in().user,
            request.name,
            &request.ticket,
            request.credential,
            &person.caller(),
        )
        .await?;
    let path = format!("/api/v1/session/passkeys/{}", passkey.id);
    Ok(created(path, &render(&passkey)))
}

/// Remove one of one's passkeys
#[utoipa::path(delete, path = "/api/v1/session/passkeys/{id}", tag = "session",
    params(("id" = String, Path, description = "Id of the passkey")),
    responses((status = 204, description = "It opens nothing any more")))]
pub(crate) async fn remove(
    State(verbs): State<Verbs>,
    person: Person,
    _fresh: Fresh,
    Named(id): Named<PasskeyId>,
) -> Result<StatusCode, Failure> {
    let user = &person.signed_in().user;
    match verbs.remove_passkey(user, &id, &person.caller()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Failure::not_found(format!("you have no passkey {id}"))),
    }
}

fn render_challenge(challenge: Challenge) -> wire::PasskeyChallenge {
    wire::PasskeyChallenge {
        ticket: challenge.ticket.expose().to_owned(),
        options: challenge.options,
    }
}

fn render(passkey: &Passkey) -> wire::Passkey {
    wire::Passkey {
        id: passkey.id.to_string(),
        name: passkey.name.clone(),
        created_at: passkey.created_at,
        last_used_at: passkey.last_used_at,
    }
}
