//! Who carries mails of challenges, made of the configuration.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use connectors::email::dkim::DkimSigner;
use connectors::email::{EmailSettings, ImapSettings, Mailer};
use connectors::net::Dialer;
use connectors::net::smtp::SmtpSettings;
use domain::acme::email::EmailExchange;
use pki::key::LocalKey;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::config::{Dkim, EmailChallenge, MailServer, Pin};

/// The carrier, where one is set up.
pub(crate) fn exchange(
    config: Option<&EmailChallenge>,
    dialer: &Dialer,
) -> anyhow::Result<Option<Arc<dyn EmailExchange>>> {
    let Some(config) = config else {
        return Ok(None);
    };
    let (username, password) = login(&config.smtp)?.unzip();
    let smtp = SmtpSettings {
        host: config.smtp.host.clone(),
        port: (config.smtp.port != 0).then_some(config.smtp.port),
        tls: config.smtp_tls,
        username,
        password,
        ca: pem(config.smtp.ca.as_deref())?,
    };
    let (username, password) = login(&config.imap)?.context("email_challenge.imap_username")?;
    let usual = if config.imap_tls { 993 } else { 143 };
    let imap = ImapSettings {
        host: config.imap.host.clone(),
        port: match config.imap.port {
            0 => usual,
            port => port,
        },
        tls: config.imap_tls,
        username,
        password,
        mailbox: config.mailbox.clone(),
        ca: pem(config.imap.ca.as_deref())?,
    };
    let settings = EmailSettings {
        from: config.from.clone(),
        smtp,
        imap,
        signer: config.dkim.as_ref().map(signer).transpose()?,
        require_dkim: config.require_dkim,
    };
    let mailer = Mailer::new(dialer, settings).context("section [email_challenge]")?;
    Ok(Some(Arc::new(mailer)))
}

fn login(server: &MailServer) -> anyhow::Result<Option<(String, SecretString)>> {
    let Some((username, password)) = &server.login else {
        return Ok(None);
    };
    Ok(Some((username.clone(), first_line(password)?)))
}

/// What was given, or the first line of the file that was.
pub(crate) fn first_line(pin: &Pin) -> anyhow::Result<SecretString> {
    match pin {
        Pin::Given(pin) => Ok(pin.clone()),
        Pin::File(path) => {
            let text = Zeroizing::new(
                std::fs::read_to_string(path)
                    .with_context(|| format!("secret file {}", path.display()))?,
            );
            Ok(SecretString::from(text.lines().next().unwrap_or_default()))
        }
    }
}

fn pem(path: Option<&Path>) -> anyhow::Result<Option<String>> {
    path.map(|path| std::fs::read_to_string(path).with_context(|| path.display().to_string()))
        .transpose()
}

fn signer(dkim: &Dkim) -> anyhow::Result<DkimSigner> {
    let context = || format!("email_challenge.dkim_key_file {}", dkim.key.display());
    let pem = Zeroizing::new(std::fs::read(&dkim.key).with_context(context)?);
    let key = LocalKey::from_pem(&*pem).with_context(context)?;
    DkimSigner::new(dkim.domain.clone(), dkim.selector.clone(), key).with_context(context)
}
