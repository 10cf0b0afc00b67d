//! JSON over HTTP to a service that an operator named: what was answered, or words for why not.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Host, Url};

use super::excerpt;
use super::service::{ServiceError, ServiceHttp};

/// A service below one URL.
#[derive(Clone)]
pub struct JsonService {
    http: ServiceHttp,
    base: Url,
    headers: HeaderMap,
}

/// What a service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Why a URL is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    #[error("`{0}` is no URL; write https://host/path")]
    NotAUrl(String),
    #[error("`{0}` must begin with https://, or what is sent is seen on its way")]
    Plain(String),
    #[error("`{0}` must have no user name, query or fragment")]
    TooMuch(String),
}

/// Reads the URL of a service that is told secrets: plain http is for the machine itself only.
pub fn service_url(text: &str) -> Result<Url, BaseUrlError> {
    let shown = || excerpt(text.as_bytes());
    let mut url = Url::parse(text).map_err(|_| BaseUrlError::NotAUrl(shown()))?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(BaseUrlError::NotAUrl(shown())),
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        _ => return Err(BaseUrlError::Plain(shown())),
    }
    let has_more = !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some();
    if has_more {
        return Err(BaseUrlError::TooMuch(shown()));
    }
    let path = format!("{}/", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

impl JsonService {
    /// A service whose paths are below `base`, see [`service_url`].
    pub fn new(http: ServiceHttp, base: Url) -> Self {
        Self {
            http,
            base,
            headers: HeaderMap::new(),
        }
    }

    /// The same with a header that goes with every request, and is a secret.
    pub fn with_secret_header(
        mut self,
        name: HeaderName,
        value: &str,
    ) -> Result<Self, &'static str> {
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| "the secret has characters that cannot be sent")?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// The host, for messages.
    pub fn host(&self) -> String {
        self.base.host_str().unwrap_or_default().to_owned()
    }

    /// Sends a request to `path` below the base, which is given with its query and without a slash
    /// in front.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ServiceError> {
        let url = format!("{}{path}", self.base);
        let malformed = |reason: String| ServiceError::Malformed {
            host: self.host(),
            reason,
        };
        let body = match body {
            None => Vec::new(),
            Some(body) => serde_json::to_vec(body).map_err(|error| malformed(error.to_string()))?,
        };
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header(ACCEPT, "application/json")
            .body(body)
            .map_err(|error| malformed(error.to_string()))?;
        if !request.body().is_empty() {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(CONTENT_TYPE, json);
        }
        request.headers_mut().extend(self.headers.clone());
        let (parts, body) = self.http.send(request).await?.into_parts();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }
}

impl Answer {
    /// The body as JSON of a form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body).map_err(|_| {
            format!(
                "the answer ({}) is not the JSON that was expected: {}",
                self.status,
                excerpt(&self.body)
            )
        })
    }

    /// What `Retry-After` asks for, where it is a number of seconds.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }
}

/// A text as one part of a path or query.
pub fn escape(text: &str) -> String {
    utf8_percent_encode(text, UNSAFE).to_string()
}

const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// `Retry-After` in seconds (RFC 9110 section 10.2.3).
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_is_told_secrets_is_spoken_to_in_private() {
        assert_eq!(
            service_url("https://a.example/x").unwrap().as_str(),
            "https://a.example/x/"
        );
        assert!(service_url("http://127.0.0.1:8081").is_ok());
        for wrong in [
            "a.example",
            "http://a.example/",
            "file:///x",
            "https://u:p@a.example/",
            "https://a.example/?x=1",
            "https://a.example/#x",
        ] {
            assert!(service_url(wrong).is_err(), "{wrong}");
        }
    }
}
