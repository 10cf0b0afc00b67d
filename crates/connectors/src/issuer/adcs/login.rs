//! One authenticated connection to the pages.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::issuer::adcs::AdcsAuthentication;
use domain::issuer::{AdcsConfig, ConnectError, IssueError, IssuerSecrets};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, Request, Response, StatusCode};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use zeroize::Zeroizing;

use super::super::environment::Environment;
use super::super::remote;
use super::kerberos::{Kerberos, Tickets};
use crate::net::channel_bindings::channel_bindings;
use crate::net::json::service_url;
use crate::net::ntlm::{NtlmUser, authenticate, negotiate};
use crate::net::session::Session;
use crate::net::trust::verifying_client;
use crate::net::{ServiceError, excerpt};

/// Opens connections that the server knows the user of.
pub(super) struct Login {
    pub(super) base: Url,
    tls: Arc<ClientConfig>,
    password: SecretString,
    environment: Environment,
    kerberos: Kerberos,
}

/// An open connection.
pub(super) struct Pages {
    session: Session,
    base: String,
    proof: Proof,
}

/// What goes with every request, where the server knows requests and not connections.
enum Proof {
    OfTheConnection,
    Basic(HeaderValue),
    Kerberos(Box<Tickets>),
}

/// Nobody asked for anything yet.
fn closed(error: ServiceError) -> IssueError {
    remote::unanswered(&error)
}

/// The same of what went wrong while the server made sure who we are.
fn unasked(error: IssueError) -> IssueError {
    match error {
        IssueError::Unavailable(text) => IssueError::NotReached(text),
        other => other,
    }
}

fn lost(error: ServiceError) -> IssueError {
    IssueError::Unavailable(error.to_string())
}

impl Login {
    /// What the settings say; it connects to nothing yet.
    pub(super) fn new(
        config: &AdcsConfig,
        secrets: &IssuerSecrets,
        environment: &Environment,
    ) -> Result<Self, ConnectError> {
        let unfit = |error: &dyn std::fmt::Display| ConnectError::Settings(error.to_string());
        let base = service_url(&config.url).map_err(|error| unfit(&error))?;
        let tls = verifying_client(config.trust_anchors.as_deref(), None, &[b"http/1.1"])
            .map_err(|error| unfit(&error))?;
        Ok(Self {
            kerberos: Kerberos::new(config, &base)?,
            base,
            tls: Arc::new(tls),
            password: secrets.require("password")?.clone(),
            environment: environment.clone(),
        })
    }

    async fn connect(&self) -> Result<Pages, IssueError> {
        let session = Session::open(&self.environment.dialer, Arc::clone(&self.tls), &self.base);
        Ok(Pages {
            session: session.await.map_err(closed)?,
            base: self.base.path().to_owned(),
            proof: Proof::OfTheConnection,
        })
    }

    /// Whether there are pages at all, which nobody shows before somebody says who asks.
    pub(super) async fn reach(&self) -> Result<(), IssueError> {
        let answer = self.connect().await?.ask(Method::GET, "", None, None).await;
        match judge(&answer?) {
            Err(error @ IssueError::Unavailable(_)) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(super) async fn open(&self, config: &AdcsConfig) -> Result<Pages, IssueError> {
        let mut pages = self.connect().await?;
        match config.authentication {
            AdcsAuthentication::Basic => pages.proof = Proof::Basic(self.basic(config)?),
            AdcsAuthentication::Ntlm => {
                let known = self.ntlm(config, &mut pages).await;
                known.map_err(unasked)?;
            }
            AdcsAuthentication::Kerberos => {
                let channel = pages.session.server_certificate().map(channel_bindings);
                let password = self.password.expose_secret();
                let tickets = self
                    .kerberos
                    .tickets(config, password, channel, &self.environment);
                pages.proof = Proof::Kerberos(Box::new(tickets.await?));
            }
        }
        Ok(pages)
    }

    fn basic(&self, config: &AdcsConfig) -> Result<HeaderValue, IssueError> {
        let name = match &config.domain {
            Some(domain) => format!("{domain}\\{}", config.username),
            None => config.username.clone(),
        };
        let password = self.password.expose_secret();
        let pair = Zeroizing::new(format!("{name}:{password}"));
        secret_header(&format!("Basic {}", STANDARD.encode(pair.as_bytes())))
    }

    /// [MS-NTHT]: the server asks once, and from then on knows the connection.
    async fn ntlm(&self, config: &AdcsConfig, pages: &mut Pages) -> Result<(), IssueError> {
        let first = secret_header(&format!("NTLM {}", STANDARD.encode(negotiate())))?;
        let answer = pages.ask(Method::GET, "", None, Some(first)).await?;
        let challenge = offered(&answer, "NTLM").ok_or_else(|| {
            IssueError::Unavailable(format!(
                "the server does not speak NTLM: it answered {}",
                answer.status()
            ))
        })?;
        let user = NtlmUser {
            name: &config.username,
            domain: config.domain.as_deref().unwrap_or_default(),
            password: self.password.expose_secret(),
        };
        let channel = pages.session.server_certificate().map(channel_bindings);
        let now = self.environment.clock.now();
        let random = self.environment.random.octets::<8>();
        let third = authenticate(&challenge, &user, channel, now, random)
            .map_err(|error| IssueError::Unavailable(error.to_string()))?;
        let third = secret_header(&format!("NTLM {}", STANDARD.encode(third)))?;
        let answer = pages.ask(Method::GET, "", None, Some(third)).await?;
        judge(&answer)
    }
}

impl Pages {
    /// A page.
    pub(super) async fn get(&mut self, page: &str) -> Result<Response<Vec<u8>>, IssueError> {
        self.proven(Method::GET, page, None).await
    }

    /// A form.
    pub(super) async fn post(
        &mut self,
        page: &str,
        form: String,
    ) -> Result<Response<Vec<u8>>, IssueError> {
        self.proven(Method::POST, page, Some(form)).await
    }

    /// A request that says who asks, if the connection does not.
    async fn proven(
        &mut self,
        method: Method,
        page: &str,
        form: Option<String>,
    ) -> Result<Response<Vec<u8>>, IssueError> {
        let (authorization, shown) = match &self.proof {
            Proof::OfTheConnection => (None, None),
            Proof::Basic(header) => (Some(header.clone()), None),
            Proof::Kerberos(tickets) => {
                let (token, shown) = tickets.show()?;
                let token = format!("Negotiate {}", STANDARD.encode(token));
                (Some(secret_header(&token)?), Some(shown))
            }
        };
        let answer = self.ask(method, page, form, authorization).await?;
        if let (Proof::Kerberos(tickets), Some(shown)) = (&mut self.proof, shown) {
            let token = offered(&answer, "Negotiate");
            tickets.judge(&shown, answer.status(), token.as_deref())?;
        }
        judge(&answer)?;
        Ok(answer)
    }

    async fn ask(
        &mut self,
        method: Method,
        page: &str,
        form: Option<String>,
        authorization: Option<HeaderValue>,
    ) -> Result<Response<Vec<u8>>, IssueError> {
        let unfit = |error: http::Error| IssueError::Refused(error.to_string());
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{page}", self.base))
            .body(Vec::new())
            .map_err(unfit)?;
        let headers = request.headers_mut();
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        if let Some(form) = form {
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.insert(CONTENT_TYPE, kind);
            *request.body_mut() = form.into_bytes();
        }
        self.session.send(request).await.map_err(lost)
    }
}

/// Whether the server let us in. What can be mended there is not held against the request.
fn judge(answer: &Response<Vec<u8>>) -> Result<(), IssueError> {
    match answer.status() {
        status if status.is_success() => Ok(()),
        StatusCode::UNAUTHORIZED => Err(IssueError::NotReached(
            "the server does not accept user name and password, or this kind of authentication"
                .to_owned(),
        )),
        StatusCode::FORBIDDEN => Err(IssueError::NotReached(
            "the user may not use the pages".to_owned(),
        )),
        status => Err(IssueError::Unavailable(format!(
            "the server answered {status}: {}",
            excerpt(answer.body())
        ))),
    }
}

/// The octets that a server sends along with a way to authenticate.
fn offered(answer: &Response<Vec<u8>>, way: &str) -> Option<Vec<u8>> {
    let offers = answer.headers().get_all(WWW_AUTHENTICATE).iter();
    let mut offers = offers.filter_map(|offer| offer.to_str().ok()?.split_once(' '));
    offers.find_map(|(name, text)| match name.eq_ignore_ascii_case(way) {
        true => STANDARD.decode(text.trim()).ok(),
        false => None,
    })
}

fn secret_header(text: &str) -> Result<HeaderValue, IssueError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| IssueError::Refused("the user name cannot be sent".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}
