//! PKIHeader, RFC 9810 section 5.1.1.

use pki::asn1::{DerError, Reader, Tlv, Writer, tag};
use pki::name::{DistinguishedName, GeneralName};
use pki::time::Timestamp;

use super::info::known;
use super::status::{read_text, write_text};
use super::{CmpError, Info};

/// Who writes to whom, in which transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// 2, or 3 where something of RFC 9480 is used that 2 does not know.
    pub version: u8,
    /// The sender, a GeneralName in DER.
    pub sender: Vec<u8>,
    /// The recipient, a GeneralName in DER.
    pub recipient: Vec<u8>,
    /// When the message was made.
    pub time: Option<Timestamp>,
    /// The AlgorithmIdentifier of the protection, in DER.
    pub protection_algorithm: Option<Vec<u8>>,
    /// Which key or secret the message is protected with.
    pub sender_key_id: Option<Vec<u8>>,
    /// The same of the recipient.
    pub recipient_key_id: Option<Vec<u8>>,
    /// What all messages of one transaction have in common.
    pub transaction_id: Option<Vec<u8>>,
    /// Fresh in each message.
    pub sender_nonce: Option<Vec<u8>>,
    /// The nonce of the message that is answered.
    pub recipient_nonce: Option<Vec<u8>>,
    /// For people.
    pub free_text: Vec<String>,
    /// Anything else.
    pub general_info: Vec<Info>,
}

impl Header {
    pub(super) fn read(element: Tlv<'_>) -> Result<Self, CmpError> {
        let mut fields = element.open(tag::SEQUENCE)?;
        let version = match fields.signed()? {
            2 => 2,
            3 => 3,
            other => return Err(CmpError::Version(other)),
        };
        let mut header = Self {
            version,
            sender: read_name(&mut fields)?,
            recipient: read_name(&mut fields)?,
            ..Self::default()
        };
        if let Some(time) = inner(&mut fields, 0)? {
            header.time = Some(time.time()?);
        }
        header.protection_algorithm = inner(&mut fields, 1)?
            .map(|algorithm| {
                algorithm
                    .open(tag::SEQUENCE)
                    .map(|_| algorithm.der.to_vec())
            })
            .transpose()?;
        header.sender_key_id = octets(&mut fields, 2)?;
        header.recipient_key_id = octets(&mut fields, 3)?;
        header.transaction_id = octets(&mut fields, 4)?;
        header.sender_nonce = octets(&mut fields, 5)?;
        header.recipient_nonce = octets(&mut fields, 6)?;
        if let Some(texts) = inner(&mut fields, 7)? {
            header.free_text = read_text(texts.open(tag::SEQUENCE)?)?;
        }
        if let Some(infos) = inner(&mut fields, 8)? {
            header.general_info = Info::read_all(infos.open(tag::SEQUENCE)?)?;
        }
        fields.finish()?;
        Ok(header)
    }

    /// Writes the header. A sender or recipient that was never set is the empty name.
    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            w.signed(self.version.max(2).into());
            for name in [&self.sender, &self.recipient] {
                match name.is_empty() {
                    true => w.raw(&directory_name(&DistinguishedName::empty())),
                    false => w.raw(name),
                }
            }
            if let Some(time) = self.time {
                w.constructed(0, |w| w.generalized_time(time));
            }
            if let Some(algorithm) = &self.protection_algorithm {
                w.constructed(1, |w| w.raw(algorithm));
            }
            let strings = [
                &self.sender_key_id,
                &self.recipient_key_id,
                &self.transaction_id,
                &self.sender_nonce,
                &self.recipient_nonce,
            ];
            for (number, string) in (2..).zip(strings) {
                if let Some(string) = string {
                    w.constructed(number, |w| w.octet_string(string));
                }
            }
            if !self.free_text.is_empty() {
                w.constructed(7, |w| write_text(w, &self.free_text));
            }
            if !self.general_info.is_empty() {
                w.constructed(8, |w| {
                    w.sequence(|w| self.general_info.iter().for_each(|info| info.encode(w)));
                });
            }
        });
    }

    /// The sender's distinguished name, if it has one.
    pub fn sender_name(&self) -> Option<DistinguishedName> {
        match GeneralName::read(Reader::single(&self.sender).ok()?).ok()? {
            GeneralName::Directory(name) => Some(name),
            GeneralName::Dns(_)
            | GeneralName::Ip(_)
            | GeneralName::Email(_)
            | GeneralName::Uri(_)
            | GeneralName::Other { .. } => None,
        }
    }

    /// Whether the sender wants to do without certConf, or agrees to that.
    pub fn is_implicitly_confirmed(&self) -> bool {
        self.info(&known::IMPLICIT_CONFIRM).is_some()
    }

    /// The first information of that kind.
    pub fn info(&self, kind: &der::oid::ObjectIdentifier) -> Option<&Info> {
        self.general_info.iter().find(|info| info.is(kind))
    }

    /// The name of the certificate profile that is asked for.
    pub fn cert_profile(&self) -> Option<String> {
        let texts = self.info(&known::CERT_PROFILE)?.texts().ok()?;
        texts.into_iter().next()
    }
}

/// A directoryName, which is explicitly tagged for being a CHOICE.
pub(super) fn directory_name(name: &DistinguishedName) -> Vec<u8> {
    Writer::encode(|w| w.constructed(4, |w| w.raw(&name.to_der())))
}

fn read_name(fields: &mut Reader<'_>) -> Result<Vec<u8>, CmpError> {
    let element = fields.read()?;
    GeneralName::read(element)?;
    Ok(element.der.to_vec())
}

/// The one element inside an explicit tag.
pub(super) fn inner<'a>(fields: &mut Reader<'a>, number: u8) -> Result<Option<Tlv<'a>>, DerError> {
    fields
        .optional(tag::constructed(number))?
        .map(|field| Reader::single(field.content))
        .transpose()
}

/// An identifier or nonce of a length that one can sensibly have.
fn octets(fields: &mut Reader<'_>, number: u8) -> Result<Option<Vec<u8>>, DerError> {
    let Some(field) = inner(fields, number)? else {
        return Ok(None);
    };
    let content = field.open(tag::OCTET_STRING).map(|_| field.content)?;
    match content.len() {
        1..=MAX_IDENTIFIER => Ok(Some(content.to_vec())),
        _ => Err(DerError::Content("OCTET STRING")),
    }
}

const MAX_IDENTIFIER: usize = 128;
