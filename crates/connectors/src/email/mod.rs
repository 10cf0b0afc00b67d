//! Mails that prove control of a mailbox (RFC 8823): challenges leave by SMTP, signed with DKIM where a key
//! is set; replies are read from a mailbox by IMAP.

mod challenge;
pub mod dkim;
mod imap;
mod reply;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::acme::email::{ChallengeMail, EmailExchange, MailError, Received, ReplyRules};
use lettre::message::Mailbox;

use crate::net::smtp::{SmtpError, SmtpServer, SmtpSettings};
use crate::net::{Dialer, Resolver};
use dkim::DkimSigner;
use imap::ImapMailbox;
pub use imap::ImapSettings;

/// Who writes, by which server, and where replies are read.
pub struct EmailSettings {
    /// The address that challenges come from and replies go to.
    pub from: String,
    pub smtp: SmtpSettings,
    pub imap: ImapSettings,
    pub signer: Option<DkimSigner>,
    /// Whether replies without a signature of their sender's domain count for nothing.
    pub require_dkim: bool,
}

/// Settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EmailFault(String);

/// Carries mails of challenges.
pub struct Mailer {
    /// With a display name, if it has one.
    from: Mailbox,
    address: String,
    smtp: SmtpServer,
    imap: ImapMailbox,
    signer: Option<DkimSigner>,
    resolver: Arc<Resolver>,
    rules: ReplyRules,
}

impl Mailer {
    /// One that dials through `dialer`; nothing is connected to yet.
    pub fn new(dialer: &Dialer, settings: EmailSettings) -> Result<Self, EmailFault> {
        let fault = |error: &dyn std::fmt::Display| EmailFault(error.to_string());
        let from: Mailbox = settings
            .from
            .parse()
            .map_err(|error| fault(&format!("`{}` is no mail address: {error}", settings.from)))?;
        Ok(Self {
            address: from.email.to_string(),
            from,
            smtp: SmtpServer::new(dialer, settings.smtp).map_err(|error| fault(&error))?,
            imap: ImapMailbox::new(dialer, settings.imap).map_err(|error| fault(&error))?,
            signer: settings.signer,
            resolver: Arc::clone(dialer.resolver()),
            rules: ReplyRules {
                require_dkim: settings.require_dkim,
            },
        })
    }
}

#[async_trait]
impl EmailExchange for Mailer {
    fn from(&self) -> &str {
        &self.address
    }

    fn rules(&self) -> ReplyRules {
        self.rules
    }

    async fn send(&self, mail: &ChallengeMail) -> Result<(), MailError> {
        let message = challenge::compose(&self.from, mail)?;
        let octets = match &self.signer {
            Some(signer) => signer
                .signed(&message.formatted(), mail.at)
                .map_err(|error| MailError::Unavailable(error.to_string()))?,
            None => message.formatted(),
        };
        let sending = self.smtp.send(message.envelope(), &octets, DEADLINE);
        sending.await.map_err(|error| match error {
            SmtpError::Unavailable(text) => MailError::Unavailable(text),
            SmtpError::Refused(text) => MailError::Refused(text),
        })
    }

    async fn receive(&self) -> Result<Vec<Received>, MailError> {
        let mails = self.imap.unseen().await?;
        // At once: name servers that do not answer hold nobody else up.
        let read = mails.into_iter().map(|mail| async move {
            let reply = match mail.octets {
                Ok(octets) => reply::read(&octets, &self.resolver).await,
                Err(why) => Err(why),
            };
            Received {
                number: mail.number,
                reply,
            }
        });
        Ok(futures::future::join_all(read).await)
    }

    async fn settle(&self, numbers: &[u32]) -> Result<(), MailError> {
        self.imap.mark(numbers).await
    }
}

const DEADLINE: Duration = Duration::from_secs(30);
