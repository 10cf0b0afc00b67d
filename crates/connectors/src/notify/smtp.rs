//! Mail by SMTP.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use domain::notification::channel::Settings;
use domain::notification::notifier::{
    Format, Message, Notifier, NotifierKind, NotifyError, SettingsFault, Words,
};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use secrecy::SecretString;
use serde::Deserialize;

use super::{DEADLINE, settings};
use crate::net::Dialer;
use crate::net::smtp::{Security, SmtpError, SmtpServer, SmtpSettings};

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
struct ChannelSettings {
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
        let read: ChannelSettings = settings::read(given)?;
        let server = SmtpSettings {
            host: read.host,
            port: read.port,
            tls: read.tls,
            username: read.username,
            password: read.password,
            ca: read.ca,
        };
        let server = SmtpServer::new(&self.dialer, server)
            .map_err(|error| SettingsFault(error.to_string()))?;
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

fn mailbox(name: &str, text: &str) -> Result<Mailbox, SettingsFault> {
    text.parse()
        .map_err(|error| SettingsFault(format!("`{name}`: `{text}` is no mail address: {error}")))
}

struct SmtpNotifier {
    server: SmtpServer,
    from: Mailbox,
    to: Vec<Mailbox>,
    reply_to: Option<Mailbox>,
}

#[async_trait]
impl Notifier for SmtpNotifier {
    async fn send(&self, message: &Message) -> Result<(), NotifyError> {
        let mail = self.mail(message)?;
        let octets = mail.formatted();
        let sending = self.server.send(mail.envelope(), &octets, DEADLINE);
        sending.await.map_err(|error| match error {
            SmtpError::Unavailable(text) => NotifyError::unavailable(text),
            SmtpError::Refused(text) => NotifyError::Refused(text),
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
