//! One authenticated connection to the pages.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::issuer::adcs::AdcsAuthentication;
use domain::issuer::{AdcsConfig, IssueError};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, Request, Response, StatusCode};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use zeroize::Zeroizing;

use super::super::environment::Environment;
use super::super::remote;
use crate::net::ntlm::{NtlmUser, authenticate, channel_bindings, negotiate};
use crate::net::session::Session;
use crate::net::{ServiceError, excerpt};

/// Opens connections that the server knows the user of.
pub(super) struct Login {
    pub(super) base: Url,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) password: SecretString,
    pub(super) environment: Environment,
}

/// An open connection.
pub(super) struct Pages {
    session: Session,
    base: String,
    /// What goes with every request, where the server knows requests and not connections.
    basic: Option<HeaderValue>,
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
    pub(super) async fn open(&self, config: &AdcsConfig) -> Result<Pages, IssueError> {
        let session = Session::open(&self.environment.dialer, Arc::clone(&self.tls), &self.base);
        let mut pages = Pages {
            session: session.await.map_err(closed)?,
            base: self.base.path().to_owned(),
            basic: None,
        };
        match config.authentication {
            AdcsAuthentication::Basic => pages.basic = Some(self.basic(config)?),
            AdcsAuthentication::Ntlm | AdcsAuthentication::Kerberos => {
                let known = self.ntlm(config, &mut pages).await;
                known.map_err(unasked)?;
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
        let challenge = challenge(&answer).ok_or_else(|| {
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
        let basic = self.basic.clone();
        let answer = self.ask(Method::GET, page, None, basic).await?;
        judge(&answer)?;
        Ok(answer)
    }

    /// A form.
    pub(super) async fn post(
        &mut self,
        page: &str,
        form: String,
    ) -> Result<Response<Vec<u8>>, IssueError> {
        let basic = self.basic.clone();
        let answer = self.ask(Method::POST, page, Some(form), basic).await?;
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

fn challenge(answer: &Response<Vec<u8>>) -> Option<Vec<u8>> {
    let offers = answer.headers().get_all(WWW_AUTHENTICATE).iter();
    let mut offers = offers.filter_map(|offer| offer.to_str().ok()?.strip_prefix("NTLM "));
    offers.find_map(|text| STANDARD.decode(text.trim()).ok())
}

fn secret_header(text: &str) -> Result<HeaderValue, IssueError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| IssueError::Refused("the user name cannot be sent".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}
