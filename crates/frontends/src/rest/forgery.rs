//! Against requests that another site makes a browser send (cross-site request forgery).
//!
//! Browsers say where a request comes from (Fetch Metadata, or `Origin`), and pages of ours add a token
//! that others cannot know. A change in the name of a session takes both.

use domain::session::SessionSecret;
use http::header::ORIGIN;
use http::{HeaderMap, Method};

use super::extract::header;
use super::failure::Failure;

/// The header with the page's token.
pub(crate) const TOKEN_HEADER: &str = "x-csrf-token";

/// Whether a method is for looking only (RFC 9110 section 9.2.1).
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Refuses what a page of another site sends. Programs send neither header.
pub(crate) fn check_site(headers: &HeaderMap, public_url: &str) -> Result<(), Failure> {
    let is_ours = match (header(headers, "sec-fetch-site"), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin.as_bytes() == public_url.as_bytes(),
        (None, None) => true,
    };
    match is_ours {
        true => Ok(()),
        false => Err(Failure::forbidden(
            "the request was sent by a page of another site; only pages of this server may change \
             anything in the name of who is signed in",
        )),
    }
}

/// Refuses a change in the name of a session that does not come from a page of ours.
pub(crate) fn check(
    headers: &HeaderMap,
    public_url: &str,
    secret: &SessionSecret,
) -> Result<(), Failure> {
    check_site(headers, public_url)?;
    match header(headers, TOKEN_HEADER) {
        Some(token) if secret.is_csrf_token(token) => Ok(()),
        Some(_) | None => Err(Failure::forbidden(
            "the header `X-CSRF-Token` is missing or wrong; `GET /api/v1/session` gives its value as \
             `csrf_token`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    const URL: &str = "https://ca.example:8443";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        pairs.collect()
    }

    #[test]
    fn only_our_own_pages_and_programs_may_change_anything() {
        for (sent, allowed) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", URL)], true),
            (&[("origin", "https://ca.example")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "null")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", URL)], false),
        ] {
            assert_eq!(check_site(&headers(sent), URL).is_ok(), allowed, "{sent:?}");
        }
    }

    #[test]
    fn a_change_takes_the_sessions_own_token() {
        let secret = SessionSecret::from_presented("cws_one");
        let other = SessionSecret::from_presented("cws_other").csrf_token();
        let mut sent = headers(&[("sec-fetch-site", "same-origin")]);
        assert!(check(&sent, URL, &secret).is_err());
        let name = HeaderName::from_static(TOKEN_HEADER);
        sent.insert(name.clone(), other.parse().unwrap());
        assert!(check(&sent, URL, &secret).is_err());
        sent.insert(name, secret.csrf_token().parse().unwrap());
        assert!(check(&sent, URL, &secret).is_ok());
    }
}
