//! Reading OCSP requests.

use data_encoding::BASE64;

use super::cert_id::{CertId, read_list};
use crate::asn1::{DerError, Reader, Writer, tag};
use crate::certificate::{RawExtension, extension};
use crate::oid;

/// What a client asks. A signature on the request is allowed and ignored (RFC 6960 section 4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspRequest {
    /// The certificates asked about, at least one.
    pub cert_ids: Vec<CertId>,
    /// The nonce to be repeated.
    pub nonce: Option<Vec<u8>>,
}

/// Octets to which the answer is [`super::ErrorStatus::MalformedRequest`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OcspRequestError {
    /// More octets than any request needs.
    #[error("an OCSP request of {0} octets is too large: at most {MAX_OCTETS} are read")]
    TooLarge(usize),
    /// Not DER, or not of the structure.
    #[error("the OCSP request is malformed: {0}")]
    Der(#[from] DerError),
    /// A request about nothing.
    #[error("the OCSP request asks about no certificate")]
    Empty,
    /// A nonce of a length that RFC 9654 section 2.1 forbids.
    #[error("the OCSP request has a nonce of {0} octets: 1 to 128 are allowed")]
    Nonce(usize),
    /// A GET path that is not base64.
    #[error("the path is not an OCSP request in base64")]
    Path,
}

const MAX_OCTETS: usize = 16 * 1024;
const MAX_CERT_IDS: usize = 100;

impl OcspRequest {
    /// Reads a request as it is POSTed.
    pub fn from_der(der: &[u8]) -> Result<Self, OcspRequestError> {
        if der.len() > MAX_OCTETS {
            return Err(OcspRequestError::TooLarge(der.len()));
        }
        let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
        let mut tbs = fields.sequence()?;
        fields.optional(tag::constructed(0))?;
        fields.finish()?;
        tbs.optional(tag::constructed(0))?;
        tbs.optional(tag::constructed(1))?;
        let cert_ids = read_list(tbs.sequence()?, MAX_CERT_IDS)?;
        let extensions = tbs.optional(tag::constructed(2))?;
        tbs.finish()?;
        if cert_ids.is_empty() {
            return Err(OcspRequestError::Empty);
        }
        let nonce = match extensions {
            Some(list) => read_nonce(Reader::single(list.content)?.open(tag::SEQUENCE)?)?,
            None => None,
        };
        Ok(Self { cert_ids, nonce })
    }

    /// The request in DER, without signature.
    pub fn to_der(&self) -> Vec<u8> {
        Writer::encode(|w| w.sequence(|w| w.sequence(|w| self.write(w))))
    }

    fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            for id in &self.cert_ids {
                w.sequence(|w| w.raw(&id.der));
            }
        });
        if let Some(nonce) = &self.nonce {
            w.constructed(2, |w| w.sequence(|w| write_nonce(w, nonce)));
        }
    }

    /// Reads the last part of a GET path, RFC 6960 appendix A.1: base64, percent-encoded.
    pub fn from_get_path(path: &str) -> Result<Self, OcspRequestError> {
        if path.len() > 4 * MAX_OCTETS {
            return Err(OcspRequestError::TooLarge(path.len()));
        }
        let base64 = percent_decode(path).ok_or(OcspRequestError::Path)?;
        let der = BASE64.decode(&base64).map_err(|_| OcspRequestError::Path)?;
        Self::from_der(&der)
    }
}

/// The nonce's value is an OCTET STRING of its own, RFC 9654 section 2.1.
pub(super) fn write_nonce(w: &mut Writer, nonce: &[u8]) {
    extension(w, &oid::OCSP_NONCE, false, |w| w.octet_string(nonce));
}

fn read_nonce(mut extensions: Reader<'_>) -> Result<Option<Vec<u8>>, OcspRequestError> {
    let mut nonce = None;
    while !extensions.is_empty() {
        let extension = RawExtension::read(&mut extensions)?;
        if extension.oid != oid::OCSP_NONCE.as_bytes() {
            continue;
        }
        let value = Reader::single(extension.value)?;
        let octets = value.open(tag::OCTET_STRING).map(|_| value.content)?;
        if !(1..=128).contains(&octets.len()) {
            return Err(OcspRequestError::Nonce(octets.len()));
        }
        nonce = Some(octets.to_vec());
    }
    Ok(nonce)
}

fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        octets.push((high << 4 | low) as u8);
    }
    Some(octets)
}
