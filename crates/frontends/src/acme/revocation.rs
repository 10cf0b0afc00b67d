//! revokeCert (RFC 8555 section 7.6).

use axum::extract::State;
use domain::event::ActorKind;
use http::StatusCode;
use lifecycle::revocation::{RevocationSigner, RevokeError};
use pki::fingerprint::Fingerprint;
use pki::revocation::RevocationReason;
use protocols::acme::problem::{Problem, ProblemType};
use protocols::acme::revocation::Revocation;

use super::AcmeState;
use super::failure::Failure;
use super::signed::{Signed, Signer, read_json};

pub(crate) async fn revoke(
    State(state): State<AcmeState>,
    request: Signed,
) -> Result<StatusCode, Failure> {
    let body: Revocation = read_json(&request.jws)?;
    let reason = read_reason(body.reason)?;
    let (signer, caller) = match &request.signer {
        Signer::Account(account) => (
            RevocationSigner::Account(account),
            request
                .origin
                .caller(ActorKind::AcmeAccount, account.id.as_str()),
        ),
        Signer::Key(key) => (
            RevocationSigner::Key(Fingerprint::of(&key.jwk().to_spki_der()).0),
            request
                .origin
                .caller(ActorKind::Anonymous, &key.thumbprint().to_string()),
        ),
    };
    state
        .lifecycle
        .revoke_der(&body.certificate.0, reason, signer, &caller)
        .await
        .map_err(failure)?;
    Ok(StatusCode::OK)
}

fn read_reason(code: Option<i64>) -> Result<RevocationReason, Failure> {
    let code = code.unwrap_or(0);
    u8::try_from(code)
        .ok()
        .and_then(|code| RevocationReason::try_from(code).ok())
        .ok_or_else(|| {
            Failure::new(
                ProblemType::BadRevocationReason,
                format!("{code} is no revocation reason; see RFC 5280 section 5.3.1"),
            )
        })
}

fn failure(error: RevokeError) -> Failure {
    let text = error.to_string();
    match error {
        RevokeError::Unknown => Problem::malformed(text).with_status(404).into(),
        RevokeError::AlreadyRevoked => Failure::new(ProblemType::AlreadyRevoked, text),
        RevokeError::Unauthorized => Failure::unauthorized(text),
        RevokeError::BadReason(_) => Failure::new(
            ProblemType::BadRevocationReason,
            format!("{text}; use 0, 1, 3, 4 or 5"),
        ),
        RevokeError::Store(error) => error.into(),
    }
}
