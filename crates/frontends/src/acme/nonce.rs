//! Fresh nonces (RFC 8555 section 7.2); the nonce itself is put on by the envelope.

use http::StatusCode;

use super::failure::Failure;
use super::signed::{Signed, Unsigned};

pub(crate) async fn head(_: Unsigned) -> StatusCode {
    StatusCode::OK
}

pub(crate) async fn get(_: Unsigned) -> StatusCode {
    StatusCode::NO_CONTENT
}

pub(crate) async fn post_as_get(_: Signed) -> Result<StatusCode, Failure> {
    Ok(StatusCode::NO_CONTENT)
}
