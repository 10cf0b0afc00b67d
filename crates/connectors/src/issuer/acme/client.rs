//! The client's side of RFC 8555 section 6: signed requests, nonces, problems, and URLs that lead
//! nowhere else than to the CA that the operator named.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::Clock;
use domain::issuer::{IssueError, RevocationError};
use http::header::{CONTENT_TYPE, LINK, LOCATION};
use http::{HeaderMap, Method, Request, StatusCode};
use parking_lot::Mutex;
use pki::time::Timestamp;
use protocols::acme::directory::Directory;
use protocols::acme::jws::{self, Algorithm, Header, SigningInput};
use protocols::acme::problem::{Problem, ProblemType};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::account::{Account, AccountKey};
use super::limits::{LONGEST, UNSAID};
use crate::net::json::retry_after;
use crate::net::{ServiceError, ServiceHttp, excerpt};

/// A CA that refuses this many fresh nonces in a row will not take the next one either.
const NONCE_ATTEMPTS: usize = 10;
/// More nonces than requests are under way are of no use, and they do not live long.
const MAX_NONCES: usize = 16;
/// Directories change when a CA moves, which is announced.
const DIRECTORY_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Talks to one CA.
pub(super) struct AcmeClient {
    http: ServiceHttp,
    url: Url,
    clock: Arc<dyn Clock>,
    directory: Mutex<Option<(Timestamp, Arc<Directory>)>>,
    nonces: Mutex<Vec<String>>,
}

/// Why the CA did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum AcmeError {
    #[error(transparent)]
    Unreachable(#[from] ServiceError),
    #[error("{problem}{}", subproblems(.problem))]
    Problem {
        problem: Box<Problem>,
        retry_after: Option<Duration>,
    },
    #[error("the CA answered {status} with something that is not ACME: {body}")]
    NotAcme {
        status: StatusCode,
        body: String,
        retry_after: Option<Duration>,
    },
    #[error("the CA's answer lacks {0}")]
    Lacks(&'static str),
    #[error("the CA points to {0}, which is not below its own host; nothing is sent there")]
    Elsewhere(String),
    #[error("the request cannot be signed: {0}")]
    Signing(String),
}

/// Which identifiers a problem is about.
fn subproblems(problem: &Problem) -> String {
    problem
        .subproblems
        .iter()
        .map(|sub| {
            let about = sub.identifier.as_ref().map(|identifier| &identifier.value);
            format!("; {}: {sub}", about.map_or("", String::as_str))
        })
        .collect()
}

impl AcmeError {
    /// Whether the same request can succeed later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::NotAcme { .. } | Self::Lacks(_) => true,
            Self::Elsewhere(_) | Self::Signing(_) => false,
            Self::Problem { problem, .. } => {
                matches!(
                    problem.kind,
                    ProblemType::RateLimited
                        | ProblemType::ServerInternal
                        | ProblemType::BadNonce
                        // About the account that all share, which somebody can mend.
                        | ProblemType::AccountDoesNotExist
                        | ProblemType::ExternalAccountRequired
                        | ProblemType::UserActionRequired
                ) || problem.http_status() >= 500
                    || problem.http_status() == StatusCode::TOO_MANY_REQUESTS
            }
        }
    }

    /// The problem's type, where the CA told one.
    pub(super) fn kind(&self) -> Option<&ProblemType> {
        match self {
            Self::Problem { problem, .. } => Some(&problem.kind),
            _ => None,
        }
    }

    /// Whether the CA was asked too often (RFC 8555 section 6.6).
    pub(super) fn is_limit(&self) -> bool {
        match self {
            Self::Problem { problem, .. } => {
                problem.kind == ProblemType::RateLimited
                    || problem.http_status() == StatusCode::TOO_MANY_REQUESTS
            }
            Self::NotAcme { status, .. } => *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Unreachable(_) | Self::Lacks(_) | Self::Elsewhere(_) | Self::Signing(_) => false,
        }
    }

    /// For how long the CA wants to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem { retry_after, .. } | Self::NotAcme { retry_after, .. } => *retry_after,
            Self::Unreachable(_) | Self::Lacks(_) | Self::Elsewhere(_) | Self::Signing(_) => None,
        }
    }
}

impl From<AcmeError> for IssueError {
    fn from(error: AcmeError) -> Self {
        match error.is_passing() {
            true if error.is_limit() || error.retry_after().is_some() => Self::Throttled {
                after: error.retry_after().unwrap_or(UNSAID).min(LONGEST),
                text: error.to_string(),
            },
            true => Self::Unavailable(error.to_string()),
            false => Self::Refused(error.to_string()),
        }
    }
}

impl From<AcmeError> for RevocationError {
    fn from(error: AcmeError) -> Self {
        IssueError::from(error).into()
    }
}

/// An answer that is no problem.
pub(super) struct Reply {
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Who signs a request.
#[derive(Clone, Copy)]
pub(super) enum Signer<'a> {
    /// For newAccount: the key itself stands in the header.
    Key(&'a AccountKey),
    Account(&'a Account),
}

impl AcmeClient {
    /// A client of the CA with this directory.
    pub(super) fn new(http: ServiceHttp, url: Url, clock: Arc<dyn Clock>) -> Self {
        Self {
            http,
            url,
            clock,
            directory: Mutex::default(),
            nonces: Mutex::default(),
        }
    }

    /// The CA's host, for messages.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The directory (RFC 8555 section 7.1.1), not older than an hour.
    pub(super) async fn directory(&self) -> Result<Arc<Directory>, AcmeError> {
        let now = self.clock.now();
        if let Some((since, directory)) = &*self.directory.lock()
            && now.since(*since) < DIRECTORY_LIFETIME
        {
            return Ok(Arc::clone(directory));
        }
        self.fetch_directory().await
    }

    /// What anyone may ask for.
    pub(super) async fn look_up(&self, url: &str) -> Result<Reply, AcmeError> {
        self.unsigned(Method::GET, url).await
    }

    /// The directory as it is now.
    pub(super) async fn fetch_directory(&self) -> Result<Arc<Directory>, AcmeError> {
        let reply = self.unsigned(Method::GET, self.url.as_str()).await?;
        let directory: Arc<Directory> = Arc::new(reply.json()?);
        *self.directory.lock() = Some((self.clock.now(), Arc::clone(&directory)));
        Ok(directory)
    }

    /// POST-as-GET (RFC 8555 section 6.3).
    pub(super) async fn get(&self, account: &Account, url: &str) -> Result<Reply, AcmeError> {
        self.send(Signer::Account(account), url, b"").await
    }

    /// A POST with a JSON payload.
    pub(super) async fn post(
        &self,
        signer: Signer<'_>,
        url: &str,
        payload: &(impl Serialize + Sync),
    ) -> Result<Reply, AcmeError> {
        let payload = serde_json::to_vec(payload).map_err(signing)?;
        self.send(signer, url, &payload).await
    }

    async fn send(
        &self,
        signer: Signer<'_>,
        url: &str,
        payload: &[u8],
    ) -> Result<Reply, AcmeError> {
        let mut attempts = 0;
        loop {
            let nonce = self.nonce().await?;
            let body = sign(signer, url, &nonce, payload)?;
            attempts += 1;
            match self.exchange(Method::POST, url, body).await {
                // RFC 8555 section 6.5: the answer brought a nonce that is good.
                Err(error)
                    if error.kind() == Some(&ProblemType::BadNonce)
                        && attempts < NONCE_ATTEMPTS => {}
                outcome => return outcome,
            }
        }
    }

    async fn nonce(&self) -> Result<String, AcmeError> {
        if let Some(nonce) = self.nonces.lock().pop() {
            return Ok(nonce);
        }
        let url = self.directory().await?.new_nonce.clone();
        self.unsigned(Method::HEAD, &url).await?;
        self.nonces
            .lock()
            .pop()
            .ok_or(AcmeError::Lacks("a Replay-Nonce"))
    }

    async fn unsigned(&self, method: Method, url: &str) -> Result<Reply, AcmeError> {
        self.exchange(method, url, Vec::new()).await
    }

    async fn exchange(&self, method: Method, url: &str, body: Vec<u8>) -> Result<Reply, AcmeError> {
        self.check_origin(url)?;
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header(CONTENT_TYPE, jws::CONTENT_TYPE)
            .body(body)
            .map_err(|_| AcmeError::Elsewhere(excerpt(url.as_bytes())))?;
        let (parts, body) = self.http.send(request).await?.into_parts();
        self.keep_nonce(&parts.headers);
        if parts.status.is_success() {
            return Ok(Reply {
                headers: parts.headers,
                body,
            });
        }
        let Ok(mut problem) = serde_json::from_slice::<Problem>(&body) else {
            return Err(AcmeError::NotAcme {
                status: parts.status,
                body: excerpt(&body),
                retry_after: retry_after(&parts.headers),
            });
        };
        problem.detail = excerpt(problem.detail.as_bytes());
        problem.status = Some(parts.status.as_u16());
        Err(AcmeError::Problem {
            problem: Box::new(problem),
            retry_after: retry_after(&parts.headers),
        })
    }

    /// A CA that is taken over, or a directory that was tampered with, does not get our signatures sent
    /// to hosts of its choice.
    fn check_origin(&self, url: &str) -> Result<(), AcmeError> {
        let same = Url::parse(url).is_ok_and(|url| {
            url.origin() == self.url.origin()
                && url.username().is_empty()
                && url.password().is_none()
        });
        match same {
            true => Ok(()),
            false => Err(AcmeError::Elsewhere(excerpt(url.as_bytes()))),
        }
    }

    fn keep_nonce(&self, headers: &HeaderMap) {
        let nonce = headers.get("replay-nonce").and_then(|n| n.to_str().ok());
        let fit = nonce.filter(|nonce| protocols::acme::base64url::decode(nonce).is_ok());
        let mut nonces = self.nonces.lock();
        if let Some(nonce) = fit {
            if nonces.len() >= MAX_NONCES {
                nonces.remove(0);
            }
            nonces.push(nonce.to_owned());
        }
    }
}

impl Reply {
    /// The body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, AcmeError> {
        serde_json::from_slice(&self.body).map_err(|_| AcmeError::NotAcme {
            status: StatusCode::OK,
            body: excerpt(&self.body),
            retry_after: None,
        })
    }

    /// What was made is here.
    pub(super) fn location(&self) -> Result<String, AcmeError> {
        let location = self.headers.get(LOCATION).and_then(|l| l.to_str().ok());
        location
            .map(str::to_owned)
            .ok_or(AcmeError::Lacks("a Location"))
    }

    /// When to ask again.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    /// URLs of other chains (RFC 8555 section 7.4.2).
    pub(super) fn alternates(&self) -> Vec<String> {
        let links = self.headers.get_all(LINK).iter();
        links
            .filter_map(|link| link.to_str().ok())
            .flat_map(|link| link.split(','))
            .filter(|link| link.contains("rel=\"alternate\"") || link.contains("rel=alternate"))
            .filter_map(|link| Some(link.split_once('<')?.1.split_once('>')?.0.to_owned()))
            .take(MAX_ALTERNATES)
            .collect()
    }
}

const MAX_ALTERNATES: usize = 8;

fn sign(signer: Signer<'_>, url: &str, nonce: &str, payload: &[u8]) -> Result<Vec<u8>, AcmeError> {
    let (header, key) = match signer {
        Signer::Key(key) => (Header::with_jwk(key.jwk(), Some(nonce), url), key),
        Signer::Account(account) => {
            let key: &AccountKey = &account.key;
            let algorithm = Algorithm::of(key.jwk().kind());
            (Header::with_kid(algorithm, &account.url, nonce, url), key)
        }
    };
    let input = SigningInput::new(&header, payload).map_err(signing)?;
    let signature = key.sign(input.as_bytes())?;
    serde_json::to_vec(&input.with_signature(&signature)).map_err(signing)
}

pub(super) fn signing(error: impl std::fmt::Display) -> AcmeError {
    AcmeError::Signing(error.to_string())
}
