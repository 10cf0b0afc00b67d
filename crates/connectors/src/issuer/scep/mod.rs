//! A CA with a SCEP server (RFC 8894), asked in the name of others: messages are signed with a certificate
//! that the CA knows, or with one made here, and answers are encrypted for it.

mod authority;
mod check;
mod exchange;
mod signer;

use std::sync::Arc;

use async_trait::async_trait;
use domain::certificate::Chain;
use domain::clock::Clock;
use domain::issuer::{
    Abilities, ConnectError, FetchChain, Issuance, IssueError, Issuer, IssuerSecrets, ScepConfig,
    SigningRequest,
};
use pki::random::Random;
use secrecy::SecretString;
use tokio::sync::Mutex;

use super::{Environment, IssuerHttp, PlainHttp, RemoteCa};
use authority::Known;
use signer::Signers;

/// Talks to one SCEP server.
pub struct ScepConnector {
    config: ScepConfig,
    http: IssuerHttp,
    signers: Signers,
    challenge_password: Option<SecretString>,
    /// What the server says of itself, for a while.
    known: Mutex<Option<Known>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl ScepConnector {
    /// A connector; it connects to nothing yet.
    pub fn new(
        issuer: &Issuer,
        config: &ScepConfig,
        secrets: &IssuerSecrets,
        environment: &Environment,
    ) -> Result<Self, ConnectError> {
        let anchors = config.trust_anchors.as_deref();
        Ok(Self {
            // RFC 8894 section 7: messages protect themselves.
            http: environment.http(anchors, None, PlainHttp::Allowed)?,
            signers: Signers::new(issuer, config, secrets, environment)?,
            challenge_password: secrets.get("challenge_password").cloned(),
            known: Mutex::new(None),
            clock: Arc::clone(&environment.clock),
            random: Arc::clone(&environment.random),
            config: config.clone(),
        })
    }
}

#[async_trait]
impl RemoteCa for ScepConnector {
    async fn issue(&self, request: &SigningRequest) -> Result<Issuance, IssueError> {
        self.ask(request).await
    }

    async fn poll(&self, handle: &str) -> Result<Issuance, IssueError> {
        self.ask_again(handle).await
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities::usual(self)
    }
}

#[async_trait]
impl FetchChain for ScepConnector {
    async fn fetch_chain(&self) -> Result<Chain, IssueError> {
        self.authority(false).await?.chain()
    }
}

fn malformed(error: impl std::fmt::Display) -> IssueError {
    IssueError::Unavailable(format!("the SCEP server's answer cannot be read: {error}"))
}
