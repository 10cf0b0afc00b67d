//! What becomes of a request, as EST says it.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::policy::Violation;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use lifecycle::Lifecycle;
use pki::cms::CertsOnly;
use protocols::est::{CERTS_ONLY, body};

use super::failure::Failure;

/// The bundle with the certificate of an enrollment that was issued; everything else is an answer without one.
pub(super) async fn bundle(verbs: &Lifecycle, enrollment: &Enrollment) -> Result<Vec<u8>, Failure> {
    if let Some(chain) = verbs.issued_chain(enrollment).await?
        && let Some(leaf) = chain.certificates().first()
    {
        // RFC 7030 section 4.2.3: the certificate alone; what is above it is in `cacerts`.
        let bundle = CertsOnly {
            certificates: &[leaf],
            crls: &[],
        };
        return Ok(bundle.to_der());
    }
    let wait = enrollment.state.retry_after(verbs.now());
    Err(unfinished(&enrollment.state, wait))
}

fn unfinished(state: &EnrollmentState, wait: Duration) -> Failure {
    match state {
        EnrollmentState::AwaitingApproval { .. }
        | EnrollmentState::Approved { .. }
        | EnrollmentState::Signing { .. }
        | EnrollmentState::AwaitingIssuer { .. }
        | EnrollmentState::Issued { .. } => {
            let told = state.told();
            let told = told.as_deref().unwrap_or("it is about to be signed");
            Failure::accepted(format!("{told}; send the same request again"), wait)
        }
        EnrollmentState::Rejected { violations } => {
            let lines: Vec<String> = violations.iter().map(Violation::text).collect();
            Failure::bad_request(lines.join("\n"))
        }
        EnrollmentState::Denied { reason } => {
            Failure::forbidden(format!("the request was denied: {reason}"))
        }
        EnrollmentState::Expired { reason } | EnrollmentState::Cancelled { reason } => {
            Failure::forbidden(format!("the request was given up: {reason}"))
        }
        EnrollmentState::Failed { reason } => Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the CA did not issue it: {reason}; try again with a new CSR"),
        ),
    }
}

/// An answer with certificates.
pub(super) fn certificates(der: &[u8]) -> Response {
    let headers = [(CONTENT_TYPE, CERTS_ONLY), (CACHE_CONTROL, "no-store")];
    (headers, body::encode(der)).into_response()
}
