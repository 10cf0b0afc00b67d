//! Parts of a request, or the problem that says what is wrong with them.

use std::fmt::Display;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use protocols::rest::problem::ProblemKind;
use serde::de::DeserializeOwned;

use super::failure::Failure;

/// A body of JSON.
pub(crate) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            return Err(Failure::new(
                ProblemKind::UnsupportedMediaType,
                "the body must be JSON; send it with `Content-Type: application/json`",
            ));
        }
        let octets = octets(request, state).await?;
        if holds_nul(&octets) {
            return Err(Failure::invalid(
                "the body holds a NUL character; leave it out",
            ));
        }
        serde_json::from_slice(&octets)
            .map(Self)
            .map_err(|error| Failure::invalid(format!("the body does not fit: {error}")))
    }
}

/// The whole body, as far as its size is allowed.
pub(crate) async fn octets<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| {
            let kind = match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => ProblemKind::TooLarge,
                _ => ProblemKind::InvalidRequest,
            };
            Failure::new(
                kind,
                format!("the body cannot be read: {}", rejection.body_text()),
            )
        })
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = text.and_then(|text| text.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
}

/// PostgreSQL has no text with this character in it, and nothing here is named with it.
fn holds_nul(json: &[u8]) -> bool {
    json.windows(6).any(|part| part == b"\\u0000")
}

/// The one parameter of a path, parsed; what does not parse is not there.
pub(crate) struct Named<T>(pub T);

impl<S: Send + Sync, T> FromRequestParts<S> for Named<T>
where
    T: FromStr<Err: Display>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Failure::not_found(rejection.body_text()))?;
        if text.contains('\0') {
            return Err(Failure::not_found("nothing is named with a NUL character"));
        }
        text.parse()
            .map(Self)
            .map_err(|error: T::Err| Failure::not_found(error.to_string()))
    }
}

/// The two parameters of a path, parsed; what does not parse is not there.
pub(crate) struct NamedTwo<A, B>(pub A, pub B);

impl<S: Send + Sync, A, B> FromRequestParts<S> for NamedTwo<A, B>
where
    A: FromStr<Err: Display>,
    B: FromStr<Err: Display>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Failure::not_found(rejection.body_text()))?;
        if first.contains('\0') || second.contains('\0') {
            return Err(Failure::not_found("nothing is named with a NUL character"));
        }
        let absent = |error: &dyn Display| Failure::not_found(error.to_string());
        Ok(Self(
            first.parse().map_err(|error| absent(&error))?,
            second.parse().map_err(|error| absent(&error))?,
        ))
    }
}

/// Query parameters; an unknown one is an error, since a filter that is ignored shows too much.
pub(crate) struct Parameters<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        Query::<T>::try_from_uri(&parts.uri)
            .map(|Query(value)| Self(value))
            .map_err(|rejection| misfit(&rejection.body_text()))
    }
}

/// What is wrong with a query, without the library's own words.
pub(crate) fn misfit(text: &str) -> Failure {
    let told = text.strip_prefix("Failed to deserialize query string: ");
    Failure::invalid(format!("the query does not fit: {}", told.unwrap_or(text)))
}

/// The text of a header, where there is one.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A JSON answer with `201 Created` and where it is found.
pub(crate) fn created<T: serde::Serialize>(path: String, value: &T) -> axum::response::Response {
    let location = [(http::header::LOCATION, path)];
    (StatusCode::CREATED, location, axum::Json(value)).into_response()
}
