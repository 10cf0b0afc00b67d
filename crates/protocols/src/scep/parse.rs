//! Reading a message: signature first, then its type, then nothing that the type does not ask for.

use pki::asn1::tag;
use pki::certificate::Certificate;
use pki::cms::{Accepts, Attributes, CmsError, SignedData, Signer};

use super::{FailInfo, MessageType, PkiStatus, attribute};

/// A message whose signature holds. Whether its signer may ask for anything is another question.
#[derive(Clone, Debug)]
pub struct PkiMessage {
    pub kind: MessageType,
    pub transaction_id: String,
    pub sender_nonce: Vec<u8>,
    pub recipient_nonce: Option<Vec<u8>>,
    /// The certificate whose key signed.
    pub signer: Certificate,
    /// What it carries, encrypted; empty in a reply without certificate.
    pub envelope: Vec<u8>,
    /// Of a reply.
    pub status: Option<PkiStatus>,
    /// Of a reply that says no.
    pub fail_text: Option<String>,
}

/// Why a message is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// Refused before anything else of the message is looked at.
    #[error("messages of type `{0}` are not known here")]
    MessageType(String),
    #[error("the message's attribute {0} is missing, or not as RFC 8894 section 3.2.1 has it")]
    Attribute(&'static str),
}

/// RFC 8894 section 3.2.1.1 leaves the length open; digests in hexadecimal are what there is.
const MAX_TRANSACTION_ID: usize = 256;
const MAX_NONCE: usize = 64;

impl PkiMessage {
    /// Reads a request, whose signer's certificate has to be in it.
    pub fn from_ber(ber: &[u8]) -> Result<Self, MessageError> {
        let signed = SignedData::from_ber(ber)?;
        let Signer {
            certificate,
            attributes,
        } = signed.verified_signer()?;
        Self::new(signed, certificate, &attributes)
    }

    /// Reads a reply that one of these certificates has to have signed: those that the CA showed.
    pub fn reply_from_ber(
        ber: &[u8],
        trusted: &[Certificate],
        accepts: Accepts,
    ) -> Result<Self, MessageError> {
        let signed = SignedData::from_ber(ber)?;
        let signer = trusted.iter().find_map(|certificate| {
            let attributes = signed.verified_with(certificate, accepts).ok()?;
            Some((certificate.clone(), attributes))
        });
        let (certificate, attributes) = signer.ok_or(CmsError::Signature)?;
        let message = Self::new(signed, certificate, &attributes)?;
        match (message.kind, message.status) {
            (MessageType::Reply, Some(_)) => Ok(message),
            _ => Err(MessageError::Attribute("pkiStatus")),
        }
    }

    fn new(
        signed: SignedData,
        signer: Certificate,
        attributes: &Attributes,
    ) -> Result<Self, MessageError> {
        let number = text(attributes, attribute::MESSAGE_TYPE.as_bytes())
            .ok_or(MessageError::Attribute("messageType"))?;
        let kind = MessageType::from_number(&number)
            .ok_or_else(|| MessageError::MessageType(number.chars().take(20).collect()))?;
        let transaction_id = text(attributes, attribute::TRANSACTION_ID.as_bytes())
            .filter(|id| (1..=MAX_TRANSACTION_ID).contains(&id.len()))
            .ok_or(MessageError::Attribute("transactionID"))?;
        let sender_nonce = octets(attributes, attribute::SENDER_NONCE.as_bytes())
            .ok_or(MessageError::Attribute("senderNonce"))?;
        let fail_info = text(attributes, attribute::FAIL_INFO.as_bytes());
        let fail_info = fail_info.and_then(|text| FailInfo::from_number(&text));
        let status = text(attributes, attribute::STATUS.as_bytes());
        let status = status.and_then(|status| match status.as_str() {
            "0" => Some(PkiStatus::Success),
            "2" => Some(PkiStatus::Failure(fail_info)),
            "3" => Some(PkiStatus::Pending),
            _ => None,
        });
        Ok(Self {
            kind,
            transaction_id,
            sender_nonce,
            recipient_nonce: octets(attributes, attribute::RECIPIENT_NONCE.as_bytes()),
            signer,
            envelope: signed.content,
            status,
            fail_text: text(attributes, attribute::FAIL_INFO_TEXT.as_bytes()),
        })
    }
}

fn text(attributes: &Attributes, oid: &[u8]) -> Option<String> {
    let element = attributes.element(oid)?;
    Some(element.text().ok()?.into_owned())
}

fn octets(attributes: &Attributes, oid: &[u8]) -> Option<Vec<u8>> {
    let element = attributes.element(oid)?;
    let is_nonce =
        element.tag == tag::OCTET_STRING && (1..=MAX_NONCE).contains(&element.content.len());
    is_nonce.then(|| element.content.to_vec())
}
