//! rr and rp: revocation, RFC 9810 sections 5.3.9 and 5.3.10.

use pki::asn1::{DerError, Reader, Tlv, Writer, tag};
use pki::crmf::{CertTemplate, IssuerAndSerial};
use pki::oid;
use pki::revocation::RevocationReason;

use super::body::only;
use super::{CmpError, StatusInfo};

/// What shall be revoked, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationWish {
    /// Names the certificate by issuer and serial number (RFC 9483 section 4.2).
    pub template: CertTemplate,
    /// Why.
    pub reason: RevocationReason,
}

impl RevocationWish {
    /// The wish for this certificate.
    pub fn new(certificate: IssuerAndSerial, reason: RevocationReason) -> Self {
        let template = CertTemplate {
            issuer: Some(certificate.issuer),
            serial: Some(certificate.serial),
            ..CertTemplate::default()
        };
        Self { template, reason }
    }

    pub(super) fn read(element: Tlv<'_>) -> Result<Self, CmpError> {
        let list = element.open(tag::SEQUENCE)?;
        let mut fields = only(list, "certificate to be revoked")?.open(tag::SEQUENCE)?;
        let template = CertTemplate::read(fields.read()?)?;
        let reason = match fields.optional(tag::SEQUENCE)? {
            Some(extensions) => read_reason(Reader::new(extensions.content))?,
            None => RevocationReason::Unspecified,
        };
        fields.finish()?;
        Ok(Self { template, reason })
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.sequence(|w| {
            w.sequence(|w| {
                self.template.encode(w);
                w.sequence(|w| {
                    w.sequence(|w| {
                        w.oid(&oid::EXT_REASON_CODE);
                        w.octet_string_of(|w| w.tlv(tag::ENUMERATED, &[self.reason.code()]));
                    });
                });
            });
        });
    }
}

/// crlEntryDetails: the reason, which RFC 9483 section 4.2 wants there; others change nothing.
fn read_reason(mut extensions: Reader<'_>) -> Result<RevocationReason, CmpError> {
    let mut reason = RevocationReason::Unspecified;
    while !extensions.is_empty() {
        let mut extension = extensions.sequence()?;
        let kind = extension.oid()?;
        extension.optional(tag::BOOLEAN)?;
        let value = extension.octet_string()?;
        extension.finish()?;
        if kind != oid::EXT_REASON_CODE.as_bytes() {
            continue;
        }
        reason = match Reader::single(value)?.content {
            [code] => {
                RevocationReason::try_from(*code).map_err(|_| DerError::Content("CRLReason"))?
            }
            _ => return Err(DerError::Content("CRLReason").into()),
        };
    }
    Ok(reason)
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationAnswer {
    /// How it went.
    pub status: StatusInfo,
    /// The certificate.
    pub certificate: Option<IssuerAndSerial>,
}

impl RevocationAnswer {
    pub(super) fn read(element: Tlv<'_>) -> Result<Self, CmpError> {
        let mut fields = element.open(tag::SEQUENCE)?;
        let status = StatusInfo::read(only(fields.sequence()?, "status")?)?;
        let certificate = match fields.optional(tag::constructed(0))? {
            Some(field) => {
                let list = Reader::single(field.content)?.open(tag::SEQUENCE)?;
                Some(IssuerAndSerial::read(only(list, "certificate")?)?)
            }
            None => None,
        };
        fields.optional(tag::constructed(1))?;
        fields.finish()?;
        Ok(Self {
            status,
            certificate,
        })
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.sequence(|w| {
            w.sequence(|w| self.status.encode(w));
            if let Some(certificate) = &self.certificate {
                w.constructed(0, |w| w.sequence(|w| certificate.encode(w)));
            }
        });
    }
}
