//! Requests to the server: with the token that holds now, and answers told apart into what may be
//! tried again, what was never begun, and what is refused.

use domain::issuer::{ConnectError, IssueError, IssuerSecrets, VaultConfig};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::token::Tokens;
use super::wire::{Enveloped, Refusal};
use crate::issuer::{Environment, IssuerHttp, PlainHttp};
use crate::net::excerpt;

pub(super) struct Client {
    pub(super) server: Server,
    tokens: Tokens,
}

/// The server, without regard to who asks.
#[derive(Clone)]
pub(super) struct Server {
    http: IssuerHttp,
    /// Without a slash at the end.
    url: String,
    namespace: Option<String>,
}

/// Why there is no proper answer.
pub(super) enum NoAnswer {
    /// 403: the token does not hold, or may not do that.
    Forbidden(IssueError),
    Other(IssueError),
}

impl From<NoAnswer> for IssueError {
    fn from(error: NoAnswer) -> Self {
        match error {
            NoAnswer::Forbidden(error) | NoAnswer::Other(error) => error,
        }
    }
}

impl Client {
    pub(super) fn new(
        config: &VaultConfig,
        secrets: &IssuerSecrets,
        environment: &Environment,
    ) -> Result<Self, ConnectError> {
        let plain = PlainHttp::on_loopback(&config.url);
        let server = Server {
            http: environment.http(config.trust_anchors.as_deref(), None, plain)?,
            url: config.url.trim_end_matches('/').to_owned(),
            namespace: config.namespace.clone(),
        };
        let tokens = Tokens::new(config, secrets, environment)?;
        Ok(Self { server, tokens })
    }

    /// Reads what lies under a path.
    pub(super) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, IssueError> {
        self.ask(&Method::GET, path, None).await
    }

    /// Writes to a path.
    pub(super) async fn write<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, IssueError> {
        self.ask(&Method::POST, path, Some(body)).await
    }

    /// The token that holds now, for a look at it.
    pub(super) async fn token(&self) -> Result<SecretString, IssueError> {
        self.tokens.current(&self.server).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, IssueError> {
        let token = self.tokens.current(&self.server).await?;
        let answer: Result<Enveloped<T>, _> =
            self.server.ask(method, path, Some(&token), body).await;
        match answer {
            Ok(answer) => Ok(answer.data),
            // A token may end before its time; where another can be got, that one is asked with.
            Err(NoAnswer::Forbidden(error)) => {
                match self.tokens.another(&self.server, &token).await? {
                    None => Err(error),
                    Some(token) => {
                        let answer: Enveloped<T> =
                            self.server.ask(method, path, Some(&token), body).await?;
                        Ok(answer.data)
                    }
                }
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Server {
    /// One request and its answer as JSON.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        token: Option<&SecretString>,
        body: Option<&impl Serialize>,
    ) -> Result<T, NoAnswer> {
        let response = self.send(method, path, token, body).await?;
        match response.status() {
            status if status.is_success() => {
                let octets = match response.body().as_slice() {
                    // What is deleted or changed is answered with nothing.
                    [] => b"{\"data\": {}}".as_slice(),
                    octets => octets,
                };
                serde_json::from_slice(octets).map_err(|_| {
                    NoAnswer::Other(IssueError::Unavailable(format!(
                        "the answer is not what the interface promises: {}",
                        excerpt(response.body())
                    )))
                })
            }
            status => Err(refusal(status, response.body())),
        }
    }

    /// One request and its answer as it is.
    pub(super) async fn send(
        &self,
        method: &Method,
        path: &str,
        token: Option<&SecretString>,
        body: Option<&impl Serialize>,
    ) -> Result<Response<Vec<u8>>, NoAnswer> {
        let broken = |error: String| NoAnswer::Other(IssueError::Unavailable(error));
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("{}/v1/{path}", self.url))
            .header(ACCEPT, "application/json")
            .header("X-Vault-Request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(token) = token {
            request = request.header("X-Vault-Token", token.expose_secret());
        }
        let octets = match body {
            None => Vec::new(),
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                serde_json::to_vec(body).map_err(|error| broken(error.to_string()))?
            }
        };
        let request = request.body(octets).map_err(|_| {
            broken("the URL or the token cannot be written into a request".to_owned())
        })?;
        self.http.send(request).await.map_err(NoAnswer::Other)
    }
}

/// What a status says. Texts come from the server's own list of errors, never from other bodies: those
/// may be anybody's.
fn refusal(status: StatusCode, body: &[u8]) -> NoAnswer {
    let said = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.errors.join("; "));
    let text = match &said {
        Ok(text) if !text.is_empty() => format!("{status}: {}", short(text)),
        _ => status.to_string(),
    };
    match status {
        StatusCode::FORBIDDEN => NoAnswer::Forbidden(IssueError::NotReached(format!(
            "{text}; is the token still valid, and does its policy allow this path?"
        ))),
        // Turned away at the door: sealed, standing by, or too busy.
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE if said.is_ok() => {
            NoAnswer::Other(IssueError::NotReached(text))
        }
        StatusCode::BAD_REQUEST if said.is_ok() => NoAnswer::Other(IssueError::Refused(text)),
        StatusCode::NOT_FOUND => NoAnswer::Other(IssueError::NotReached(format!(
            "{text}; is there an engine at this mount?"
        ))),
        _ => NoAnswer::Other(IssueError::Unavailable(text)),
    }
}

fn short(text: &str) -> String {
    excerpt(text.replace('\n', " ").as_bytes())
}
