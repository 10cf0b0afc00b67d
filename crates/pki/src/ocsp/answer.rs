//! Reading the answers of other CAs' responders, and judging who signed them.

use super::cert_id::{CertId, OcspIssuer};
use super::{CertStatus, ErrorStatus};
use crate::asn1::{DerError, Reader, Tlv, tag};
use crate::certificate::{Certificate, ExtendedKeyUsage};
use crate::key::{PublicKey, SignatureAlgorithm};
use crate::oid;
use crate::revocation::RevocationReason;
use crate::serial::Serial;
use crate::time::Timestamp;

/// A signed answer, its signature not yet verified.
#[derive(Clone, Debug)]
pub struct OcspResponse {
    /// When it was made.
    pub produced_at: Timestamp,
    /// What it says, in its order.
    pub statuses: Vec<KnownStatus>,
    /// What it brings to prove its signer.
    pub certificates: Vec<Certificate>,
    tbs: Vec<u8>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

/// What an answer says about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownStatus {
    /// Which one.
    pub cert_id: CertId,
    /// Its status.
    pub status: CertStatus,
    /// The time of which the status is known.
    pub this_update: Timestamp,
    /// When something newer is known at the latest; newer is always to be had where it is missing.
    pub next_update: Option<Timestamp>,
}

/// Octets that are no answer, or one without content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OcspResponseError {
    /// More octets than any answer needs.
    #[error("an OCSP response of {0} octets is too large: at most {MAX_OCTETS} are read")]
    TooLarge(usize),
    /// Not DER, or not of the structure.
    #[error("the OCSP response is malformed: {0}")]
    Der(#[from] DerError),
    /// The responder does not answer.
    #[error("the responder answers `{}`", .0.name())]
    Refused(ErrorStatus),
}

/// Why an answer cannot be relied on, RFC 6960 section 4.2.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponderFault {
    /// Neither the CA's key nor that of a certificate in the answer made the signature.
    #[error("it is signed neither by the CA nor by a certificate that comes with it")]
    Unsigned,
    /// Signed by a certificate that another CA issued.
    #[error("its signer's certificate was not issued by the CA that it answers for")]
    Stranger,
    /// Signed by a certificate without the purpose.
    #[error("its signer's certificate is not meant for OCSP signing (id-kp-OCSPSigning)")]
    Purpose,
    /// Signed by a certificate out of its time.
    #[error("its signer's certificate is not valid now")]
    Ended,
}

const MAX_OCTETS: usize = 256 * 1024;

impl ErrorStatus {
    /// Its name in RFC 6960 section 4.2.1.
    pub fn name(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SigRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        }
    }

    fn of_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::MalformedRequest),
            2 => Some(Self::InternalError),
            3 => Some(Self::TryLater),
            5 => Some(Self::SigRequired),
            6 => Some(Self::Unauthorized),
            _ => None,
        }
    }
}

impl OcspResponse {
    /// Reads an answer; octets after its end are refused.
    pub fn from_der(der: &[u8]) -> Result<Self, OcspResponseError> {
        if der.len() > MAX_OCTETS {
            return Err(OcspResponseError::TooLarge(der.len()));
        }
        let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
        let [code] = *fields.expect(tag::ENUMERATED)?.content else {
            return Err(DerError::Content("responseStatus").into());
        };
        if code != 0 {
            let status = ErrorStatus::of_code(code).ok_or(DerError::Content("responseStatus"))?;
            return Err(OcspResponseError::Refused(status));
        }
        let content = fields.expect(tag::constructed(0))?.content;
        fields.finish()?;
        let mut content = Reader::single(content)?.open(tag::SEQUENCE)?;
        if content.oid()? != oid::OCSP_BASIC.as_bytes() {
            return Err(DerError::Content("responseType").into());
        }
        let basic = content.octet_string()?;
        content.finish()?;
        Ok(Self::read_basic(Reader::single(basic)?)?)
    }

    fn read_basic(basic: Tlv<'_>) -> Result<Self, DerError> {
        let mut fields = basic.open(tag::SEQUENCE)?;
        let tbs = fields.expect(tag::SEQUENCE)?;
        let algorithm = fields.expect(tag::SEQUENCE)?.der.to_vec();
        let signature = fields.bit_string()?.to_vec();
        let certificates = match fields.optional(tag::constructed(0))? {
            Some(list) => read_certificates(list.content)?,
            None => Vec::new(),
        };
        fields.finish()?;
        let mut data = tbs.open(tag::SEQUENCE)?;
        data.optional(tag::constructed(0))?;
        // The responder's name or key: whose key fits shows who it is.
        let responder = data.read()?.tag;
        if responder != tag::constructed(1) && responder != tag::constructed(2) {
            return Err(DerError::Content("responderID"));
        }
        let produced_at = data.time()?;
        let mut list = data.sequence()?;
        let mut statuses = Vec::new();
        while !list.is_empty() {
            statuses.push(read_status(list.sequence()?)?);
        }
        Ok(Self {
            produced_at,
            statuses,
            certificates,
            tbs: tbs.der.to_vec(),
            algorithm,
            signature,
        })
    }

    /// What it says about a certificate of `issuer`.
    pub fn status_of(&self, issuer: &OcspIssuer, serial: &Serial) -> Option<&KnownStatus> {
        self.statuses
            .iter()
            .find(|known| known.cert_id.serial == *serial && issuer.matches(&known.cert_id))
    }

    /// Whether `issuer` signed it, or somebody to whom it delegated that.
    pub fn check_responder(
        &self,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<(), ResponderFault> {
        if self.is_signed_with(&issuer.public_key) {
            return Ok(());
        }
        let signer = self
            .certificates
            .iter()
            .find(|candidate| self.is_signed_with(&candidate.public_key))
            .ok_or(ResponderFault::Unsigned)?;
        if !signer.is_signed_by(issuer) {
            return Err(ResponderFault::Stranger);
        }
        // RFC 6960 section 4.2.2.2: the purpose itself, not anyExtendedKeyUsage.
        if !signer
            .extended_key_usage
            .contains(&ExtendedKeyUsage::OcspSigning)
        {
            return Err(ResponderFault::Purpose);
        }
        match signer.not_before <= now && now <= signer.not_after {
            true => Ok(()),
            false => Err(ResponderFault::Ended),
        }
    }

    fn is_signed_with(&self, key: &PublicKey) -> bool {
        SignatureAlgorithm::from_der(&self.algorithm)
            .is_ok_and(|algorithm| key.verify(algorithm, &self.tbs, &self.signature).is_ok())
    }
}

fn read_certificates(content: &[u8]) -> Result<Vec<Certificate>, DerError> {
    let mut list = Reader::single(content)?.open(tag::SEQUENCE)?;
    let mut certificates = Vec::new();
    while !list.is_empty() {
        // What cannot be read proves nothing.
        certificates.extend(Certificate::from_der(list.expect(tag::SEQUENCE)?.der).ok());
    }
    Ok(certificates)
}

fn read_status(mut fields: Reader<'_>) -> Result<KnownStatus, DerError> {
    let cert_id = CertId::read(fields.read()?)?;
    let status = fields.read()?;
    let status = if status.tag == tag::primitive(0) {
        CertStatus::Good
    } else if status.tag == tag::primitive(2) {
        CertStatus::Unknown
    } else if status.tag == tag::constructed(1) {
        let mut revoked = Reader::new(status.content);
        let at = revoked.time()?;
        let reason = match revoked.optional(tag::constructed(0))? {
            Some(reason) => match Reader::new(reason.content).expect(tag::ENUMERATED)?.content {
                [code] => RevocationReason::try_from(*code).unwrap_or_default(),
                _ => return Err(DerError::Content("revocationReason")),
            },
            None => RevocationReason::Unspecified,
        };
        CertStatus::Revoked { at, reason }
    } else {
        return Err(DerError::Content("certStatus"));
    };
    let this_update = fields.time()?;
    let next_update = match fields.optional(tag::constructed(0))? {
        Some(time) => Some(Reader::new(time.content).time()?),
        None => None,
    };
    Ok(KnownStatus {
        cert_id,
        status,
        this_update,
        next_update,
    })
}
