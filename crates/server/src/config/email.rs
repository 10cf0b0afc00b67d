//! Section `[email_challenge]`.

use std::path::PathBuf;

use connectors::net::smtp::Security;

use super::ca::Pin;
use super::reader::{Reader, Refusal};

/// Challenges for mailboxes (email-reply-00, RFC 8823).
#[derive(Clone, Debug)]
pub struct EmailChallenge {
    /// Who challenges come from, and where replies go.
    pub from: String,
    /// The server that sends.
    pub smtp: MailServer,
    /// How its connection is kept from being read.
    pub smtp_tls: Security,
    /// The server with the mailbox.
    pub imap: MailServer,
    /// Whether its connection is encrypted from the start.
    pub imap_tls: bool,
    /// The mailbox.
    pub mailbox: String,
    /// Whether replies need a signature of their sender's domain.
    pub require_dkim: bool,
    /// What our own mails are signed with.
    pub dkim: Option<Dkim>,
}

/// A server with what it knows us by.
#[derive(Clone, Debug)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port; 0 for the usual one.
    pub port: u16,
    /// User name and password, if it wants any.
    pub login: Option<(String, Pin)>,
    /// Roots to trust instead of the system's.
    pub ca: Option<PathBuf>,
}

/// A key that signs mails.
#[derive(Clone, Debug)]
pub struct Dkim {
    /// The domain that signs.
    pub domain: String,
    /// Below `_domainkey` of it, where the public key is.
    pub selector: String,
    /// The key, PKCS #8 in PEM.
    pub key: PathBuf,
}

impl EmailChallenge {
    /// The section; `None` where no address is set.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let from = plain(reader, "email_challenge.from", "acme@ca.example.org");
        let smtp = smtp(reader);
        let imap = imap(reader);
        let smtp_tls = reader.choice(
            "email_challenge.smtp_tls",
            &[
                ("starttls", Security::Starttls),
                ("tls", Security::Tls),
                ("none", Security::None),
            ],
        );
        let imap_tls = reader.switch("email_challenge.imap_tls");
        let mailbox = reader.text("email_challenge.imap_mailbox");
        let require_dkim = reader.switch("email_challenge.require_dkim");
        let dkim = dkim(reader);
        let from = from?;
        let missing = [
            (smtp.is_none(), "email_challenge.smtp_host"),
            (imap.is_none(), "email_challenge.imap_host"),
            (
                imap.as_ref().is_some_and(|imap| imap.login.is_none()),
                "email_challenge.imap_username and imap_password_file",
            ),
        ];
        for (_, name) in missing.iter().filter(|(missing, _)| *missing) {
            let refusal = Refusal::new(
                format!("challenges by mail need {name}"),
                "set it in section [email_challenge], or take from away",
            );
            reader.refuse("email_challenge.from", refusal);
        }
        Some(Self {
            from,
            smtp: smtp?,
            smtp_tls,
            imap: imap?,
            imap_tls,
            mailbox,
            require_dkim,
            dkim,
        })
    }

    /// The files that it names, with their keys.
    pub(super) fn files(&self) -> Vec<(&'static str, &PathBuf)> {
        let mut files = Vec::new();
        if let Some(ca) = &self.smtp.ca {
            files.push(("email_challenge.smtp_ca", ca));
        }
        if let Some(ca) = &self.imap.ca {
            files.push(("email_challenge.imap_ca", ca));
        }
        if let Some((_, Pin::File(path))) = &self.smtp.login {
            files.push(("email_challenge.smtp_password_file", path));
        }
        if let Some((_, Pin::File(path))) = &self.imap.login {
            files.push(("email_challenge.imap_password_file", path));
        }
        if let Some(dkim) = &self.dkim {
            files.push(("email_challenge.dkim_key_file", &dkim.key));
        }
        files
    }
}

fn smtp(reader: &mut Reader<'_>) -> Option<MailServer> {
    let port = reader.number("email_challenge.smtp_port", 0..=65_535);
    let username = plain(reader, "email_challenge.smtp_username", "certwright");
    let password = Pin::read(
        reader,
        "email_challenge.smtp_password",
        "email_challenge.smtp_password_file",
    );
    let ca = reader.path("email_challenge.smtp_ca");
    Some(MailServer {
        host: plain(reader, "email_challenge.smtp_host", "mail.example.org")?,
        port,
        login: login(reader, "email_challenge.smtp_username", username, password),
        ca,
    })
}

fn imap(reader: &mut Reader<'_>) -> Option<MailServer> {
    let port = reader.number("email_challenge.imap_port", 0..=65_535);
    let username = plain(reader, "email_challenge.imap_username", "acme");
    let password = Pin::read(
        reader,
        "email_challenge.imap_password",
        "email_challenge.imap_password_file",
    );
    let ca = reader.path("email_challenge.imap_ca");
    Some(MailServer {
        host: plain(reader, "email_challenge.imap_host", "mail.example.org")?,
        port,
        login: login(reader, "email_challenge.imap_username", username, password),
        ca,
    })
}

fn login(
    reader: &mut Reader<'_>,
    name: &'static str,
    username: Option<String>,
    password: Option<Pin>,
) -> Option<(String, Pin)> {
    match (username, password) {
        (Some(username), Some(password)) => Some((username, password)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            let remedy = "set both, the password best as a file";
            let refusal = Refusal::new("user name and password go together", remedy);
            reader.refuse(name, refusal);
            None
        }
    }
}

fn dkim(reader: &mut Reader<'_>) -> Option<Dkim> {
    let domain = plain(reader, "email_challenge.dkim_domain", "ca.example.org");
    let selector = plain(reader, "email_challenge.dkim_selector", "acme");
    let key = reader.path("email_challenge.dkim_key_file");
    match (domain, selector, key) {
        (Some(domain), Some(selector), Some(key)) => Some(Dkim {
            domain,
            selector,
            key,
        }),
        (None, None, None) => None,
        _ => {
            let remedy = "set all three, or none";
            let refusal = Refusal::new("domain, selector and key go together", remedy);
            reader.refuse("email_challenge.dkim_domain", refusal);
            None
        }
    }
}

fn plain(reader: &mut Reader<'_>, name: &'static str, example: &str) -> Option<String> {
    reader.parsed(name, example)
}
