//! Syslog (RFC 5424) over TLS (RFC 5425), TCP (RFC 6587) or UDP (RFC 5426), with the event as JSON,
//! CEF or OCSF.
//!
//! Syslog has no acknowledgement. Over TLS and TCP a batch counts as taken when the receiver has
//! closed the connection in good order after our end of it, which shows that it read everything.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::notification::channel::Settings;
use domain::notification::notifier::{
    Format, Message, Notifier, NotifierKind, NotifyError, SettingsFault,
};
use protocols::siem::syslog::{Framing, Source, frame, message};
use protocols::siem::{cef, ocsf};
use rustls::pki_types::ServerName;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use super::{DEADLINE, settings, wire};
use crate::net::dial::Host;
use crate::net::trust::{Identity, verifying_client};
use crate::net::{Dialer, secured};

/// The kind `syslog`.
pub struct Syslog {
    dialer: Dialer,
}

impl Syslog {
    /// The kind, dialling through `dialer`.
    pub fn new(dialer: Dialer) -> Self {
        Self { dialer }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SyslogSettings {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    transport: Transport,
    #[serde(default)]
    format: Payload,
    #[serde(default)]
    framing: FramingSetting,
    facility: Option<u8>,
    /// What we call ourselves.
    hostname: Option<String>,
    app_name: Option<String>,
    /// Roots to trust, PEM.
    ca: Option<String>,
    client_certificate: Option<String>,
    client_key: Option<SecretString>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Transport {
    #[default]
    Tls,
    Tcp,
    Udp,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Payload {
    #[default]
    Json,
    Cef,
    Ocsf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FramingSetting {
    #[default]
    OctetCounting,
    NewLine,
}

impl NotifierKind for Syslog {
    fn name(&self) -> &'static str {
        "syslog"
    }

    fn summary(&self) -> &'static str {
        "sends events to a log collector as JSON, CEF or OCSF"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["client_key"]
    }

    fn destination(&self) -> &'static [&'static str] {
        &["host", "port", "transport", "ca"]
    }

    fn format(&self) -> Format {
        Format::Plain
    }

    fn streams(&self) -> bool {
        true
    }

    fn open(&self, given: Settings) -> Result<Arc<dyn Notifier>, SettingsFault> {
        let read: SyslogSettings = settings::read(given)?;
        if read.facility.is_some_and(|facility| facility > 23) {
            return Err(SettingsFault(
                "`facility` is a number from 0 to 23".to_owned(),
            ));
        }
        let app_name = read.app_name.clone();
        Ok(Arc::new(SyslogNotifier {
            tls: tls(&read)?,
            port: read.port.unwrap_or(match read.transport {
                Transport::Tls => 6514,
                Transport::Tcp | Transport::Udp => 514,
            }),
            transport: read.transport,
            payload: read.format,
            framing: match read.framing {
                FramingSetting::OctetCounting => Framing::OctetCounting,
                FramingSetting::NewLine => Framing::NewLine,
            },
            source: Source {
                facility: read.facility.unwrap_or(AUDIT_LOG),
                hostname: read.hostname.unwrap_or_default(),
                app_name: app_name.unwrap_or_else(|| "certwright".to_owned()),
            },
            host: read.host,
            dialer: self.dialer.clone(),
        }))
    }
}

/// RFC 5424 section 6.2.1.
const AUDIT_LOG: u8 = 13;

fn tls(
    read: &SyslogSettings,
) -> Result<Option<(TlsConnector, ServerName<'static>)>, SettingsFault> {
    let identity = match (&read.client_certificate, &read.client_key) {
        (None, None) => None,
        (Some(certificates), Some(key)) => Some(Identity::new(certificates, key)),
        (Some(_), None) | (None, Some(_)) => {
            return Err(SettingsFault(
                "`client_certificate` and `client_key` go together".to_owned(),
            ));
        }
    };
    let name = ServerName::try_from(read.host.clone())
        .map_err(|_| SettingsFault(format!("`host`: `{}` is no host", read.host)))?;
    if read.transport != Transport::Tls {
        return Ok(None);
    }
    let config = verifying_client(read.ca.as_deref(), identity.as_ref(), &[])
        .map_err(|error| SettingsFault(error.to_string()))?;
    Ok(Some((TlsConnector::from(Arc::new(config)), name)))
}

struct SyslogNotifier {
    dialer: Dialer,
    host: String,
    port: u16,
    transport: Transport,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    payload: Payload,
    framing: Framing,
    source: Source,
}

#[async_trait]
impl Notifier for SyslogNotifier {
    async fn send(&self, message: &Message) -> Result<(), NotifyError> {
        match self.stream(std::slice::from_ref(message)).await {
            (_, None) => Ok(()),
            (_, Some(error)) => Err(error),
        }
    }

    /// All over one connection: either all are taken, or none for certain.
    async fn stream(&self, messages: &[Message]) -> (usize, Option<NotifyError>) {
        let sent = tokio::time::timeout(DEADLINE, self.send_all(messages)).await;
        let sent = sent.unwrap_or_else(|_| {
            Err(self.failed(&format!("it was not done within {} s", DEADLINE.as_secs())))
        });
        match sent {
            Ok(()) => (messages.len(), None),
            Err(error) => (0, Some(error)),
        }
    }
}

impl SyslogNotifier {
    async fn send_all(&self, messages: &[Message]) -> Result<(), NotifyError> {
        let mut lines = Vec::with_capacity(messages.len());
        for message in messages {
            lines.push(self.line(message)?);
        }
        if self.transport == Transport::Udp {
            return self.send_datagrams(&lines).await;
        }
        let stream = self
            .dialer
            .connect(self.target(), self.port)
            .await
            .map_err(|error| self.failed(&error.to_string()))?;
        match &self.tls {
            None => self.write(stream, &lines).await,
            Some((connector, name)) => {
                let stream = secured(connector, name.clone(), stream).await;
                let stream = stream.map_err(|reason| {
                    self.failed(&format!("the TLS handshake failed: {reason}"))
                })?;
                self.write(stream, &lines).await
            }
        }
    }

    fn line(&self, sent: &Message) -> Result<String, NotifyError> {
        let (event, level) = (wire::event(sent)?, wire::level(sent));
        let payload = match (&sent.text, self.payload) {
            (Some(text), _) => text.clone(),
            (None, Payload::Cef) => cef::line(&event, level),
            (None, Payload::Ocsf) => ocsf::object(&event, level).to_string(),
            (None, Payload::Json) => serde_json::to_string(&event)
                .map_err(|error| NotifyError::Refused(error.to_string()))?,
        };
        let position = sent.position;
        Ok(message(&self.source, &event, level, position, &payload))
    }

    /// Writes everything, says that this was all, and waits for the receiver to say so too.
    async fn write<S>(&self, mut stream: S, lines: &[String]) -> Result<(), NotifyError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let lost = |error: std::io::Error| {
            self.failed(&format!("the connection was lost: {}", error.kind()))
        };
        for line in lines {
            let octets = frame(line, self.framing);
            stream.write_all(&octets).await.map_err(lost)?;
        }
        stream.shutdown().await.map_err(lost)?;
        let mut rest = [0; 512];
        let farewell = async {
            loop {
                match stream.read(&mut rest).await {
                    Ok(0) => return Ok(()),
                    Ok(_) => {}
                    // Without close_notify: it has closed all the same.
                    Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                        return Ok(());
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        match tokio::time::timeout(FAREWELL, farewell).await {
            Ok(ended) => ended.map_err(lost),
            // RFC 5425 section 4.4 lets it keep silent.
            Err(_) => Ok(()),
        }
    }

    async fn send_datagrams(&self, lines: &[String]) -> Result<(), NotifyError> {
        let lost = |error: std::io::Error| self.failed(&error.kind().to_string());
        let socket = self
            .dialer
            .udp(self.target(), self.port)
            .await
            .map_err(|error| self.failed(&error.to_string()))?;
        for line in lines {
            if line.len() > MOST_IN_A_DATAGRAM {
                return Err(NotifyError::Refused(format!(
                    "the message has {} octets, and UDP carries {MOST_IN_A_DATAGRAM}; use tcp or tls",
                    line.len()
                )));
            }
            socket.send(line.as_bytes()).await.map_err(lost)?;
        }
        Ok(())
    }

    fn target(&self) -> Host<'_> {
        match self.host.parse() {
            Ok(address) => Host::Address(address),
            Err(_) => Host::Name(&self.host),
        }
    }

    fn failed(&self, reason: &str) -> NotifyError {
        NotifyError::unavailable(format!("{}:{}: {reason}", self.host, self.port))
    }
}

const FAREWELL: Duration = Duration::from_secs(3);
const MOST_IN_A_DATAGRAM: usize = 60_000;
