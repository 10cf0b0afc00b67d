//! The token: given or got by AppRole, renewed at half of its life, replaced where that is possible.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::Clock;
use domain::issuer::vault::VaultAuthentication;
use domain::issuer::{ConnectError, IssueError, IssuerSecrets, VaultConfig};
use http::Method;
use pki::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::client::Server;
use super::wire::{Auth, Enveloped, Login, TokenData};

pub(super) struct Tokens {
    source: Source,
    clock: Arc<dyn Clock>,
    /// Held while a token is got or renewed, so that it happens once.
    held: Mutex<Option<Held>>,
}

enum Source {
    Given(SecretString),
    AppRole {
        mount: String,
        role_id: String,
        secret_id: Option<SecretString>,
    },
}

#[derive(Clone)]
struct Held {
    token: SecretString,
    /// When it is to be renewed; `None` for one without an end, or that cannot be.
    renew_at: Option<Timestamp>,
}

impl Tokens {
    pub(super) fn new(
        config: &VaultConfig,
        secrets: &IssuerSecrets,
        environment: &crate::issuer::Environment,
    ) -> Result<Self, ConnectError> {
        let source = match &config.authentication {
            VaultAuthentication::Token => Source::Given(secrets.require("token")?.clone()),
            VaultAuthentication::AppRole { role_id, mount } => Source::AppRole {
                mount: mount.clone(),
                role_id: role_id.clone(),
                secret_id: secrets.get("secret_id").cloned(),
            },
        };
        Ok(Self {
            source,
            clock: Arc::clone(&environment.clock),
            held: Mutex::new(None),
        })
    }

    /// The token that holds now.
    pub(super) async fn current(&self, server: &Server) -> Result<SecretString, IssueError> {
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        let next = match held.take() {
            Some(known) if known.renew_at.is_none_or(|at| at > now) => known,
            Some(known) => self.renew(server, known, now).await?,
            None => self.first(server, now).await?,
        };
        let token = next.token.clone();
        *held = Some(next);
        Ok(token)
    }

    /// A token in the place of one that was turned away; `None` where there is no other.
    pub(super) async fn another(
        &self,
        server: &Server,
        refused: &SecretString,
    ) -> Result<Option<SecretString>, IssueError> {
        let Source::AppRole { .. } = &self.source else {
            return Ok(None);
        };
        let mut held = self.held.lock().await;
        // Somebody else got one in the meantime.
        if let Some(known) = &*held
            && known.token.expose_secret() != refused.expose_secret()
        {
            return Ok(Some(known.token.clone()));
        }
        let fresh = self.first(server, self.clock.now()).await?;
        let token = fresh.token.clone();
        *held = Some(fresh);
        Ok(Some(token))
    }

    async fn first(&self, server: &Server, now: Timestamp) -> Result<Held, IssueError> {
        match &self.source {
            Source::Given(token) => Ok(Held {
                token: token.clone(),
                renew_at: self.end_of_given(server, token, now).await,
            }),
            Source::AppRole {
                mount,
                role_id,
                secret_id,
            } => {
                let path = format!("auth/{mount}/login");
                let mut body = json!({ "role_id": role_id });
                if let Some(secret) = secret_id {
                    body["secret_id"] = Value::from(secret.expose_secret());
                }
                let login: Login = server
                    .ask(&Method::POST, &path, None, Some(&body))
                    .await
                    .map_err(|error| not_let_in(error.into()))?;
                Ok(held(login.auth, now))
            }
        }
    }

    /// A token that may not look at itself is used as it is.
    async fn end_of_given(
        &self,
        server: &Server,
        token: &SecretString,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let path = "auth/token/lookup-self";
        let found: Result<Enveloped<TokenData>, _> = server
            .ask(&Method::GET, path, Some(token), None::<&Value>)
            .await;
        let data = found.ok()?.data;
        (data.renewable && data.ttl > 0).then(|| half(data.ttl, now))
    }

    async fn renew(
        &self,
        server: &Server,
        known: Held,
        now: Timestamp,
    ) -> Result<Held, IssueError> {
        let path = "auth/token/renew-self";
        let renewed: Result<Login, _> = server
            .ask(&Method::POST, path, Some(&known.token), Some(&json!({})))
            .await;
        match renewed {
            Ok(login) => Ok(held(login.auth, now)),
            Err(_) => match &self.source {
                Source::AppRole { .. } => self.first(server, now).await,
                // Used while it lasts; asked for again in a while.
                Source::Given(_) => Ok(Held {
                    renew_at: Some(now + RETRY),
                    ..known
                }),
            },
        }
    }
}

fn held(auth: Auth, now: Timestamp) -> Held {
    Held {
        // One that cannot be renewed is replaced at the same time.
        renew_at: (auth.lease_duration > 0).then(|| half(auth.lease_duration, now)),
        token: auth.client_token,
    }
}

fn half(seconds: u64, now: Timestamp) -> Timestamp {
    now + Duration::from_secs(seconds / 2)
}

/// Whoever is not let in has asked for nothing yet; and an operator can mend it.
fn not_let_in(error: IssueError) -> IssueError {
    match error {
        IssueError::NotReached(text) | IssueError::Refused(text) => {
            IssueError::NotReached(format!("the AppRole is not let in: {text}"))
        }
        other => IssueError::NotReached(other.to_string()),
    }
}

const RETRY: Duration = Duration::from_secs(60);
