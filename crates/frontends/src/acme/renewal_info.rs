//! renewalInfo (RFC 9773 section 4.2): unsigned, for anyone who has the certificate.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, RETRY_AFTER};
use pki::ari::CertId;
use protocols::acme::renewal_info::{RenewalInfo, Window};

use super::AcmeState;
use super::failure::Failure;
use super::signed::Unsigned;

pub(crate) async fn show(
    State(state): State<AcmeState>,
    request: Unsigned,
) -> Result<Response, Failure> {
    let cert_id: CertId = request.param("id").ok_or_else(|| {
        Failure::malformed(
            "the certificate is named by its authority key identifier and serial, base64url, with a dot between",
        )
    })?;
    let window = state
        .lifecycle
        .renewal_window(&cert_id)
        .await?
        .ok_or_else(|| Failure::not_found("certificate"))?;
    let suggested_window =
        Window::new(window.start, window.end).map_err(|error| Failure::internal(&error))?;
    let body = Json(RenewalInfo {
        suggested_window,
        explanation_url: None,
    });
    let headers = [
        (RETRY_AFTER, RETRY),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    Ok((headers, body).into_response())
}

/// Six hours (RFC 9773 section 4.3.2).
const RETRY: &str = "21600";
