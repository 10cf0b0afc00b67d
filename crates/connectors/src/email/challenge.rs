//! The mail that a challenge begins with (RFC 8823 section 3.1).

use std::time::{Duration, SystemTime};

use domain::acme::email::{ChallengeMail, MailError};
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};

/// Writes it.
pub(super) fn compose(from: &Mailbox, mail: &ChallengeMail) -> Result<Message, MailError> {
    let refused = |error: &dyn std::fmt::Display| {
        MailError::Refused(format!("the mail cannot be made: {error}"))
    };
    let to: Mailbox = mail
        .to
        .to_string()
        .parse()
        .map_err(|error| refused(&error))?;
    let millis = u64::try_from(mail.at.millis()).unwrap_or(0);
    let text = TEXT
        .replace("{mailbox}", to.email.as_ref())
        .replace("{from}", from.email.as_ref());
    let mut message = Message::builder()
        .from(from.clone())
        .to(to)
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
        .message_id(Some(mail.message_id.clone()))
        .subject(format!("ACME: {}", mail.token))
        .singlepart(SinglePart::plain(text))
        .map_err(|error| refused(&error))?;
    // RFC 8823 section 3.1, item 8: absence notices are not to answer it, mail programs are.
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    let value = HeaderValue::new(name, "auto-generated; type=acme".to_owned());
    message.headers_mut().insert_raw(value);
    Ok(message)
}

const TEXT: &str = "\
This mail was sent by a certificate authority because somebody asked for a\r\n\
certificate for the address {mailbox}.\r\n\
\r\n\
If that was you, your ACME client or mail program answers it for you. If it does\r\n\
not, reply to this mail, leave the subject as it is, and put into the reply the\r\n\
lines that your ACME client shows, which begin with\r\n\
-----BEGIN ACME RESPONSE-----. The reply goes to {from}.\r\n\
\r\n\
If it was not you, ignore this mail: nothing is issued without a reply.\r\n";
