//! Requests to services of AWS: signed with Signature Version 4, sent through the guarded client.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use domain::clock::Clock;
use http::{HeaderName, HeaderValue, Method, Request};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::json::Answer;
use super::{ServiceError, ServiceHttp};

/// One service in one region.
pub struct AwsService {
    pub http: ServiceHttp,
    /// See [`service_url`](super::json::service_url).
    pub base: Url,
    pub region: String,
    /// The name in signatures: `acm-pca`.
    pub service: &'static str,
    pub credentials: AwsCredentials,
    pub clock: Arc<dyn Clock>,
}

/// An access key.
#[derive(Clone)]
pub struct AwsCredentials {
    pub access_key_id: String,
    pub secret_access_key: SecretString,
    pub session_token: Option<SecretString>,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AwsError {
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error("the request cannot be signed: {0}")]
    Signing(String),
}

impl AwsService {
    /// The host, for messages.
    pub fn host(&self) -> String {
        self.base.host_str().unwrap_or_default().to_owned()
    }

    /// Signs and sends a request to `path` below the base, given with its query and without a slash in front.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, AwsError> {
        let url = format!("{}{path}", self.base);
        let authority = match self.base.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host(),
        };
        let mut signed: Vec<(&str, &str)> = vec![("host", &authority)];
        signed.extend(headers.iter().map(|(name, value)| (name.as_str(), *value)));
        let added = self.sign(method.as_str(), &url, &signed, &body)?;
        let mut request = Request::builder()
            .method(method)
            .uri(&url)
            .body(body)
            .map_err(signing)?;
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(signing)?;
            request.headers_mut().insert(name.clone(), value);
        }
        for (name, value) in added {
            let mut value = HeaderValue::from_str(&value).map_err(signing)?;
            value.set_sensitive(true);
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(signing)?;
            request.headers_mut().insert(name, value);
        }
        let (parts, body) = self.http.send(request).await?.into_parts();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    /// The headers that make the request ours.
    fn sign(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Vec<(String, String)>, AwsError> {
        let credentials = &self.credentials;
        let token = credentials.session_token.as_ref();
        let identity = Credentials::new(
            credentials.access_key_id.clone(),
            credentials.secret_access_key.expose_secret().trim(),
            token.map(|token| token.expose_secret().trim().to_owned()),
            None,
            "certwright",
        )
        .into();
        let millis = u64::try_from(self.clock.now().millis()).unwrap_or_default();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(UNIX_EPOCH + Duration::from_millis(millis))
            .settings(SigningSettings::default())
            .build()
            .map_err(signing)?
            .into();
        let signable = SignableRequest::new(
            method,
            url,
            headers.iter().copied(),
            SignableBody::Bytes(body),
        )
        .map_err(signing)?;
        let (instructions, _) = sign(signable, &parameters).map_err(signing)?.into_parts();
        Ok(instructions
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}

fn signing(error: impl std::fmt::Display) -> AwsError {
    AwsError::Signing(error.to_string())
}
