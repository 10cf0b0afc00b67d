//! keyChange (RFC 8555 section 7.3.5).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use lifecycle::acme::accounts::KeyChangeError;
use protocols::acme::key_change;
use protocols::acme::problem::Problem;

use super::AcmeState;
use super::failure::Failure;
use super::render;
use super::signed::{ByAccount, account_key};

pub(crate) async fn change(
    State(state): State<AcmeState>,
    request: ByAccount,
) -> Result<Response, Failure> {
    let current = account_key(&state, &request.account)?.thumbprint();
    let new_key = key_change::verify(&request.jws, &current).map_err(|error| error.problem())?;
    let account = state
        .lifecycle
        .change_key(
            &request.directory,
            &request.account.id,
            request.account.thumbprint.clone(),
            new_key.jwk().to_canonical_json(),
            new_key.thumbprint().to_string(),
            &request.caller(),
        )
        .await
        .map_err(|error| failure(error, &request))?;
    let location = request.urls.account(&account.id);
    let body = Json(render::account(&account, &request.urls));
    Ok(([(LOCATION, location)], body).into_response())
}

fn failure(error: KeyChangeError, request: &ByAccount) -> Failure {
    let text = error.to_string();
    match error {
        KeyChangeError::KeyInUse(holder) => {
            Failure::from(Problem::malformed(text).with_status(409))
                .with_location(request.urls.account(&holder))
        }
        KeyChangeError::OldKeyMismatch => Failure::malformed(text),
        KeyChangeError::NotValid => Problem::unauthorized(text).with_status(401).into(),
        KeyChangeError::Store(error) => error.into(),
    }
}
