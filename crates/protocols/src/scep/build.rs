//! Writing messages: requests of a client, and what they are answered with.

use const_oid::ObjectIdentifier;
use pki::asn1::{Writer, tag};
use pki::certificate::Certificate;
use pki::cms::{self, Draft};
use pki::key::{KeyError, SigningKey};
use pki::oid;

use super::{FailInfo, MessageType, attribute};

/// Who signs, and in the course of which exchange.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    pub transaction_id: &'a str,
    pub sender_nonce: &'a [u8],
    pub signer: &'a Certificate,
    pub key: &'a dyn SigningKey,
}

/// A request (RFC 8894 section 3.3).
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub kind: MessageType,
    /// What it carries, encrypted for the CA or its RA.
    pub envelope: &'a [u8],
}

/// What a request is answered with (RFC 8894 section 3.3.2).
#[derive(Clone, Copy)]
pub enum Reply<'a> {
    /// With certificates or a CRL, encrypted for who asked.
    Success {
        envelope: &'a [u8],
    },
    Pending,
    Failure {
        info: FailInfo,
        text: &'a str,
    },
}

/// Signs a request.
pub fn request(request: &Request<'_>, exchange: &Exchange<'_>) -> Result<Vec<u8>, KeyError> {
    let attributes = common(request.kind, exchange);
    sign(request.envelope, &attributes, exchange)
}

/// Signs the answer to the message that had this nonce.
pub fn reply(
    reply: &Reply<'_>,
    recipient_nonce: &[u8],
    exchange: &Exchange<'_>,
) -> Result<Vec<u8>, KeyError> {
    let mut attributes = common(MessageType::Reply, exchange);
    let nonce = Writer::encode(|w| w.octet_string(recipient_nonce));
    attributes.push((attribute::RECIPIENT_NONCE, nonce));
    let (status, content): (_, &[u8]) = match reply {
        Reply::Success { envelope } => ("0", envelope),
        Reply::Pending => ("3", &[]),
        Reply::Failure { info, text } => {
            attributes.push((attribute::FAIL_INFO, printable(info.number())));
            let text = Writer::encode(|w| w.tlv(tag::UTF8_STRING, text.as_bytes()));
            attributes.push((attribute::FAIL_INFO_TEXT, text));
            ("2", &[])
        }
    };
    attributes.push((attribute::STATUS, printable(status)));
    sign(content, &attributes, exchange)
}

fn common(kind: MessageType, exchange: &Exchange<'_>) -> Vec<(ObjectIdentifier, Vec<u8>)> {
    let nonce = Writer::encode(|w| w.octet_string(exchange.sender_nonce));
    vec![
        (attribute::MESSAGE_TYPE, printable(kind.number())),
        (
            attribute::TRANSACTION_ID,
            printable(exchange.transaction_id),
        ),
        (attribute::SENDER_NONCE, nonce),
    ]
}

fn printable(text: &str) -> Vec<u8> {
    Writer::encode(|w| w.tlv(tag::PRINTABLE_STRING, text.as_bytes()))
}

fn sign(
    content: &[u8],
    attributes: &[(ObjectIdentifier, Vec<u8>)],
    exchange: &Exchange<'_>,
) -> Result<Vec<u8>, KeyError> {
    let draft = Draft {
        content_type: &oid::CMS_DATA,
        content,
        attributes,
        signer: exchange.signer,
        chain: &[],
    };
    cms::sign(&draft, exchange.key)
}
