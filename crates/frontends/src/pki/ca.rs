//! CA certificates: where AIA points to, and the root that people install.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::certificate::Chain;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use lifecycle::Lifecycle;

use super::{Fault, find_issuer};

/// One CA certificate in PEM.
pub(super) async fn pem(
    State(lifecycle): State<Arc<Lifecycle>>,
    Path(issuer): Path<String>,
) -> Result<Response, Fault> {
    let der = certificate(&lifecycle, &issuer).await?;
    Ok(answer(
        "application/x-pem-file",
        Chain::new(vec![der]).to_pem(),
    ))
}

/// One CA certificate in DER (RFC 5280 section 4.2.2.1).
pub(super) async fn der(
    State(lifecycle): State<Arc<Lifecycle>>,
    Path(issuer): Path<String>,
) -> Result<Response, Fault> {
    let der = certificate(&lifecycle, &issuer).await?;
    Ok(answer("application/pkix-cert", der))
}

/// Every trust anchor of this installation.
pub(super) async fn root(State(lifecycle): State<Arc<Lifecycle>>) -> Result<Response, Fault> {
    let anchors = lifecycle.trust_anchors().await?;
    Ok(answer("application/x-pem-file", anchors.to_pem()))
}

async fn certificate(lifecycle: &Lifecycle, issuer: &str) -> Result<Vec<u8>, Fault> {
    let connected = find_issuer(lifecycle, issuer).await?;
    connected
        .connector
        .chain()
        .certificates()
        .first()
        .cloned()
        .ok_or(Fault::NotFound("the issuer has no certificate yet\n"))
}

fn answer(content_type: &'static str, body: impl IntoResponse) -> Response {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "public, max-age=86400"),
    ];
    (headers, body).into_response()
}
