//! CRLs (RFC 5280 section 5), with what proxies need to keep them (RFC 9111).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, StatusCode};
use lifecycle::Lifecycle;

use super::{Fault, find_issuer};

pub(super) async fn show(
    State(lifecycle): State<Arc<Lifecycle>>,
    Path(issuer): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let connected = find_issuer(&lifecycle, &issuer).await?;
    let crl = lifecycle
        .latest_crl(&connected.issuer.id)
        .await?
        .ok_or(Fault::NotFound("the issuer has not published a CRL yet\n"))?;
    let tag = format!("\"{}\"", crl.number);
    let now = lifecycle.now();
    // Short enough that a new revocation spreads, never beyond the CRL's own end.
    let max_age = crl.next_update.since(now).as_secs().min(MAX_AGE);
    let validators = [
        (ETAG, tag.clone()),
        (CACHE_CONTROL, format!("public, max-age={max_age}")),
        (LAST_MODIFIED, http_date(crl.this_update)),
        (EXPIRES, http_date(crl.next_update)),
    ];
    let is_known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag));
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, validators).into_response());
    }
    let content_type = [(CONTENT_TYPE, "application/pkix-crl")];
    Ok((validators, content_type, crl.der.clone()).into_response())
}

/// RFC 9110 section 5.6.7.
pub(super) fn http_date(at: pki::time::Timestamp) -> String {
    let seconds = u64::try_from(at.seconds()).unwrap_or(0);
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}

const MAX_AGE: u64 = 300;
