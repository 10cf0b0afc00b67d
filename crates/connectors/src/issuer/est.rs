//! A CA by EST (RFC 7030, RFC 8951): `simpleenroll` with what the operator gave us to show.
//!
//! The protocol has no number for a request: the same CSR sent again is the same request, after a crash as
//! well as while the CA makes up its mind.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::certificate::Chain;
use domain::issuer::{
    Abilities, Aspect, CheckReport, ConnectError, EstConfig, FetchChain, HealthCheck, Issuance,
    IssueError, IssuerSecrets, Outcome, SigningRequest,
};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use pki::certificate::Certificate;
use pki::cms::SignedData;
use protocols::est::csr_attributes::CsrAttributes;
use protocols::est::{PKCS10, body};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::environment::{Environment, IssuerHttp, PlainHttp};
use super::remote::{self, RemoteCa};
use crate::net::excerpt;
use crate::net::trust::Identity;

/// Talks to one label of an EST server.
pub struct EstConnector {
    /// With the label, without a slash at the end.
    base: String,
    http: IssuerHttp,
    /// User name and password, as HTTP Basic has them.
    basic: Option<SecretString>,
    has_certificate: bool,
}

/// A request that the CA has not decided about yet.
#[derive(Serialize, Deserialize)]
struct Handle {
    /// Base64: sent again, it is asked about (RFC 7030 section 4.2.3).
    csr: String,
}

impl EstConnector {
    /// A connector; it connects to nothing yet.
    pub fn new(
        config: &EstConfig,
        secrets: &IssuerSecrets,
        environment: &Environment,
    ) -> Result<Self, ConnectError> {
        let identity = match &config.client_certificate {
            None => None,
            Some(certificates) => {
                let key = secrets.require("client_key")?;
                Some(Identity::new(certificates, key))
            }
        };
        let basic = match &config.username {
            None => None,
            Some(username) => {
                let password = secrets.require("password")?.expose_secret();
                let text = Zeroizing::new(format!("{username}:{password}"));
                let header = format!("Basic {}", STANDARD.encode(text.as_bytes()));
                Some(SecretString::from(header))
            }
        };
        let label = config
            .label
            .as_ref()
            .map_or_else(String::new, |label| format!("/{label}"));
        let plain = PlainHttp::on_loopback(&config.url);
        let anchors = config.trust_anchors.as_deref();
        Ok(Self {
            base: format!(
                "{}/.well-known/est{label}",
                config.url.trim_end_matches('/')
            ),
            http: environment.http(anchors, identity.as_ref(), plain)?,
            basic,
            has_certificate: identity.is_some(),
        })
    }

    async fn send(
        &self,
        method: Method,
        operation: &str,
        csr: Option<&[u8]>,
    ) -> Result<Response<Vec<u8>>, IssueError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/{operation}", self.base))
            .header(ACCEPT, "*/*");
        if csr.is_some() {
            request = request.header(CONTENT_TYPE, PKCS10);
            if let Some(basic) = &self.basic {
                request = request.header(AUTHORIZATION, basic.expose_secret());
            }
        }
        let octets = csr.map_or_else(Vec::new, |csr| body::encode(csr).into_bytes());
        let request = request
            .body(octets)
            .map_err(|_| IssueError::Refused("the URL of the EST server is none".to_owned()))?;
        self.http.send(request).await
    }

    async fn enroll(&self, csr: &[u8]) -> Result<Issuance, IssueError> {
        let answer = self.send(Method::POST, "simpleenroll", Some(csr)).await?;
        match answer.status() {
            StatusCode::OK => {
                let leaf = certificates(answer.body())?;
                Ok(Issuance::Issued(self.complete(leaf).await?))
            }
            StatusCode::ACCEPTED => {
                let csr = STANDARD.encode(csr);
                remote::pending(&Handle { csr }, retry_after(&answer))
            }
            _ => Err(failure(&answer)),
        }
    }

    /// A certificate comes alone; what is above it is in `cacerts`.
    async fn complete(&self, mut certificates: Vec<Vec<u8>>) -> Result<Chain, IssueError> {
        if certificates.len() == 1 {
            let shown = self.authorities().await?;
            let above = remote::path_above(&certificates[0], shown.clone());
            // Where nothing leads up, all of it goes on: whoever checks the chain tells what is wrong.
            certificates.extend(if above.is_empty() { shown } else { above });
        }
        remote::chain_of(certificates)
    }

    async fn authorities(&self) -> Result<Vec<Vec<u8>>, IssueError> {
        let answer = self.send(Method::GET, "cacerts", None).await?;
        match answer.status() {
            StatusCode::OK => certificates(answer.body()),
            _ => Err(failure(&answer)),
        }
    }
}

/// The certificates of a bundle in base64.
fn certificates(octets: &[u8]) -> Result<Vec<Vec<u8>>, IssueError> {
    let unreadable = |error: &dyn std::fmt::Display| {
        IssueError::Unavailable(format!("the EST server's answer cannot be read: {error}"))
    };
    let der = body::decode(octets).map_err(|error| unreadable(&error))?;
    let bundle = SignedData::from_ber(&der).map_err(|error| unreadable(&error))?;
    match bundle.certificates.is_empty() {
        true => Err(unreadable(&"it holds no certificate")),
        false => Ok(bundle.certificates),
    }
}

/// RFC 7030 section 4.2.3: seconds or a date; a date, and nothing, is asked about in a minute.
fn retry_after(answer: &Response<Vec<u8>>) -> Duration {
    let header = answer.headers().get(RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(60).clamp(1, MAX_WAIT))
}

fn failure(answer: &Response<Vec<u8>>) -> IssueError {
    let status = answer.status();
    let text = format!("EST answered {status}: {}", excerpt(answer.body()));
    match status {
        // Turned away at the door. A credential that is not right can be mended, and the request goes on.
        StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS => IssueError::NotReached(text),
        StatusCode::REQUEST_TIMEOUT => IssueError::Unavailable(text),
        _ if status.is_server_error() => IssueError::Unavailable(text),
        _ => IssueError::Refused(text),
    }
}

#[async_trait]
impl RemoteCa for EstConnector {
    async fn issue(&self, request: &SigningRequest) -> Result<Issuance, IssueError> {
        self.enroll(&request.csr_der).await
    }

    async fn poll(&self, handle: &str) -> Result<Issuance, IssueError> {
        let handle: Handle = remote::noted(handle)?;
        let csr = STANDARD.decode(handle.csr);
        self.enroll(&csr.map_err(|error| remote::lost(&error))?)
            .await
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities::usual(self)
    }
}

#[async_trait]
impl FetchChain for EstConnector {
    async fn fetch_chain(&self) -> Result<Chain, IssueError> {
        let shown = self.authorities().await?;
        // The one that signed none of the others is the one that signs certificates.
        let parsed: Vec<Certificate> = shown
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok())
            .collect();
        let lowest = parsed.iter().find(|one| {
            let mut others = parsed.iter().filter(|other| other.der != one.der);
            !others.any(|other| other.is_signed_by(one))
        });
        let Some(lowest) = lowest.map(|one| one.der.clone()) else {
            return remote::chain_of(shown);
        };
        let mut chain = vec![lowest.clone()];
        let above = shown.into_iter().filter(|der| *der != lowest).collect();
        chain.extend(remote::path_above(&lowest, above));
        Ok(Chain::new(chain))
    }
}

#[async_trait]
impl HealthCheck for EstConnector {
    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        match self.authorities().await {
            Ok(shown) => {
                report.passed(Aspect::Reach, format!("{} answers", self.base));
                let count = shown.len();
                report.passed(Aspect::Chain, format!("it shows {count} CA certificates"));
            }
            Err(error) => {
                report.failed(Aspect::Reach, error.to_string());
                report.skipped(&[Aspect::Chain, Aspect::Credentials], "it was not reached");
                return report;
            }
        }
        match self.basic.is_some() || self.has_certificate {
            true => report.note(
                Aspect::Credentials,
                Outcome::Skipped,
                "EST looks at credentials with a request for a certificate only",
            ),
            false => report.note(
                Aspect::Credentials,
                Outcome::Warning,
                "there is neither a user name nor a client certificate: few CAs sign for nobody",
            ),
        }
        match self.send(Method::GET, "csrattrs", None).await {
            Ok(answer) if answer.status() == StatusCode::OK => {
                let asked = body::decode(answer.body())
                    .ok()
                    .and_then(|der| CsrAttributes::count(&der).ok());
                let text = match asked {
                    Some(count) => format!("the CA asks for {count} attributes in a CSR"),
                    None => "what the CA asks for in a CSR cannot be read".to_owned(),
                };
                report.note(Aspect::DryRun, Outcome::Skipped, text);
            }
            Ok(_) | Err(_) => {
                let text = "EST has no way to try a request without a certificate coming of it";
                report.note(Aspect::DryRun, Outcome::Skipped, text);
            }
        }
        report
    }
}

const MAX_WAIT: u64 = 60 * 60;
