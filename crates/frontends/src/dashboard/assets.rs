//! The built dashboard (`ui/dist`), inside the binary: files by name, compressed when they were built.

use std::borrow::Cow;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use rust_embed::RustEmbed;

/// Empty where `ui/` was not built before the binary was.
#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Files;

/// The page that every address of the dashboard begins with.
pub(super) fn index() -> Option<String> {
    let file = Files::get("index.html")?;
    String::from_utf8(file.data.into_owned()).ok()
}

/// `/assets/<name>`: what is named by a hash of its content never changes.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    serve(&format!("assets/{name}"), &headers, FOR_EVER)
}

/// `/icon.svg`: what browsers show in a tab.
pub(super) async fn icon(headers: HeaderMap) -> Response {
    serve("icon.svg", &headers, FOR_A_DAY)
}

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FOR_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

fn serve(name: &str, headers: &HeaderMap, caching: HeaderValue) -> Response {
    let Some((data, encoding)) = find(name, headers) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = data.into_owned().into_response();
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, media_type(name));
    answer.insert(CACHE_CONTROL, caching);
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    answer.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(encoding) = encoding {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// The smallest form that the client takes.
fn find(name: &str, headers: &HeaderMap) -> Option<(Cow<'static, [u8]>, Option<&'static str>)> {
    // The compressed forms are not names of their own.
    if name.ends_with(".br") || name.ends_with(".gz") {
        return None;
    }
    for (coding, ending) in [("br", "br"), ("gzip", "gz")] {
        if accepts(headers, coding)
            && let Some(file) = Files::get(&format!("{name}.{ending}"))
        {
            return Some((file.data, Some(coding)));
        }
    }
    Files::get(name).map(|file| (file.data, None))
}

/// Whether the client names that coding and does not refuse it (RFC 9110 section 12.5.3).
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let mut named = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    named.any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case(coding) && weight.parse::<f32>().is_ok_and(|q| q > 0.0)
    })
}

fn media_type(name: &str) -> HeaderValue {
    let ending = name.rsplit('.').next().unwrap_or_default();
    HeaderValue::from_static(match ending {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_taken_where_it_is_named_and_not_refused() {
        let headers = |text: &'static str| {
            HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(text))])
        };
        for (text, br, gzip) in [
            ("gzip, deflate, br, zstd", true, true),
            ("gzip;q=0.5, br;q=0", false, true),
            ("identity", false, false),
            ("BR", true, false),
            ("br;q=x", false, false),
        ] {
            assert_eq!(accepts(&headers(text), "br"), br, "{text}");
            assert_eq!(accepts(&headers(text), "gzip"), gzip, "{text}");
        }
        assert!(!accepts(&HeaderMap::new(), "br"));
    }
}
