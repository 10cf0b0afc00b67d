//! Finalize (RFC 8555 section 7.4).

use axum::extract::State;
use axum::response::Response;
use domain::id::OrderId;
use domain::policy::{Fault, Violation};
use lifecycle::acme::finalize::FinalizeError;
use protocols::acme::finalize::Finalize;
use protocols::acme::jwk::Jwk;
use protocols::acme::problem::{Problem, ProblemType};

use super::AcmeState;
use super::failure::{Failure, validation_problem};
use super::signed::ByAccount;
use super::{order, render};

pub(crate) async fn finalize(
    State(state): State<AcmeState>,
    request: ByAccount,
) -> Result<Response, Failure> {
    let id: OrderId = request.param("id")?;
    let body: Finalize = request.json().map_err(|_| {
        Failure::new(
            ProblemType::BadCsr,
            "the payload is {\"csr\": …} with a PKCS#10 request in DER, base64url without padding (not PEM)",
        )
    })?;
    let view = state
        .lifecycle
        .finalize(
            &request.directory,
            &request.account,
            &id,
            &body.csr.0,
            |csr| {
                Jwk::from_spki_der(csr.public_key.spki_der())
                    .ok()
                    .map(|jwk| jwk.thumbprint().to_string())
            },
            &request.caller(),
        )
        .await
        .map_err(failure)?;
    Ok(order::respond(&view, &request.urls))
}

fn failure(error: FinalizeError) -> Failure {
    let text = error.to_string();
    match error {
        FinalizeError::NotFound => Failure::not_found("order"),
        FinalizeError::NotReady => Failure::new(ProblemType::OrderNotReady, text),
        FinalizeError::Csr(_) => Failure::new(ProblemType::BadCsr, text),
        FinalizeError::Rejected(violations) => rejected(&violations),
        FinalizeError::ProofNotAccepted(_) => Failure::unauthorized(text),
        FinalizeError::ProfileChanged => Failure::new(ProblemType::InvalidProfile, text),
        FinalizeError::AccountNotValid => Problem::unauthorized(text).with_status(401).into(),
        FinalizeError::Caa(identifier, cause) => {
            let mut problem = validation_problem(&cause);
            problem.identifier = Some(render::identifier(&identifier));
            Problem::from_subproblems(cause.detail, vec![problem]).into()
        }
        FinalizeError::Unavailable(_) => Failure::from(Problem::server_internal().with_status(503))
            .retry_after(std::time::Duration::from_secs(30)),
        FinalizeError::Store(error) => error.into(),
    }
}

/// Every violation, so that one round is enough to mend them all.
fn rejected(violations: &[Violation]) -> Failure {
    let texts: Vec<String> = violations.iter().map(Violation::text).collect();
    let has = |fault| violations.iter().any(|violation| violation.fault == fault);
    let kind = if has(Fault::Csr) || has(Fault::Key) || has(Fault::Subject) {
        ProblemType::BadCsr
    } else if has(Fault::Identifier) {
        ProblemType::RejectedIdentifier
    } else if has(Fault::Request) {
        // By RFC 8555 section 6.7 the server will not issue for these identifiers, so asked for.
        ProblemType::RejectedIdentifier
    } else {
        // The order's dates, which can no longer be honoured.
        ProblemType::Malformed
    };
    Failure::new(kind, texts.join("; "))
}
