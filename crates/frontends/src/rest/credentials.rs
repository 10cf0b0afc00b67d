//! What a request shows to say who sends it: a bearer token (RFC 6750), a client certificate, or the
//! cookie of a session. One of them is looked at, in this order.

use domain::access::Principal;
use domain::session::{Session, SessionSecret};
use domain::user::User;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use lifecycle::Lifecycle;
use lifecycle::client_certificates::CertificateSignInError;

use super::failure::Failure;
use super::{cookies, forgery};
use crate::origin::ClientCertificate;

/// Who sent a request, and what people call them.
pub(crate) struct Authenticated {
    pub(crate) principal: Principal,
    pub(crate) name: String,
    /// Where it is somebody who signed in.
    pub(crate) signed_in: Option<SignedIn>,
}

/// Somebody who signed in, and the session that says so.
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub(crate) user: User,
    pub(crate) session: Session,
    pub(crate) csrf_token: String,
}

/// Who sends a request.
pub(crate) async fn authenticate(
    lifecycle: &Lifecycle,
    parts: &Parts,
) -> Result<Authenticated, Failure> {
    if parts.headers.contains_key(AUTHORIZATION) {
        return by_token(lifecycle, &parts.headers).await;
    }
    if let Some(certificate) = parts.extensions.get::<ClientCertificate>() {
        return by_certificate(lifecycle, certificate).await;
    }
    if let Some(cookie) = cookies::find(&parts.headers, cookies::SESSION) {
        return by_session(lifecycle, cookie, &parts.method, &parts.headers).await;
    }
    Err(challenge(
        "there is no API token; send `Authorization: Bearer <token>`, and make a token with \
         `certwright token create`; people sign in with `POST /api/v1/session`",
        "Bearer realm=\"certwright\"",
    ))
}

async fn by_token(lifecycle: &Lifecycle, headers: &HeaderMap) -> Result<Authenticated, Failure> {
    let presented = headers.get(AUTHORIZATION).and_then(bearer).ok_or_else(|| {
        challenge(
            "the Authorization header is not of the form `Bearer <token>`",
            "Bearer realm=\"certwright\", error=\"invalid_request\"",
        )
    })?;
    // What is wrong with a token is for its owner to know, not for who tries it.
    let token = lifecycle.authenticate(presented).await?.ok_or_else(|| {
        challenge(
            "the API token is unknown, revoked or expired; make another with \
             `certwright token create`",
            "Bearer realm=\"certwright\", error=\"invalid_token\"",
        )
    })?;
    Ok(Authenticated {
        principal: Principal::Token(token.id),
        name: token.name,
        signed_in: None,
    })
}

async fn by_certificate(
    lifecycle: &Lifecycle,
    certificate: &ClientCertificate,
) -> Result<Authenticated, Failure> {
    match lifecycle.authenticate_certificate(&certificate.der).await {
        Ok(token) => Ok(Authenticated {
            principal: Principal::Token(token.id),
            name: token.name,
            signed_in: None,
        }),
        Err(CertificateSignInError::Store(error)) => Err(error.into()),
        Err(CertificateSignInError::Refused(refusal)) => Err(challenge(
            &refusal.to_string(),
            "Bearer realm=\"certwright\"",
        )),
    }
}

async fn by_session(
    lifecycle: &Lifecycle,
    cookie: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Authenticated, Failure> {
    let secret = SessionSecret::from_presented(cookie);
    let Some((session, user)) = lifecycle.authenticate_session(&secret).await? else {
        let failure = challenge(
            "the session has ended; sign in again",
            "Bearer realm=\"certwright\"",
        );
        return Err(failure.with_cookie(cookies::clear(cookies::SESSION)));
    };
    if !forgery::is_safe(method) {
        forgery::check(headers, &lifecycle.settings().public_url, &secret)?;
    }
    Ok(Authenticated {
        principal: Principal::User(user.id.clone()),
        name: user.name.to_string(),
        signed_in: Some(SignedIn {
            user,
            session,
            csrf_token: secret.csrf_token(),
        }),
    })
}

pub(crate) fn challenge(detail: &str, challenge: &'static str) -> Failure {
    Failure::unauthenticated(detail)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// The token of a header; the scheme's case does not matter (RFC 9110 section 11.1).
fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_behind_its_scheme() {
        for (header, token) in [
            ("Bearer cwt_1", Some("cwt_1")),
            ("bearer cwt_1", Some("cwt_1")),
            ("BEARER  cwt_1 ", Some("cwt_1")),
            ("Basic cwt_1", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("cwt_1", None),
        ] {
            let header = HeaderValue::from_static(header);
            assert_eq!(bearer(&header), token, "{header:?}");
        }
    }
}
