//! What all messages have in common: ContentInfo, RFC 5652 section 3, and how signers and recipients are named.

use const_oid::ObjectIdentifier;

use crate::asn1::{DerError, Reader, Tlv, Writer, tag};
use crate::certificate::{Certificate, CertificateError};
use crate::serial::{Serial, SerialError};

/// Why a message is not read, or its signature not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// More octets than a message about one certificate needs.
    #[error("a message of {0} octets is too large: at most {MAX_OCTETS} are read")]
    TooLarge(usize),
    /// Not BER, or not of the structure.
    #[error("the message is malformed: {0}")]
    Der(#[from] DerError),
    /// Another kind of message than the one that belongs here.
    #[error("the message is not of the type {0}")]
    ContentType(&'static str),
    /// A certificate in the message, or of its signer, that is none.
    #[error("the message carries a certificate that cannot be read: {0}")]
    Certificate(#[from] CertificateError),
    /// A serial number in the name of a signer or recipient that is none.
    #[error("the message names a certificate by a serial number that is none: {0}")]
    Serial(#[from] SerialError),
    /// No signature, or more than one.
    #[error("the message has {0} signatures where one belongs")]
    Signers(usize),
    /// The certificate of the signer is not in the message.
    #[error("the message does not carry the certificate of its signer")]
    NoSignerCertificate,
    /// A digest or signature algorithm that is not accepted.
    #[error(
        "the message is signed with {0}: sign with SHA-256, SHA-384 or SHA-512 and RSA (PKCS #1 v1.5), \
         ECDSA or Ed25519"
    )]
    Algorithm(String),
    /// The signature is not that of the signer's key over this content.
    #[error("the signature of the message is not valid")]
    Signature,
    /// An attribute that is missing, there twice, or not what it has to be.
    #[error("the message's attribute {0} is missing, or not as it has to be")]
    Attribute(&'static str),
}

/// Certificates and a CSR; CRLs come in bundles without signature.
const MAX_OCTETS: usize = 4 * 1024 * 1024;

/// The content of a ContentInfo of this type, from a message that was made DER before.
pub(super) fn content_of<'a>(
    der: &'a [u8],
    expected: &ObjectIdentifier,
    name: &'static str,
) -> Result<Reader<'a>, CmsError> {
    let mut info = Reader::single(der)?.open(tag::SEQUENCE)?;
    if info.oid()? != expected.as_bytes() {
        return Err(CmsError::ContentType(name));
    }
    let explicit = info.expect(tag::constructed(0))?;
    info.finish()?;
    Ok(Reader::single(explicit.content)?.open(tag::SEQUENCE)?)
}

/// The message in DER.
pub(super) fn normalized(ber: &[u8]) -> Result<Vec<u8>, CmsError> {
    match ber.len() {
        0..=MAX_OCTETS => Ok(crate::asn1::ber::to_der(ber)?),
        length => Err(CmsError::TooLarge(length)),
    }
}

/// A ContentInfo around what `fill` writes.
pub(super) fn content_info(kind: &ObjectIdentifier, fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    Writer::encode(|w| {
        w.sequence(|w| {
            w.oid(kind);
            w.constructed(0, |w| w.sequence(fill));
        });
    })
}

/// How a message names the certificate of a signer or recipient, RFC 5652 section 5.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignerId {
    /// By issuer, octet for octet, and serial number
    IssuerAndSerial {
        /// The issuer's name in DER.
        issuer: Vec<u8>,
        /// The serial number.
        serial: Serial,
    },
    /// By subject key identifier
    KeyIdentifier(Vec<u8>),
}

impl SignerId {
    pub(super) fn read(element: &Tlv<'_>) -> Result<Self, CmsError> {
        if element.tag == tag::primitive(0) {
            return Ok(Self::KeyIdentifier(element.content.to_vec()));
        }
        let mut fields = element.open(tag::SEQUENCE)?;
        let issuer = fields.expect(tag::SEQUENCE)?.der.to_vec();
        let serial = Serial::from_be_octets(fields.expect(tag::INTEGER)?.content)?;
        fields.finish()?;
        Ok(Self::IssuerAndSerial { issuer, serial })
    }

    /// Whether it is this certificate that is meant.
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial { issuer, serial } => {
                *issuer == certificate.issuer_der && *serial == certificate.serial
            }
            Self::KeyIdentifier(identifier) => {
                certificate.subject_key_identifier.as_ref() == Some(identifier)
            }
        }
    }
}

/// IssuerAndSerialNumber of a certificate.
pub(super) fn issuer_and_serial(writer: &mut Writer, certificate: &Certificate) {
    writer.sequence(|w| {
        w.raw(&certificate.issuer_der);
        w.tlv(tag::INTEGER, &certificate.serial.der_content());
    });
}
