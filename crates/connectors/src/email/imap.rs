//! The mailbox that replies come to (RFC 9051): looked at, never changed but for the mark that a mail was
//! seen.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_imap::{Client, Session};
use domain::acme::email::MailError;
use futures::TryStreamExt;
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use crate::net::dial::Host;
use crate::net::trust::verifying_client;
use crate::net::{Dialer, excerpt};

/// Where the mailbox is.
pub struct ImapSettings {
    pub host: String,
    pub port: u16,
    /// Without TLS a password leaves this machine nowhere: only for a server on it.
    pub tls: bool,
    pub username: String,
    pub password: SecretString,
    pub mailbox: String,
    /// Roots to trust, PEM.
    pub ca: Option<String>,
}

/// Settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct ImapFault(String);

/// A mail as it came, or why it was left where it is.
pub(super) struct Mail {
    pub(super) number: u32,
    pub(super) octets: Result<Vec<u8>, String>,
}

/// A mailbox.
pub(super) struct ImapMailbox {
    dialer: Dialer,
    settings: ImapSettings,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Stream for T {}

type Open = Session<Box<dyn Stream>>;

impl ImapMailbox {
    pub(super) fn new(dialer: &Dialer, settings: ImapSettings) -> Result<Self, ImapFault> {
        let fault = |error: &dyn fmt::Display| ImapFault(error.to_string());
        let is_near = settings.host == "localhost"
            || settings
                .host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if !settings.tls && !is_near {
            return Err(fault(
                &"a password is not sent in the clear; use TLS, or a server on this machine",
            ));
        }
        let tls = match settings.tls {
            false => None,
            true => {
                let name = ServerName::try_from(settings.host.clone())
                    .map_err(|_| fault(&format!("`{}` is no host", settings.host)))?;
                let config = verifying_client(settings.ca.as_deref(), None, &[])
                    .map_err(|error| fault(&error))?;
                Some((TlsConnector::from(Arc::new(config)), name))
            }
        };
        Ok(Self {
            dialer: dialer.clone(),
            settings,
            tls,
        })
    }

    /// Some mails that nobody looked at, the oldest first.
    pub(super) async fn unseen(&self) -> Result<Vec<Mail>, MailError> {
        self.within(async {
            let mut session = self.open().await?;
            let found = session.uid_search("UNSEEN").await;
            let mut numbers: Vec<u32> = found.map_err(|e| self.broken(&e))?.into_iter().collect();
            numbers.sort_unstable();
            // From both ends: mails that have to wait leave room for those that come after them.
            if numbers.len() > 2 * AT_ONCE {
                numbers.drain(AT_ONCE..numbers.len() - AT_ONCE);
            }
            let mut mails = Vec::new();
            for number in numbers {
                mails.push(self.fetch(&mut session, number).await?);
            }
            self.close(session).await;
            Ok(mails)
        })
        .await
    }

    /// Marks mails as seen.
    pub(super) async fn mark(&self, numbers: &[u32]) -> Result<(), MailError> {
        self.within(async {
            let mut session = self.open().await?;
            let set: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            let stored = session.uid_store(set.join(","), "+FLAGS.SILENT (\\Seen)");
            let stored = stored.await.map_err(|e| self.broken(&e))?;
            let stored: Result<Vec<_>, _> = stored.try_collect().await;
            stored.map_err(|e| self.broken(&e))?;
            self.close(session).await;
            Ok(())
        })
        .await
    }

    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, MailError>>,
    ) -> Result<T, MailError> {
        tokio::time::timeout(DEADLINE, work)
            .await
            .unwrap_or_else(|_| {
                let seconds = DEADLINE.as_secs();
                Err(self.failed(&format!("it was not done within {seconds} s")))
            })
    }

    /// A mail, unless it is larger than a reply can be: then not an octet of it is asked for.
    async fn fetch(&self, session: &mut Open, number: u32) -> Result<Mail, MailError> {
        let size = self
            .one(session, number, "(UID RFC822.SIZE)")
            .await?
            .and_then(|fetched| fetched.size);
        let octets = match size {
            Some(0..=MAX_OCTETS) => self
                .one(session, number, "(UID BODY.PEEK[])")
                .await?
                .and_then(|fetched| fetched.body().map(<[u8]>::to_vec))
                .ok_or_else(|| "it is not there any more".to_owned()),
            Some(size) => Err(format!(
                "it has {size} octets, and a reply to a challenge at most {MAX_OCTETS}"
            )),
            None => Err("its size is not told".to_owned()),
        };
        Ok(Mail { number, octets })
    }

    async fn one(
        &self,
        session: &mut Open,
        number: u32,
        what: &str,
    ) -> Result<Option<async_imap::types::Fetch>, MailError> {
        let stream = session.uid_fetch(number.to_string(), what).await;
        let found: Vec<_> = stream
            .map_err(|e| self.broken(&e))?
            .try_collect()
            .await
            .map_err(|e| self.broken(&e))?;
        Ok(found.into_iter().find(|one| one.uid == Some(number)))
    }

    async fn open(&self) -> Result<Open, MailError> {
        let settings = &self.settings;
        let host = match settings.host.parse() {
            Ok(address) => Host::Address(address),
            Err(_) => Host::Name(&settings.host),
        };
        let stream = self
            .dialer
            .connect(host, settings.port)
            .await
            .map_err(|error| self.failed(&error.to_string()))?;
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(stream),
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await;
                Box::new(stream.map_err(|error| {
                    let reason = excerpt(error.to_string().as_bytes());
                    self.failed(&format!("the TLS handshake failed: {reason}"))
                })?)
            }
        };
        let mut client = Client::new(stream);
        match client.read_response().await {
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => {
                return Err(self.failed("it does not greet as an IMAP server does"));
            }
        }
        // What it says to a wrong password is its own: it may repeat it.
        let mut session = client
            .login(&settings.username, settings.password.expose_secret())
            .await
            .map_err(|_| self.failed("it did not take user name and password"))?;
        session
            .select(&settings.mailbox)
            .await
            .map_err(|_| self.failed(&format!("there is no mailbox `{}`", settings.mailbox)))?;
        Ok(session)
    }

    async fn close(&self, mut session: Open) {
        // All is done; what it says to a farewell changes nothing.
        let _ = session.logout().await;
    }

    fn broken(&self, error: &async_imap::error::Error) -> MailError {
        self.failed(&excerpt(error.to_string().as_bytes()))
    }

    fn failed(&self, reason: &str) -> MailError {
        let ImapSettings { host, port, .. } = &self.settings;
        MailError::Unavailable(format!("{host}:{port}: {reason}"))
    }
}

const AT_ONCE: usize = 10;
/// A reply is some lines with a digest, and whatever mail programs put around it.
const MAX_OCTETS: u32 = 256 * 1024;
const DEADLINE: Duration = Duration::from_secs(45);
