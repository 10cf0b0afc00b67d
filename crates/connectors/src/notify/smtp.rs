//! Mail by SMTP: over TLS from the start, or by STARTTLS; a password never goes in the clear.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use domain::notification::channel::Settings;
use domain::notification::notifier::{
    Format, Message, Notifier, NotifierKind, NotifyError, SettingsFault, Words,
};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
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

use super::{DEADLINE, settings};
use crate::net::dial::Host;
use crate::net::trust::{certificates, verifying_client};
use crate::net::{Dialer, excerpt};

/// The kind `smtp`.
pub struct Smtp {
    dialer: Dialer,
}

impl Smtp {
    /// The kind, dialling through `dialer`.
    pub fn new(dialer: Dialer) -> Self {
        Self { dialer }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SmtpSettings {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    tls: Security,
    username: Option<String>,
    password: Option<SecretString>,
    from: String,
    #[serde(default)]
    to: Vec<String>,
    reply_to: Option<String>,
    /// Roots to trust, PEM.
    ca: Option<String>,
}

/// How the connection is kept from being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Security {
    /// RFC 3207; refused where the server does not offer it.
    #[default]
    Starttls,
    /// From the start (RFC 8314).
    Tls,
    None,
}

impl NotifierKind for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn summary(&self) -> &'static str {
        "sends mails by a mail server"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["password"]
    }

    fn destination(&self) -> &'static [&'static str] {
        &["host", "port", "tls", "username", "ca"]
    }

    fn format(&self) -> Format {
        Format::Plain
    }

    fn words(&self) -> Words {
        Words {
            subject: Some(include_str!("words/smtp.subject.txt")),
            text: Some(include_str!("words/smtp.txt")),
            html: Some(include_str!("words/smtp.html")),
        }
    }

    fn reaches_people(&self) -> bool {
        true
    }

    fn open(&self, given: Settings) -> Result<Arc<dyn Notifier>, SettingsFault> {
        let read: SmtpSettings = settings::read(given)?;
        let credentials = credentials(&read)?;
        let server = Server {
            port: read.port.unwrap_or(match read.tls {
                Security::Starttls => 587,
                Security::Tls => 465,
                Security::None => 25,
            }),
            security: tls(&read)?,
            host: read.host,
            dialer: self.dialer.clone(),
            credentials,
        };
        let to = read.to.iter().map(|text| mailbox("to", text));
        Ok(Arc::new(SmtpNotifier {
            server,
            from: mailbox("from", &read.from)?,
            to: to.collect::<Result<_, _>>()?,
            reply_to: read
                .reply_to
                .map(|text| mailbox("reply_to", &text))
                .transpose()?,
        }))
    }
}

fn credentials(read: &SmtpSettings) -> Result<Option<Credentials>, SettingsFault> {
    match (&read.username, &read.password) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) if read.tls == Security::None => Err(SettingsFault(
            "`tls` is none, and a password is not sent in the clear; use starttls or tls"
                .to_owned(),
        )),
        (Some(name), Some(password)) => Ok(Some(Credentials::new(
            name.clone(),
            password.expose_secret().to_owned(),
        ))),
        (Some(_), None) | (None, Some(_)) => Err(SettingsFault(
            "`username` and `password` go together".to_owned(),
        )),
    }
}

fn mailbox(name: &str, text: &str) -> Result<Mailbox, SettingsFault> {
    text.parse()
        .map_err(|error| SettingsFault(format!("`{name}`: `{text}` is no mail address: {error}")))
}

/// How the connection is made safe, ready for use.
enum Channel {
    Starttls(Box<TlsParameters>),
    Tls(TlsConnector, ServerName<'static>),
    None,
}

fn tls(read: &SmtpSettings) -> Result<Channel, SettingsFault> {
    let fault = |error: &dyn std::fmt::Display| SettingsFault(error.to_string());
    let name = ServerName::try_from(read.host.clone())
        .map_err(|_| SettingsFault(format!("`host`: `{}` is no host", read.host)))?;
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

struct Server {
    dialer: Dialer,
    host: String,
    port: u16,
    security: Channel,
    credentials: Option<Credentials>,
}

struct SmtpNotifier {
    server: Server,
    from: Mailbox,
    to: Vec<Mailbox>,
    reply_to: Option<Mailbox>,
}

#[async_trait]
impl Notifier for SmtpNotifier {
    async fn send(&self, message: &Message) -> Result<(), NotifyError> {
        let mail = self.mail(message)?;
        let sending = self.server.send(&mail);
        tokio::time::timeout(DEADLINE, sending)
            .await
            .unwrap_or_else(|_| {
                let seconds = DEADLINE.as_secs();
                Err(self
                    .server
                    .failed(&format!("it was not done within {seconds} s")))
            })
    }
}

impl SmtpNotifier {
    fn recipients(&self, message: &Message) -> Result<Vec<Mailbox>, NotifyError> {
        let mut all = match message.private {
            true => Vec::new(),
            false => self.to.clone(),
        };
        for text in &message.recipients {
            let mailbox: Mailbox = text
                .parse()
                .map_err(|_| NotifyError::Refused(format!("`{text}` is no mail address")))?;
            if !all.iter().any(|known| known.email == mailbox.email) {
                all.push(mailbox);
            }
        }
        match all.is_empty() {
            true => Err(NotifyError::Refused(
                "there is nobody to send it to: neither the channel nor the rule names a recipient"
                    .to_owned(),
            )),
            false => Ok(all),
        }
    }

    /// RFC 5322; the delivery's id makes the Message-ID, by which mail servers know a repeat.
    fn mail(&self, message: &Message) -> Result<lettre::Message, NotifyError> {
        let millis = u64::try_from(message.event.at.millis()).unwrap_or(0);
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            .message_id(Some(format!(
                "<{}@{}>",
                message.id,
                self.from.email.domain()
            )))
            .subject(message.subject.clone().unwrap_or_default());
        for recipient in self.recipients(message)? {
            builder = builder.to(recipient);
        }
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let text = message.text.clone().unwrap_or_default();
        let built = match message.html.clone() {
            Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, html)),
            None => builder.singlepart(SinglePart::plain(text)),
        };
        let mut mail = built
            .map_err(|error| NotifyError::Refused(format!("the mail cannot be made: {error}")))?;
        // RFC 3834: nobody's absence is to be answered to it.
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        let value = HeaderValue::new(name, "auto-generated".to_owned());
        mail.headers_mut().insert_raw(value);
        Ok(mail)
    }
}

impl Server {
    async fn send(&self, mail: &lettre::Message) -> Result<(), NotifyError> {
        let mut connection = self.connect().await?;
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            connection
                .auth(&mechanisms, credentials)
                .await
                .map_err(|error| self.broken("it did not take the password", &error))?;
        }
        connection
            .send(mail.envelope(), &mail.formatted())
            .await
            .map_err(|error| match error.is_permanent() {
                true => NotifyError::Refused(self.said("it refuses the mail", &error)),
                false => self.broken("it did not take the mail", &error),
            })?;
        // It has the mail; what it says to a farewell changes nothing.
        let _ = connection.quit().await;
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, NotifyError> {
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
                let stream = connector
                    .connect(name.clone(), stream)
                    .await
                    .map_err(|error| {
                        let reason = excerpt(error.to_string().as_bytes());
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

    fn failed(&self, reason: &str) -> NotifyError {
        NotifyError::unavailable(format!("{}:{}: {reason}", self.host, self.port))
    }

    fn broken(&self, what: &str, error: &lettre::transport::smtp::Error) -> NotifyError {
        NotifyError::unavailable(self.said(what, error))
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
