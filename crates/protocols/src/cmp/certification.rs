//! The answer to ir, cr, p10cr and kur: CertRepMessage, RFC 9810 section 5.3.4.

use pki::asn1::{DerError, Reader, Tlv, Writer, tag};

use super::body::only;
use super::info::elements;
use super::{CmpError, StatusInfo};

/// ip, cp or kup with its one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertRepMessage {
    /// Certificates that the requester may trust; the sender says so under protection of a MAC.
    pub ca_pubs: Vec<Vec<u8>>,
    /// The answer.
    pub response: CertResponse,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertResponse {
    /// The request's number; -1 for a PKCS #10 request (RFC 9483 section 4.1.4).
    pub request_id: i64,
    /// How it went.
    pub status: StatusInfo,
    /// The certificate in DER.
    pub certificate: Option<Vec<u8>>,
}

impl CertRepMessage {
    pub(super) fn read(element: Tlv<'_>) -> Result<Self, CmpError> {
        let mut fields = element.open(tag::SEQUENCE)?;
        let ca_pubs = match fields.optional(tag::constructed(1))? {
            Some(field) => elements(Reader::single(field.content)?.open(tag::SEQUENCE)?)?,
            None => Vec::new(),
        };
        let response = CertResponse::read(only(fields.sequence()?, "response")?)?;
        fields.finish()?;
        Ok(Self { ca_pubs, response })
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.sequence(|w| {
            if !self.ca_pubs.is_empty() {
                w.constructed(1, |w| {
                    w.sequence(|w| self.ca_pubs.iter().for_each(|one| w.raw(one)));
                });
            }
            w.sequence(|w| self.response.encode(w));
        });
    }
}

impl CertResponse {
    fn read(element: Tlv<'_>) -> Result<Self, CmpError> {
        let mut fields = element.open(tag::SEQUENCE)?;
        let request_id = fields.signed()?;
        let status = StatusInfo::read(fields.read()?)?;
        let certificate = match fields.optional(tag::SEQUENCE)? {
            Some(pair) => Some(read_pair(Reader::new(pair.content))?),
            None => None,
        };
        fields.optional(tag::OCTET_STRING)?;
        fields.finish()?;
        Ok(Self {
            request_id,
            status,
            certificate,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.sequence(|w| {
            w.signed(self.request_id);
            self.status.encode(w);
            if let Some(certificate) = &self.certificate {
                w.sequence(|w| w.constructed(0, |w| w.raw(certificate)));
            }
        });
    }
}

/// CertifiedKeyPair with a certificate in the clear; encrypted ones and keys are never asked for.
fn read_pair(mut fields: Reader<'_>) -> Result<Vec<u8>, CmpError> {
    let choice = fields.read()?;
    if choice.tag != tag::constructed(0) {
        return Err(DerError::Content("CertOrEncCert").into());
    }
    Ok(Reader::single(choice.content)?.der.to_vec())
}
