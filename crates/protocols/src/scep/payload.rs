//! What messages carry inside their envelopes, besides CSRs and bundles of certificates.

use pki::asn1::{DerError, Reader, Writer, tag};
use pki::serial::{Serial, SerialError};

/// IssuerAndSerialNumber: the certificate or the CRL that is asked for (RFC 8894 sections 3.3.4, 3.3.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerAndSerial {
    /// The issuer's name in DER.
    pub issuer: Vec<u8>,
    pub serial: Serial,
}

/// A payload that is not of its form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    #[error("the content of the message is malformed: {0}")]
    Der(#[from] DerError),
    #[error("the content of the message is malformed: {0}")]
    Serial(#[from] SerialError),
}

impl IssuerAndSerial {
    /// Reads it.
    pub fn from_der(der: &[u8]) -> Result<Self, PayloadError> {
        let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
        let issuer = fields.expect(tag::SEQUENCE)?.der.to_vec();
        let serial = Serial::from_be_octets(fields.expect(tag::INTEGER)?.content)?;
        fields.finish()?;
        Ok(Self { issuer, serial })
    }

    /// Writes it.
    pub fn to_der(&self) -> Vec<u8> {
        Writer::encode(|w| {
            w.sequence(|w| {
                w.raw(&self.issuer);
                w.tlv(tag::INTEGER, &self.serial.der_content());
            });
        })
    }
}

/// IssuerAndSubject: whose certificate is waited for (RFC 8894 section 3.3.3), two names in DER.
pub fn issuer_and_subject(issuer: &[u8], subject: &[u8]) -> Vec<u8> {
    Writer::encode(|w| {
        w.sequence(|w| {
            w.raw(issuer);
            w.raw(subject);
        });
    })
}

/// Whether a payload is two names.
pub fn check_issuer_and_subject(der: &[u8]) -> Result<(), PayloadError> {
    let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
    fields.expect(tag::SEQUENCE)?;
    fields.expect(tag::SEQUENCE)?;
    Ok(fields.finish()?)
}
