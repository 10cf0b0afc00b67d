//! `/session/sign-on`: away to an OpenID Connect provider, and back.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use lifecycle::sign_on::Return;
use protocols::rest::page::Page;
use protocols::rest::session as wire;
use secrecy::SecretString;

use super::access::Visitor;
use super::extract::{Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::sessions::with_cookie;
use super::{Verbs, cookies};

/// Longer than a browser is waited for.
const COOKIE_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The sign-on providers there are: what a sign-in page shows
#[utoipa::path(get, path = "/api/v1/session/sign-on", tag = "session",
    responses((status = 200, description = "All that are in use", body = Page<wire::SignOnChoice>)))]
pub(crate) async fn choices(
    State(verbs): State<Verbs>,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::SignOnChoice>>, Failure> {
    let providers = verbs.list_providers().await?;
    let shown = providers
        .into_iter()
        .filter(|provider| provider.spec.enabled);
    Ok(Json(Page {
        items: shown
            .map(|provider| wire::SignOnChoice {
                url: format!("/api/v1/session/sign-on/{}", provider.name),
                name: provider.name,
                title: provider.spec.title,
            })
            .collect(),
        next: None,
    }))
}

/// Send the browser to a provider
#[utoipa::path(get, path = "/api/v1/session/sign-on/{name}", tag = "session",
    params(("name" = String, Path, description = "Name of the provider"), wire::DepartQuery),
    responses((status = 303, description = "To the provider's sign-in page")))]
pub(crate) async fn depart(
    State(verbs): State<Verbs>,
    Named(name): Named<String>,
    Parameters(query): Parameters<wire::DepartQuery>,
) -> Result<Response, Failure> {
    let return_to = query.return_to.unwrap_or_default();
    let departure = verbs.depart(&name, &return_to).await?;
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, departure.url)]).into_response();
    let secret = departure.browser.expose();
    if let Some(cookie) = cookies::set(cookies::SIGN_ON, secret, COOKIE_LIFETIME) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Where a provider sends the browser back to
#[utoipa::path(get, path = "/api/v1/session/sign-on/callback", tag = "session",
    params(wire::CallbackQuery),
    responses((status = 303, description = "Signed in, and on to where the browser was going")))]
pub(crate) async fn arrive(
    State(verbs): State<Verbs>,
    visitor: Visitor,
    headers: HeaderMap,
    Parameters(query): Parameters<wire::CallbackQuery>,
) -> Result<Response, Failure> {
    if let Some(error) = query.error {
        let text = query.error_description.unwrap_or(error);
        let shown: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(Failure::forbidden(format!(
            "the sign-on provider did not sign you in: {shown}"
        )));
    }
    let (Some(state), Some(code)) = (query.state, query.code) else {
        return Err(Failure::invalid(
            "`state` or `code` is missing; begin at /api/v1/session/sign-on",
        ));
    };
    let back = Return {
        state,
        code: SecretString::from(code),
        issuer: query.iss,
        browser: cookies::find(&headers, cookies::SIGN_ON).map(str::to_owned),
        user_agent: visitor.user_agent.clone(),
    };
    let arrived = verbs.arrive(back, &visitor.caller()).await?;
    let onward = (StatusCode::SEE_OTHER, [(LOCATION, arrived.return_to)]);
    let mut response = with_cookie(&verbs, &arrived.started, onward);
    if let Some(cookie) = cookies::clear(cookies::SIGN_ON) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}
