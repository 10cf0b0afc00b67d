//! Cookies (RFC 6265): read without trust, written with every protection there is.

use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The cookie that holds a session's secret. The prefix makes browsers insist on `Secure`, on no
/// `Domain` and on the root path, so that no sibling of this host can plant one.
pub(crate) const SESSION: &str = "__Host-certwright-session";

/// The cookie that ties the way back from a sign-on provider to the browser that left.
pub(crate) const SIGN_ON: &str = "__Host-certwright-sign-on";

/// The value of a cookie. Two of one name are none: somebody tampers.
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs
        .filter(|(found, _)| *found == name)
        .map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        (Some(_), Some(_)) | (None, _) => None,
    }
}

/// A cookie for this browser, out of reach of scripts, sent along with nothing that another site asks
/// for but a link that is followed.
pub(crate) fn set(name: &str, secret: &str, lifetime: Duration) -> Option<HeaderValue> {
    let seconds = lifetime.as_secs();
    let text =
        format!("{name}={secret}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Makes the browser forget a cookie.
pub(crate) fn clear(name: &str) -> Option<HeaderValue> {
    set(name, "", Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        find(&headers, SESSION).map(str::to_owned)
    }

    #[test]
    fn a_cookie_is_found_among_others_and_two_of_a_name_are_none() {
        for (lines, value) in [
            (&["__Host-certwright-session=a"][..], Some("a")),
            (&["x=y; __Host-certwright-session=a; z=w"], Some("a")),
            (&["x=y", "__Host-certwright-session=a"], Some("a")),
            (&["certwright-session=a"], None),
            (
                &["__Host-certwright-session=a; __Host-certwright-session=b"],
                None,
            ),
            (&["__Host-certwright-session"], None),
            (&[], None),
        ] {
            assert_eq!(found(lines).as_deref(), value, "{lines:?}");
        }
    }

    #[test]
    fn a02_a_cookie_carries_every_protection() {
        let value = set(SESSION, "cws_1", Duration::from_secs(60)).unwrap();
        let text = value.to_str().unwrap();
        for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=60"] {
            assert!(text.split("; ").any(|found| found == part), "{text}");
        }
        assert!(!text.contains("Domain"), "{text}");
    }
}
