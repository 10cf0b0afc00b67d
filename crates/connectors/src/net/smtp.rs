//! A mail server that mails are handed to (RFC 5321): over TLS from the start, or by STARTTLS; a password
//! never goes in the clear.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::dial::Host;
use super::trust::{certificates, verifying_client};
use super::{Dialer, excerpt, secured};

/// Where mails are handed in, and how.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    pub host: String,
    /// The usual one for `tls`, where there is none.
    pub port: Option<u16>,
    pub tls: Security,
    pub username: Option<String>,
    pub password: Option<SecretString>,
    /// Roots to trust, PEM.
    pub ca: Option<String>,
}

/// How the connection is kept from being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// RFC 3207; refused where the server does not offer it.
    #[default]
    Starttls,
    /// From the start (RFC 8314).
    Tls,
    None,
}

/// Why a mail was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpError {
    /// Trying again can help.
    #[error("{0}")]
    Unavailable(String),
    /// The server refuses this mail.
    #[error("{0}")]
    Refused(String),
}

/// Settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SmtpFault(String);

/// How the connection is made safe, ready for use.
enum Channel {
    Starttls(Box<TlsParameters>),
    Tls(TlsConnector, ServerName<'static>),
    None,
}

/// A mail server.
pub struct SmtpServer {
    dialer: Dialer,
    host: String,
    port: u16,
    security: Channel,
    credentials: Option<Credentials>,
}

impl SmtpServer {
    /// A server; it is not connected to yet.
    pub fn new(dialer: &Dialer, settings: SmtpSettings) -> Result<Self, SmtpFault> {
        Ok(Self {
            port: settings.port.unwrap_or(match settings.tls {
                Security::Starttls => 587,
                Security::Tls => 465,
                Security::None => 25,
            }),
            credentials: credentials(&settings)?,
            security: channel(&settings)?,
            host: settings.host,
            dialer: dialer.clone(),
        })
    }

    /// Hands a mail in, within a time.
    pub async fn send(
        &self,
        envelope: &Envelope,
        mail: &[u8],
        deadline: Duration,
    ) -> Result<(), SmtpError> {
        let sending = self.deliver(envelope, mail);
        tokio::time::timeout(deadline, sending)
            .await
            .unwrap_or_else(|_| {
                let seconds = deadline.as_secs();
                Err(self.failed(&format!("it was not done within {seconds} s")))
            })
    }

    async fn deliver(&self, envelope: &Envelope, mail: &[u8]) -> Result<(), SmtpError> {
        let mut connection = self.connect().await?;
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            connection
                .auth(&mechanisms, credentials)
                .await
                .map_err(|error| self.broken("it did not take the password", &error))?;
        }
        connection
            .send(envelope, mail)
            .await
            .map_err(|error| match error.is_permanent() {
                true => SmtpError::Refused(self.said("it refuses the mail", &error)),
                false => self.broken("it did not take the mail", &error),
            })?;
        // It has the mail; what it says to a farewell changes nothing.
        let _ = connection.quit().await;
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let host = match self.host.parse() {
            Ok(address) => Host::Address(address),
            Err(_) => Host::Name(&self.host),
        };
        let stream = self
            .dialer
            .connect(host, self.port)
            .await
            .map_err(|error| self.failed(&error.to_string()))?;
        let own = stream
            .local_addr()
            .map_err(|_| self.failed("the connection was lost"))?;
        let hello = match own {
            SocketAddr::V4(address) => ClientId::Ipv4(*address.ip()),
            SocketAddr::V6(address) => ClientId::Ipv6(*address.ip()),
        };
        let greet = |stream: Box<dyn AsyncTokioStream>| async {
            AsyncSmtpConnection::connect_with_transport(stream, &hello)
                .await
                .map_err(|error| self.broken("it does not greet as a mail server does", &error))
        };
        match &self.security {
            Channel::None => greet(Box::new(stream)).await,
            Channel::Tls(connector, name) => {
                let stream = secured(connector, name.clone(), stream).await;
                let stream = stream.map_err(|reason| {
                    self.failed(&format!("the TLS handshake failed: {reason}"))
                })?;
                greet(Box::new(Encrypted(stream))).await
            }
            Channel::Starttls(parameters) => {
                let mut connection = greet(Box::new(stream)).await?;
                connection
                    .starttls((**parameters).clone(), &hello)
                    .await
                    .map_err(|error| self.broken("STARTTLS failed", &error))?;
                Ok(connection)
            }
        }
    }

    fn failed(&self, reason: &str) -> SmtpError {
        SmtpError::Unavailable(format!("{}:{}: {reason}", self.host, self.port))
    }

    fn broken(&self, what: &str, error: &lettre::transport::smtp::Error) -> SmtpError {
        SmtpError::Unavailable(self.said(what, error))
    }

    /// The status code alone: what a server says beside it is its own.
    fn said(&self, what: &str, error: &lettre::transport::smtp::Error) -> String {
        let place = format!("{}:{}: {what}", self.host, self.port);
        match error.status() {
            Some(code) => format!("{place} ({code})"),
            None if error.is_tls() => {
                let reason = std::error::Error::source(error).map(ToString::to_string);
                let reason = excerpt(reason.unwrap_or_default().as_bytes());
                format!("{place}: the TLS handshake failed: {reason}")
            }
            None => format!("{place}: {}", excerpt(error.to_string().as_bytes())),
        }
    }
}

/// A stream that is encrypted from the start.
#[derive(Debug)]
struct Encrypted(TlsStream<TcpStream>);

impl AsyncTokioStream for Encrypted {
    fn peer_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, octets)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

fn credentials(read: &SmtpSettings) -> Result<Option<Credentials>, SmtpFault> {
    match (&read.username, &read.password) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) if read.tls == Security::None => Err(SmtpFault(
            "`tls` is none, and a password is not sent in the clear; use starttls or tls"
                .to_owned(),
        )),
        (Some(name), Some(password)) => Ok(Some(Credentials::new(
            name.clone(),
            password.expose_secret().to_owned(),
        ))),
        (Some(_), None) | (None, Some(_)) => Err(SmtpFault(
            "`username` and `password` go together".to_owned(),
        )),
    }
}

fn channel(read: &SmtpSettings) -> Result<Channel, SmtpFault> {
    let fault = |error: &dyn std::fmt::Display| SmtpFault(error.to_string());
    let name = ServerName::try_from(read.host.clone())
        .map_err(|_| SmtpFault(format!("`host`: `{}` is no host", read.host)))?;
    // Also with STARTTLS, so that what is wrong with `ca` shows at once.
    let config = verifying_client(read.ca.as_deref(), None, &[]).map_err(|error| fault(&error))?;
    Ok(match read.tls {
        Security::None => Channel::None,
        Security::Tls => Channel::Tls(TlsConnector::from(Arc::new(config)), name),
        Security::Starttls => {
            let mut parameters = TlsParameters::builder(read.host.clone());
            if let Some(pem) = &read.ca {
                parameters = parameters.certificate_store(CertificateStore::None);
                for der in certificates(pem).map_err(|error| fault(&error))? {
                    let root = Certificate::from_der(der).map_err(|error| fault(&error))?;
                    parameters = parameters.add_root_certificate(root);
                }
            }
            let parameters = parameters.build_rustls().map_err(|error| fault(&error))?;
            Channel::Starttls(Box::new(parameters))
        }
    })
}
