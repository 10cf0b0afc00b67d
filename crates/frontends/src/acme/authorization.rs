//! newAuthz and the authorization resource (RFC 8555 sections 7.4.1, 7.5).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::acme::authorization::Authorization;
use domain::id::AuthorizationId;
use domain::identifier::IdentifierError;
use http::StatusCode;
use http::header::{LOCATION, RETRY_AFTER};
use lifecycle::acme::authorizations::{DeactivateError, NewAuthorizationError};
use lifecycle::acme::challenges::RespondError;
use protocols::acme::account::RequestedStatus;
use protocols::acme::authorization::{AuthorizationUpdate, NewAuthorization};
use protocols::acme::problem::{Problem, ProblemType};

use super::AcmeState;
use super::failure::Failure;
use super::render::{self, AuthorizationContext};
use super::signed::ByAccount;

pub(crate) async fn create(
    State(state): State<AcmeState>,
    request: ByAccount,
) -> Result<Response, Failure> {
    if !request.directory.spec.pre_authorization {
        return Err(Failure::unauthorized(
            "this directory offers no authorizations ahead of an order; begin with newOrder",
        ));
    }
    let body: NewAuthorization = request.json()?;
    let authorization = state
        .lifecycle
        .new_authorization(
            &request.directory,
            &request.account,
            body.identifier.kind.as_str(),
            &body.identifier.value,
        )
        .await
        .map_err(new_failure)?;
    let body = render(&state, &request, &authorization)?;
    Ok((StatusCode::CREATED, body).into_response())
}

/// Fetch, or deactivate.
pub(crate) async fn update(
    State(state): State<AcmeState>,
    request: ByAccount,
) -> Result<Response, Failure> {
    let id: AuthorizationId = request.param("id")?;
    let authorization = if request.jws.is_post_as_get() {
        state
            .lifecycle
            .authorization(&request.account, &id)
            .await?
            .ok_or_else(|| Failure::not_found("authorization"))?
    } else {
        let update: AuthorizationUpdate = request.json()?;
        if update.status != RequestedStatus::Deactivated {
            return Err(Failure::malformed(
                "the status of an authorization can only be set to `deactivated`",
            ));
        }
        state
            .lifecycle
            .deactivate_authorization(&request.account, &id, &request.caller())
            .await
            .map_err(deactivate_failure)?
    };
    render(&state, &request, &authorization)
}

fn render(
    state: &AcmeState,
    request: &ByAccount,
    authorization: &Authorization,
) -> Result<Response, Failure> {
    let context = AuthorizationContext {
        lifecycle: &state.lifecycle,
        directory: &request.directory,
        urls: &request.urls,
        now: state.lifecycle.now(),
    };
    let body = Json(render::authorization(authorization, &context)?);
    let location = [(LOCATION, request.urls.authorization(&authorization.id))];
    let is_probed = authorization.challenges.iter().any(|c| {
        matches!(
            c.state,
            domain::acme::challenge::ChallengeState::Processing { .. }
        )
    });
    Ok(match is_probed {
        true => (location, [(RETRY_AFTER, PROBE_RETRY)], body).into_response(),
        false => (location, body).into_response(),
    })
}

fn new_failure(error: NewAuthorizationError) -> Failure {
    let text = error.to_string();
    match error {
        NewAuthorizationError::Identifier(
            IdentifierError::UnsupportedType { .. }
            | IdentifierError::UnknownType { .. }
            | IdentifierError::UnsupportedName(_),
        ) => Failure::new(ProblemType::UnsupportedIdentifier, text),
        NewAuthorizationError::Identifier(
            IdentifierError::BadDnsName { .. }
            | IdentifierError::BadIpAddress { .. }
            | IdentifierError::BadMailbox { .. }
            | IdentifierError::BadUri { .. }
            | IdentifierError::BadDevice { .. },
        )
        | NewAuthorizationError::Wildcard => Failure::malformed(text),
        NewAuthorizationError::AccountNotValid => {
            Problem::unauthorized(text).with_status(401).into()
        }
        NewAuthorizationError::RateLimited(limited) => limited.into(),
        NewAuthorizationError::Policy(_)
        | NewAuthorizationError::NoChallenge(_)
        | NewAuthorizationError::NoProfile => Problem::new(ProblemType::RejectedIdentifier, text)
            .with_status(403)
            .into(),
        NewAuthorizationError::Store(error) => error.into(),
    }
}

pub(crate) fn respond_failure(error: RespondError) -> Failure {
    let text = error.to_string();
    match error {
        RespondError::NotFound => Failure::not_found("challenge or authorization"),
        RespondError::Transition(_) | RespondError::NoAttestation => Failure::malformed(text),
        RespondError::RateLimited(limited) => limited.into(),
        RespondError::NoDirectory | RespondError::Unfinished => {
            tracing::error!(error = text, "a response to a challenge came to nothing");
            Problem::server_internal().into()
        }
        RespondError::Store(error) => error.into(),
    }
}

fn deactivate_failure(error: DeactivateError) -> Failure {
    let text = error.to_string();
    match error {
        DeactivateError::NotFound => Failure::not_found("authorization"),
        DeactivateError::Transition(_) => Failure::malformed(text),
        DeactivateError::Store(error) => error.into(),
    }
}

/// Seconds until a look at an authorization being probed is worth it.
pub(crate) const PROBE_RETRY: &str = "1";
