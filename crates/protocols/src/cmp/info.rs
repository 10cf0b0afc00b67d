//! InfoTypeAndValue: what general messages and headers carry, RFC 9810 section 5.3.19.

use der::oid::ObjectIdentifier;
use pki::asn1::{DerError, Reader, Writer, tag};

use super::CmpError;

/// The kinds of information that are known here.
pub mod known {
    use der::oid::ObjectIdentifier;

    macro_rules! known {
        ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
            $($(#[$doc])* pub const $name: ObjectIdentifier = ObjectIdentifier::new_unwrap($text);)*
        };
    }

    known! {
        /// The current CRL, the way of RFC 4210
        CURRENT_CRL = "1.3.6.1.5.5.7.4.6";
        /// No certConf is sent, or asked for
        IMPLICIT_CONFIRM = "1.3.6.1.5.5.7.4.13";
        /// Until when a certConf is waited for
        CONFIRM_WAIT_TIME = "1.3.6.1.5.5.7.4.14";
        /// The message that a nested one was made from
        ORIG_PKI_MESSAGE = "1.3.6.1.5.5.7.4.15";
        /// Certificates of CAs
        CA_CERTS = "1.3.6.1.5.5.7.4.17";
        /// The successor of a root certificate
        ROOT_CA_KEY_UPDATE = "1.3.6.1.5.5.7.4.18";
        /// What a request has to look like
        CERT_REQ_TEMPLATE = "1.3.6.1.5.5.7.4.19";
        /// The root certificate that one asks the successor of
        ROOT_CA_CERT = "1.3.6.1.5.5.7.4.20";
        /// The name of a certificate profile
        CERT_PROFILE = "1.3.6.1.5.5.7.4.21";
        /// Which CRLs one has
        CRL_STATUS_LIST = "1.3.6.1.5.5.7.4.22";
        /// CRLs
        CRLS = "1.3.6.1.5.5.7.4.23";
    }
}

/// A kind of information and perhaps its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The content octets of the object identifier.
    pub kind: Vec<u8>,
    /// The value in DER.
    pub value: Option<Vec<u8>>,
}

impl Info {
    /// Information of a known kind.
    pub fn new(kind: &ObjectIdentifier, value: Option<Vec<u8>>) -> Self {
        Self {
            kind: kind.as_bytes().to_vec(),
            value,
        }
    }

    /// NULL, as implicitConfirm has it.
    pub fn implicit_confirm() -> Self {
        let null = Writer::encode(Writer::null);
        Self::new(&known::IMPLICIT_CONFIRM, Some(null))
    }

    /// The name of a certificate profile.
    pub fn cert_profile(name: &str) -> Self {
        let value = Writer::encode(|w| w.sequence(|w| w.tlv(tag::UTF8_STRING, name.as_bytes())));
        Self::new(&known::CERT_PROFILE, Some(value))
    }

    /// Whether it is of that kind.
    pub fn is(&self, kind: &ObjectIdentifier) -> bool {
        self.kind == kind.as_bytes()
    }

    /// The texts of a value that is a SEQUENCE of UTF8String.
    pub fn texts(&self) -> Result<Vec<String>, DerError> {
        let value = self.value.as_deref().unwrap_or_default();
        super::status::read_text(Reader::single(value)?.open(tag::SEQUENCE)?)
    }

    /// The elements of a value that is a SEQUENCE of anything, in DER.
    pub fn elements(&self) -> Result<Vec<Vec<u8>>, CmpError> {
        let value = self.value.as_deref().unwrap_or_default();
        elements(Reader::single(value)?.open(tag::SEQUENCE)?)
    }

    /// Reads all of a SEQUENCE's content.
    pub(super) fn read_all(mut list: Reader<'_>) -> Result<Vec<Self>, CmpError> {
        let mut all = Vec::new();
        while !list.is_empty() {
            if all.len() == MAX_INFOS {
                return Err(CmpError::TooMany(MAX_INFOS, "pieces of information"));
            }
            let mut fields = list.sequence()?;
            let kind = fields.oid()?.to_vec();
            let value = match fields.is_empty() {
                true => None,
                false => Some(fields.read()?.der.to_vec()),
            };
            fields.finish()?;
            all.push(Self { kind, value });
        }
        Ok(all)
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            w.tlv(tag::OID, &self.kind);
            if let Some(value) = &self.value {
                w.raw(value);
            }
        });
    }
}

/// The elements of a SEQUENCE's content, a bounded number of them.
pub(super) fn elements(mut list: Reader<'_>) -> Result<Vec<Vec<u8>>, CmpError> {
    let mut all = Vec::new();
    while !list.is_empty() {
        if all.len() == MAX_ELEMENTS {
            return Err(CmpError::TooMany(MAX_ELEMENTS, "certificates or CRLs"));
        }
        all.push(list.read()?.der.to_vec());
    }
    Ok(all)
}

const MAX_INFOS: usize = 32;
const MAX_ELEMENTS: usize = 32;
