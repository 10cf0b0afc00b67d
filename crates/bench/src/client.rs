//! An ACME client (RFC 8555) with as little of its own as measuring allows: no waiting, no parsing twice, nonces
//! taken from the answers.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::connection::{Connection, Method, TransportError};
use crate::jws::{AccountKey, CryptoError, KeyReference};
use crate::message::Answer;
use crate::target::Target;

const JOSE: &str = "application/jose+json";
const ERROR_PREFIX: &str = "urn:ietf:params:acme:error:";
/// How often one request is repeated with the nonce from a `badNonce` answer (RFC 8555 section 6.5).
const NONCE_ATTEMPTS: u32 = 5;

/// A request of the protocol failed.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The request could not be signed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The request did not come to an answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server refused, with a problem document (RFC 7807).
    #[error("{kind}: {detail}")]
    Problem {
        /// The type, without the prefix that all of ACME's share.
        kind: String,
        /// What the server says about it.
        detail: String,
    },
    /// The answer lacks something that RFC 8555 requires.
    #[error("malformed answer: {0}")]
    Malformed(&'static str),
    /// The authorization or order ended without success.
    #[error("{object} became {status}: {detail}")]
    Ended {
        /// Which of the two.
        object: &'static str,
        /// Its final status.
        status: String,
        /// The problem found in it.
        detail: String,
    },
    /// The certificate is not the one that was ordered.
    #[error("wrong certificate: {0}")]
    Certificate(&'static str),
    /// The flow took too long.
    #[error("timeout")]
    Timeout,
}

impl AcmeError {
    /// Under which name errors of this sort are counted.
    pub fn kind(&self) -> String {
        match self {
            Self::Problem { kind, .. } => kind.clone(),
            Self::Ended { object, status, .. } => format!("{object} {status}"),
            Self::Transport(_) => "transport".to_owned(),
            Self::Crypto(_) | Self::Malformed(_) | Self::Certificate(_) | Self::Timeout => {
                self.to_string()
            }
        }
    }
}

/// The parts of the directory (RFC 8555 section 7.1.1) that a flow needs.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    new_nonce: String,
    new_account: String,
    /// Where orders are made.
    pub new_order: String,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    detail: String,
}

/// An account on its own connection.
pub struct Client {
    connection: Connection,
    directory: Arc<Directory>,
    key: AccountKey,
    kid: Option<String>,
    nonce: Option<String>,
    /// The first pause between two polls.
    pub poll_pause: Duration,
    /// Requests sent so far.
    pub requests: u64,
    /// Of these, how many were refused for their nonce and repeated.
    pub nonce_retries: u64,
}

/// Reads the directory at `url`.
pub async fn directory(target: &Arc<Target>, url: &Url) -> Result<Directory, AcmeError> {
    let mut connection = Connection::new(Arc::clone(target));
    let answer = connection.send(Method::Get, url.path(), "", &[]).await?;
    refuse_problem(&answer)?;
    json(&answer)
}

impl Client {
    /// Registers a fresh account (RFC 8555 section 7.3).
    pub async fn register(
        target: &Arc<Target>,
        directory: &Arc<Directory>,
        poll_pause: Duration,
    ) -> Result<Self, AcmeError> {
        let mut client = Self {
            connection: Connection::new(Arc::clone(target)),
            directory: Arc::clone(directory),
            key: AccountKey::generate()?,
            kid: None,
            nonce: None,
            poll_pause,
            requests: 0,
            nonce_retries: 0,
        };
        let url = directory.new_account.clone();
        let answer = client
            .post(&url, r#"{"termsOfServiceAgreed":true}"#)
            .await?;
        client.kid = Some(location(&answer)?);
        Ok(client)
    }

    /// The directory this account belongs to.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    /// The thumbprint of the account's key.
    pub fn thumbprint(&self) -> &str {
        self.key.thumbprint()
    }

    /// Starts over with a new connection and a new nonce, after an interrupted request.
    pub fn reset(&mut self) {
        self.connection.reset();
        self.nonce = None;
    }

    /// A signed POST, repeated while the server refuses the nonce.
    pub async fn post(&mut self, url: &str, payload: &str) -> Result<Answer, AcmeError> {
        let path = self.path_of(url)?;
        for _ in 0..NONCE_ATTEMPTS {
            let nonce = self.take_nonce().await?;
            let reference = match &self.kid {
                Some(kid) => KeyReference::Kid(kid),
                None => KeyReference::Jwk,
            };
            let body = self.key.sign(&reference, &nonce, url, payload)?;
            let answer = self.send(Method::Post, &path, body.as_bytes()).await?;
            match refuse_problem(&answer) {
                Ok(()) => return Ok(answer),
                Err(AcmeError::Problem { kind, .. }) if kind == "badNonce" => {
                    self.nonce_retries += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Err(AcmeError::Problem {
            kind: "badNonce".to_owned(),
            detail: format!("{NONCE_ATTEMPTS} nonces in a row were refused"),
        })
    }

    /// A POST-as-GET (RFC 8555 section 6.3).
    pub async fn get(&mut self, url: &str) -> Result<Answer, AcmeError> {
        self.post(url, "").await
    }

    async fn take_nonce(&mut self) -> Result<String, AcmeError> {
        if self.nonce.is_none() {
            let path = self.path_of(&self.directory.new_nonce)?;
            self.send(Method::Head, &path, &[]).await?;
        }
        self.nonce
            .take()
            .ok_or(AcmeError::Malformed("there is no Replay-Nonce header"))
    }

    async fn send(&mut self, method: Method, path: &str, body: &[u8]) -> Result<Answer, AcmeError> {
        self.requests += 1;
        let answer = self.connection.send(method, path, JOSE, body).await?;
        self.nonce = answer.header("replay-nonce").map(str::to_owned);
        Ok(answer)
    }

    /// All URLs of the server must lie on the one connection there is.
    fn path_of(&self, url: &str) -> Result<String, AcmeError> {
        url.strip_prefix(&self.connection.target().origin)
            .filter(|path| path.starts_with('/'))
            .map(str::to_owned)
            .ok_or(AcmeError::Malformed(
                "a URL leads to another server than the directory's",
            ))
    }
}

/// The `Location` of what was created.
pub fn location(answer: &Answer) -> Result<String, AcmeError> {
    answer
        .header("location")
        .map(str::to_owned)
        .ok_or(AcmeError::Malformed("there is no Location header"))
}

/// The body as the expected object.
pub fn json<T: DeserializeOwned>(answer: &Answer) -> Result<T, AcmeError> {
    serde_json::from_slice(&answer.body)
        .map_err(|_| AcmeError::Malformed("the body is not the JSON object expected here"))
}

fn refuse_problem(answer: &Answer) -> Result<(), AcmeError> {
    if answer.is_success() {
        return Ok(());
    }
    let problem: Option<Problem> = serde_json::from_slice(&answer.body).ok();
    Err(match problem {
        Some(Problem { kind, detail }) if !kind.is_empty() => AcmeError::Problem {
            kind: kind.strip_prefix(ERROR_PREFIX).unwrap_or(&kind).to_owned(),
            detail,
        },
        _ => plain_refusal(answer.status),
    })
}

fn plain_refusal(status: u16) -> AcmeError {
    AcmeError::Problem {
        kind: format!("status {}", status),
        detail: "without a problem document".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> String {
        refuse_problem(&Answer::new(status, body))
            .unwrap_err()
            .kind()
    }

    #[test]
    fn refusals_are_counted_by_their_problem_type_and_by_status_where_there_is_none() {
        let body = r#"{"type":"urn:ietf:params:acme:error:rateLimited","detail":"slow down"}"#;
        assert_eq!(refusal(429, body), "rateLimited");
        assert_eq!(refusal(502, "<html>"), "status 502");
    }
}
