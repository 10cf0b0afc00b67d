//! Reading one CertReqMsg, RFC 4211 sections 3 to 6.

use super::{CertTemplate, IssuerAndSerial};
use crate::asn1::{DerError, Reader, Tlv, tag};
use crate::csr::{self, Csr, CsrError, CsrForm};
use crate::name::DistinguishedName;
use crate::oid;

/// Why a request in CRMF is not taken, beyond what any request can have wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrmfError {
    /// A template without key, which asks the CA to make one.
    #[error("the request has no public key; keys are made by the requester here")]
    NoKey,
    /// Nothing that shows who has the key.
    #[error("the request does not prove possession of its key: sign it with the key")]
    NoProof,
    /// raVerified from somebody who is no registration authority.
    #[error(
        "only a trusted registration authority may say that it has verified possession of the key"
    )]
    NotAnAuthority,
    /// Proof by encryption or key agreement, or over another input than the request.
    #[error("possession of the key is to be proven by a signature over the request")]
    ProofKind,
}

/// How the requester shows that it has the key, RFC 4211 section 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofOfPossession {
    /// Not at all
    None,
    /// A registration authority has seen to it
    RaVerified,
    /// A signature over the CertRequest
    Signature {
        /// The AlgorithmIdentifier in DER.
        algorithm: Vec<u8>,
        /// The signature's octets.
        signature: Vec<u8>,
    },
    /// Any of the other ways, none of which is taken here
    Other,
}

/// One request for one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertReqMsg {
    /// The number by which the answer refers to it.
    pub request_id: i64,
    /// What is asked for.
    pub template: CertTemplate,
    /// The certificate that is to be updated.
    pub old_certificate: Option<IssuerAndSerial>,
    /// How possession of the key is proven.
    pub proof: ProofOfPossession,
    /// The whole message.
    pub der: Vec<u8>,
    /// The CertRequest in it, which is what is signed.
    request: Vec<u8>,
}

impl CertReqMsg {
    /// Reads a message that is all there is.
    pub fn from_der(der: &[u8]) -> Result<Self, CsrError> {
        Self::read(Reader::single(der)?)
    }

    /// Reads one message of several.
    pub fn read(element: Tlv<'_>) -> Result<Self, CsrError> {
        if element.der.len() > MAX_OCTETS {
            return Err(CsrError::TooLarge(element.der.len()));
        }
        let mut fields = element.open(tag::SEQUENCE)?;
        let request = fields.expect(tag::SEQUENCE)?;
        let proof = match fields.peek() {
            None | Some(tag::SEQUENCE) => ProofOfPossession::None,
            Some(_) => read_proof(fields.read()?)?,
        };
        // regInfo: hints for a registration authority, which none of ours needs.
        fields.optional(tag::SEQUENCE)?;
        fields.finish()?;

        let mut inner = Reader::new(request.content);
        let request_id = inner.signed()?;
        let template = CertTemplate::read(inner.read()?)?;
        let old_certificate = match inner.optional(tag::SEQUENCE)? {
            Some(controls) => read_controls(Reader::new(controls.content))?,
            None => None,
        };
        inner.finish()?;
        Ok(Self {
            request_id,
            template,
            old_certificate,
            proof,
            der: element.der.to_vec(),
            request: request.der.to_vec(),
        })
    }

    /// The request as the pipeline takes it, if possession of its key is proven; by the word of an
    /// authority only where `authority` says that it came from one (RFC 9483 section 5.2.1).
    pub fn to_csr(&self, authority: bool) -> Result<Csr, CsrError> {
        let csr = self.unproven_csr()?;
        match &self.proof {
            ProofOfPossession::Signature {
                algorithm,
                signature,
            } => csr::verify_possession(&csr.public_key, algorithm, &self.request, signature)?,
            ProofOfPossession::RaVerified if authority => {}
            ProofOfPossession::RaVerified => return Err(CrmfError::NotAnAuthority.into()),
            ProofOfPossession::None => return Err(CrmfError::NoProof.into()),
            ProofOfPossession::Other => return Err(CrmfError::ProofKind.into()),
        }
        Ok(csr)
    }

    /// The same without a look at the proof.
    pub(crate) fn unproven_csr(&self) -> Result<Csr, CsrError> {
        let template = &self.template;
        let public_key = template.public_key.clone().ok_or(CrmfError::NoKey)?;
        let subject = template.subject.clone();
        Ok(Csr {
            subject: subject.unwrap_or_else(DistinguishedName::empty),
            subject_alt_names: template.subject_alt_names()?,
            public_key,
            extensions: template.extensions.clone(),
            challenge_password: None,
            der: self.der.clone(),
            form: CsrForm::Crmf,
        })
    }
}

/// ProofOfPossession; the signature is over the CertRequest where poposkInput is absent, which it
/// has to be where the template has subject and key (RFC 4211 section 4.1).
fn read_proof(element: Tlv<'_>) -> Result<ProofOfPossession, DerError> {
    const RA_VERIFIED: u8 = tag::primitive(0);
    const SIGNATURE: u8 = tag::constructed(1);
    match element.tag {
        RA_VERIFIED if element.content.is_empty() => Ok(ProofOfPossession::RaVerified),
        SIGNATURE => {
            let mut fields = Reader::new(element.content);
            if fields.optional(tag::constructed(0))?.is_some() {
                return Ok(ProofOfPossession::Other);
            }
            let algorithm = fields.expect(tag::SEQUENCE)?.der.to_vec();
            let signature = fields.bit_string()?.to_vec();
            fields.finish()?;
            Ok(ProofOfPossession::Signature {
                algorithm,
                signature,
            })
        }
        tag if tag & 0xc0 == 0x80 => Ok(ProofOfPossession::Other),
        _ => Err(DerError::Content("ProofOfPossession")),
    }
}

/// The one control that is heeded. Archiving of keys is not done, and nobody believes it is: what
/// is answered has no word of it.
fn read_controls(mut list: Reader<'_>) -> Result<Option<IssuerAndSerial>, CsrError> {
    let mut old = None;
    while !list.is_empty() {
        let mut control = list.sequence()?;
        let kind = control.oid()?;
        let value = control.read()?;
        control.finish()?;
        if kind == oid::CRMF_OLD_CERT_ID.as_bytes() {
            if old.is_some() {
                return Err(CsrError::Duplicate("oldCertID".to_owned()));
            }
            old = Some(IssuerAndSerial::read(value)?);
        }
    }
    Ok(old)
}

const MAX_OCTETS: usize = 64 * 1024;
