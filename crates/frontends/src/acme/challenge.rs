//! The challenge resource (RFC 8555 section 7.5.1).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::acme::challenge::{ChallengeAnswer, ChallengeKind, ChallengeState};
use domain::id::AuthorizationId;
use http::header::{LINK, RETRY_AFTER};
use protocols::acme::challenge::ChallengeResponse;

use super::AcmeState;
use super::authorization::{PROBE_RETRY, respond_failure};
use super::failure::Failure;
use super::render::{self, AuthorizationContext};
use super::signed::ByAccount;

/// Fetch, or say that the response is in place.
pub(crate) async fn respond(
    State(state): State<AcmeState>,
    request: ByAccount,
) -> Result<Response, Failure> {
    let id: AuthorizationId = request.param("id")?;
    let kind: ChallengeKind = request.param("kind")?;
    let authorization = if request.jws.is_post_as_get() {
        state
            .lifecycle
            .authorization(&request.account, &id)
            .await?
            .ok_or_else(|| Failure::not_found("challenge"))?
    } else {
        let response: ChallengeResponse = request.json()?;
        let answer = response.attestation.map(|object| ChallengeAnswer(object.0));
        state
            .lifecycle
            .respond_to_challenge(&request.account, &id, kind, answer)
            .await
            .map_err(respond_failure)?
    };
    let challenge = authorization
        .challenge(kind)
        .ok_or_else(|| Failure::not_found("challenge"))?;
    let context = AuthorizationContext {
        lifecycle: &state.lifecycle,
        directory: &request.directory,
        urls: &request.urls,
        now: state.lifecycle.now(),
    };
    let body = Json(render::challenge(&authorization, challenge, &context)?);
    let up = format!("<{}>;rel=\"up\"", request.urls.authorization(&id));
    let headers = [(LINK, up)];
    Ok(match challenge.state {
        ChallengeState::Processing { .. } => {
            (headers, [(RETRY_AFTER, PROBE_RETRY)], body).into_response()
        }
        ChallengeState::Pending | ChallengeState::Valid { .. } | ChallengeState::Invalid { .. } => {
            (headers, body).into_response()
        }
    })
}
