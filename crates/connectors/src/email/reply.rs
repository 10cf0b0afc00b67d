//! Reading a mail that may be a reply (RFC 8823 section 3.2). Whoever wrote it knows our address, and no
//! more than that: nothing of it is believed here.

use std::time::Duration;

use domain::acme::email::{Reply, SignatureFault};
use domain::identifier::Mailbox;
use mail_parser::{Address, HeaderValue, Message, MessageParser, PartType};

use super::dkim::{self, Fields};
use crate::net::Resolver;

/// Reads it, or says why it cannot be a reply.
pub(super) async fn read(octets: &[u8], resolver: &Resolver) -> Result<Reply, String> {
    let mut reply = parse(octets)?;
    if let Some(from) = &reply.from {
        let domain = from.domain().to_string();
        let verifying = dkim::verify(octets, &domain, resolver);
        let late = || SignatureFault::Unavailable("its keys are not told in time".to_owned());
        reply.signed = tokio::time::timeout(DEADLINE, verifying)
            .await
            .unwrap_or_else(|_| Err(late()));
    }
    Ok(reply)
}

fn parse(octets: &[u8]) -> Result<Reply, String> {
    let fields = Fields::read(octets).ok_or("it is no mail")?;
    let parser = MessageParser::default();
    let message = parser.parse(octets).ok_or("it is no mail")?;
    // Two senders, or two fields of which another program may show the other: nobody's reply.
    let from = match fields.count("from") {
        1 => message.from().and_then(only_address),
        _ => None,
    };
    Ok(Reply {
        from,
        token: message.subject().and_then(token),
        answers: answers(&message),
        is_automatic: is_automatic(&message),
        digest: digest(&message),
        signed: Err(SignatureFault::Unsigned("it names no sender".to_owned())),
    })
}

fn only_address(address: &Address<'_>) -> Option<Mailbox> {
    let mut all = address.iter();
    let one = all.next()?;
    match all.next() {
        None => Mailbox::parse(one.address()?).ok(),
        Some(_) => None,
    }
}

/// Behind `ACME:`, whatever mail programs put before it; folded, it has spaces in it.
fn token(subject: &str) -> Option<String> {
    let (_, token) = subject.rsplit_once("ACME:")?;
    let token: String = token.chars().filter(|c| !c.is_whitespace()).collect();
    (1..=MAX_TOKEN).contains(&token.len()).then_some(token)
}

fn answers(message: &Message<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for value in [message.in_reply_to(), message.references()] {
        match value {
            HeaderValue::Text(text) => all.push(format!("<{text}>")),
            HeaderValue::TextList(texts) => {
                all.extend(texts.iter().take(MANY).map(|text| format!("<{text}>")));
            }
            _ => {}
        }
    }
    all
}

/// RFC 3834 section 5. What mail programs write for ACME says so.
fn is_automatic(message: &Message<'_>) -> bool {
    let value = message.header_raw("Auto-Submitted");
    let value = value.unwrap_or_default().trim().to_ascii_lowercase();
    !value.is_empty() && !value.starts_with("no") && !value.contains("type=acme")
}

/// What stands between the lines, in the one plain text that has them.
fn digest(message: &Message<'_>) -> Result<String, String> {
    let texts = message
        .parts
        .iter()
        .take(MANY)
        .filter_map(|part| match &part.body {
            PartType::Text(text) => Some(text.as_ref()),
            _ => None,
        });
    let mut has_text = false;
    let mut found = Vec::new();
    for text in texts {
        has_text = true;
        if let Some((_, rest)) = text.split_once(BEGIN) {
            let (inside, _) = rest
                .split_once(END)
                .ok_or_else(|| format!("it has no line `{END}`"))?;
            found.push(
                inside
                    .chars()
                    .filter(|c| !c.is_whitespace())
                    .collect::<String>(),
            );
        }
    }
    match found.as_slice() {
        [digest] if digest.len() <= MAX_TOKEN => Ok(digest.clone()),
        [_] => Err("what stands between its lines is no digest".to_owned()),
        [] if !has_text => {
            Err("it has no plain text; reply in plain text, not HTML alone".to_owned())
        }
        [] => Err(format!("its plain text has no line `{BEGIN}`")),
        _ => Err("it has more than one ACME response".to_owned()),
    }
}

const BEGIN: &str = "-----BEGIN ACME RESPONSE-----";
const END: &str = "-----END ACME RESPONSE-----";
const MAX_TOKEN: usize = 256;
const DEADLINE: Duration = Duration::from_secs(10);
/// Parts of a message, and messages that one answers; mail programs are far from it.
const MANY: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

    fn mail(headers: &str, body: &str) -> Reply {
        let text = format!(
            "From: A <a@example.org>\r\nTo: ca@ca.example\r\nSubject: Re: ACME: part\r\n one\r\n\
             In-Reply-To: <1@ca.example>\r\n{headers}\r\n{body}"
        );
        parse(text.as_bytes()).unwrap()
    }

    fn block() -> String {
        format!("{BEGIN}\r\n{DIGEST}\r\n{END}\r\n")
    }

    #[test]
    fn a_reply_is_found_in_plain_text_wherever_it_stands() {
        let plain = mail("", &format!("Hello\r\n{}", block()));
        assert_eq!(plain.from, Mailbox::parse("a@example.org").ok());
        assert_eq!(plain.token.as_deref(), Some("partone"));
        assert_eq!(plain.answers, ["<1@ca.example>"]);
        assert_eq!(plain.digest.as_deref(), Ok(DIGEST));
        assert!(!plain.is_automatic);
        let nested = format!(
            "--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\nContent-Type: \
             text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}--i\r\nContent-Type: \
             text/html\r\n\r\n<p>{BEGIN}</p>\r\n--i--\r\n--o--\r\n",
            block().replace("47DE", "47=44E")
        );
        let nested = mail("Content-Type: multipart/mixed; boundary=o\r\n", &nested);
        assert_eq!(nested.digest.as_deref(), Ok(DIGEST));
    }

    #[test]
    fn what_is_no_reply_says_why() {
        let html = mail("Content-Type: text/html\r\n", &block());
        assert!(html.digest.unwrap_err().contains("plain text"));
        let empty = mail("", "I am away.");
        assert!(empty.digest.unwrap_err().contains("no line"));
        let open = mail("", BEGIN);
        assert!(open.digest.unwrap_err().contains("END"));
        assert!(mail("Auto-Submitted: auto-replied\r\n", "").is_automatic);
        assert!(!mail("Auto-Submitted: auto-replied; type=acme\r\n", "").is_automatic);
        assert_eq!(mail("From: b@example.org\r\n", &block()).from, None);
        // Nesting without end is read without end nowhere.
        let mut deep = String::new();
        for level in 0..5_000 {
            deep.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
            ));
        }
        assert!(mail(&deep, "").digest.is_err());
    }
}
