//! `/session` and `/sessions`: signing in with a password, and what is open in one's name.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::id::SessionId;
use domain::session::{Session, SignInMethod};
use http::StatusCode;
use http::header::SET_COOKIE;
use lifecycle::Lifecycle;
use lifecycle::sign_in::{Login, Started};
use protocols::rest::page::{Page, PageQuery};
use protocols::rest::session as wire;
use secrecy::SecretString;

use super::access::{Person, Visitor};
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::{Everything, Listing};
use super::{Verbs, cookies};

/// Sign in with a password, and a code where the user has an authenticator
///
/// Sets the cookie of the session. Without a code where one is needed the answer is a problem of the
/// kind `second-factor-needed`; then send the same again with `code`.
#[utoipa::path(post, path = "/api/v1/session", tag = "session",
    request_body = wire::SignIn,
    responses((status = 200, description = "Signed in", body = wire::CurrentSession)))]
pub(crate) async fn sign_in(
    State(verbs): State<Verbs>,
    visitor: Visitor,
    Body(request): Body<wire::SignIn>,
) -> Result<Response, Failure> {
    let login = Login {
        name: request.name,
        password: SecretString::from(request.password),
        code: request.code.map(SecretString::from),
        user_agent: visitor.user_agent.clone(),
    };
    let started = verbs.sign_in(login, &visitor.caller()).await?;
    let body = begun(&verbs, &started).await?;
    Ok(with_cookie(&verbs, &started, Json(body)))
}

/// Who is signed in, and the token that changes have to carry
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, description = "The session", body = wire::CurrentSession)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    person: Person,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<wire::CurrentSession>, Failure> {
    let signed_in = person.signed_in();
    let factors = verbs.factors(&signed_in.user.id).await?;
    Ok(Json(wire::CurrentSession {
        session: render(&verbs, &signed_in.session, &signed_in.session.id),
        user: signed_in.user.id.to_string(),
        name: signed_in.user.name.to_string(),
        display_name: signed_in.user.display_name.clone(),
        csrf_token: signed_in.csrf_token.clone(),
        factors: render_factors(factors),
    }))
}

/// Sign out: the session ends at once
#[utoipa::path(delete, path = "/api/v1/session", tag = "session",
    responses((status = 204, description = "The cookie opens nothing any more")))]
pub(crate) async fn sign_out(
    State(verbs): State<Verbs>,
    person: Person,
) -> Result<Response, Failure> {
    let signed_in = person.signed_in();
    verbs
        .end_session(&signed_in.user.id, &signed_in.session.id, &person.caller())
        .await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookies::clear(cookies::SESSION) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// One's own sessions, newest first
#[utoipa::path(get, path = "/api/v1/sessions", tag = "session", params(PageQuery),
    responses((status = 200, description = "A page of sessions", body = Page<wire::Session>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    person: Person,
    listing: Listing<Everything, SessionId>,
) -> Result<Json<Page<wire::Session>>, Failure> {
    let signed_in = person.signed_in();
    let found = verbs
        .list_sessions(&signed_in.user.id, listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |session| session.id.to_string(),
        |session| render(&verbs, &session, &signed_in.session.id),
    )))
}

/// End one of one's own sessions
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "session",
    params(("id" = String, Path, description = "Id of the session")),
    responses((status = 204, description = "It opens nothing any more")))]
pub(crate) async fn end(
    State(verbs): State<Verbs>,
    person: Person,
    Named(id): Named<SessionId>,
) -> Result<StatusCode, Failure> {
    let user = &person.signed_in().user.id;
    match verbs.end_session(user, &id, &person.caller()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Failure::not_found(format!("you have no session {id}"))),
    }
}

/// End all of one's own sessions but this one
#[utoipa::path(delete, path = "/api/v1/sessions", tag = "session",
    responses((status = 204, description = "None but this one opens anything any more")))]
pub(crate) async fn end_others(
    State(verbs): State<Verbs>,
    person: Person,
) -> Result<StatusCode, Failure> {
    let session = &person.signed_in().session;
    verbs.end_other_sessions(session, &person.caller()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A session that was just begun, with all that its browser needs to know.
pub(crate) async fn begun(
    verbs: &Lifecycle,
    started: &Started,
) -> Result<wire::CurrentSession, Failure> {
    let factors = verbs.factors(&started.user.id).await?;
    Ok(wire::CurrentSession {
        session: render(verbs, &started.session, &started.session.id),
        user: started.user.id.to_string(),
        name: started.user.name.to_string(),
        display_name: started.user.display_name.clone(),
        csrf_token: started.secret.csrf_token(),
        factors: render_factors(factors),
    })
}

/// An answer that leaves the session with the browser.
pub(crate) fn with_cookie(
    verbs: &Lifecycle,
    started: &Started,
    answer: impl IntoResponse,
) -> Response {
    let lifetime = verbs.settings().sign_in.sessions.absolute;
    let cookie = cookies::set(cookies::SESSION, started.secret.expose(), lifetime);
    let mut response = answer.into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn render_factors(factors: lifecycle::sign_in::authenticator::Factors) -> wire::Factors {
    wire::Factors {
        password: factors.password,
        authenticator: factors.authenticator,
        recovery_codes: factors.recovery_codes,
        passkeys: factors.passkeys,
    }
}

fn render(verbs: &Lifecycle, session: &Session, current: &SessionId) -> wire::Session {
    wire::Session {
        id: session.id.to_string(),
        method: match session.method {
            SignInMethod::Password => wire::SignInMethod::Password,
            SignInMethod::PasswordAndCode => wire::SignInMethod::PasswordAndCode,
            SignInMethod::RecoveryCode => wire::SignInMethod::RecoveryCode,
            SignInMethod::Passkey => wire::SignInMethod::Passkey,
            SignInMethod::SignOn => wire::SignInMethod::SignOn,
            SignInMethod::SetupLink => wire::SignInMethod::SetupLink,
        },
        address: session.address.clone(),
        user_agent: session.user_agent.clone(),
        is_current: session.id == *current,
        created_at: session.created_at,
        authenticated_at: session.authenticated_at,
        last_used_at: session.last_used_at,
        ends_at: session.ends_at(&verbs.settings().sign_in.sessions),
    }
}
