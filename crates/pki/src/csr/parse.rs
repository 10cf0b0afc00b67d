//! Reading CSRs: every octet is accounted for, and the signature is verified.

use super::RequestedExtension;
use crate::asn1::{DerError, Reader, Tlv, tag};
use crate::certificate::{Envelope, RawExtension};
use crate::crmf::{CertReqMsg, CrmfError};
use crate::key::{
    PublicKey, PublicKeyError, SignatureAlgorithm, UnknownSignatureAlgorithm, VerifyError, WeakKey,
    weak,
};
use crate::name::{DistinguishedName, GeneralName, GeneralNameError};
use crate::oid;

/// A CSR whose signature was made with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csr {
    /// The subject.
    pub subject: DistinguishedName,
    /// The names of a requested subjectAltName.
    pub subject_alt_names: Vec<GeneralName>,
    /// The key to certify.
    pub public_key: PublicKey,
    /// All requested extensions in order, subjectAltName among them.
    pub extensions: Vec<RequestedExtension>,
    /// The password of PKCS #9, by which SCEP authenticates.
    pub challenge_password: Option<String>,
    /// The whole CSR.
    pub der: Vec<u8>,
    /// What [`Self::der`] is.
    pub form: CsrForm,
}

/// Why a CSR is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// More octets than any CSR needs.
    #[error("a CSR of {0} octets is too large: at most {MAX_OCTETS} are read")]
    TooLarge(usize),
    /// Not DER, or not of the structure.
    #[error("the CSR is malformed: {0}")]
    Der(#[from] DerError),
    /// Another version than the only one there is.
    #[error("the CSR has version {0} where RFC 2986 knows only 0")]
    Version(u32),
    /// A public key that is malformed or not on its curve.
    #[error("the CSR's key is refused: {0}")]
    PublicKey(#[from] PublicKeyError),
    /// A public key that is too weak for its signature to mean anything.
    #[error("the CSR's key is refused: {0}")]
    WeakKey(WeakKey),
    /// A signature algorithm that is not accepted, or does not go with the key.
    #[error("the CSR's signature is refused: {0}")]
    Algorithm(#[from] UnknownSignatureAlgorithm),
    /// A signature that the key did not make.
    #[error("the CSR's signature is refused: {0}")]
    Signature(#[from] VerifyError),
    /// A requested name that is malformed.
    #[error("the CSR asks for a malformed name: {0}")]
    Name(#[from] GeneralNameError),
    /// An attribute or extension that is there twice.
    #[error("the CSR has {0} more than once")]
    Duplicate(String),
    /// A request in CRMF that says too little or proves nothing.
    #[error(transparent)]
    Crmf(#[from] CrmfError),
}

/// The form of a request, as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsrForm {
    /// PKCS #10, which every CA reads
    Pkcs10,
    /// A CertReqMsg of RFC 4211, which CAs read that speak CMP
    Crmf,
}

const MAX_OCTETS: usize = 64 * 1024;

impl Csr {
    /// Reads a CSR and verifies that its key signed it.
    pub fn from_der(der: &[u8]) -> Result<Self, CsrError> {
        if der.len() > MAX_OCTETS {
            return Err(CsrError::TooLarge(der.len()));
        }
        let envelope = Envelope::read(der)?;
        let mut info = Reader::single(envelope.tbs)?.open(tag::SEQUENCE)?;
        match info.small()? {
            0 => (),
            other => return Err(CsrError::Version(other)),
        }
        let subject = DistinguishedName::from_der(info.expect(tag::SEQUENCE)?.der)?;
        let public_key = PublicKey::from_spki_der(info.expect(tag::SEQUENCE)?.der)?;
        // RFC 2986 wants the attributes even if empty; enough clients leave them out.
        let attributes = info.optional(tag::constructed(0))?;
        info.finish()?;
        verify(&public_key, &envelope)?;

        let mut csr = Self {
            subject,
            subject_alt_names: Vec::new(),
            public_key,
            extensions: Vec::new(),
            challenge_password: None,
            der: der.to_vec(),
            form: CsrForm::Pkcs10,
        };
        if let Some(attributes) = attributes {
            csr.read_attributes(Reader::new(attributes.content))?;
        }
        Ok(csr)
    }

    /// Reads a request that was accepted before and kept: PKCS #10, or a CertReqMsg of RFC 4211. What
    /// an authority vouched for then carries no proof that could be looked at again.
    pub fn accepted(der: &[u8]) -> Result<Self, CsrError> {
        match Envelope::read(der) {
            Ok(_) => Self::from_der(der),
            Err(_) => CertReqMsg::from_der(der)?.unproven_csr(),
        }
    }

    /// Whether an attribute is there, whatever its value; one in CRMF has none.
    pub fn has_attribute(&self, kind: &const_oid::ObjectIdentifier) -> bool {
        self.attribute_kinds()
            .is_ok_and(|kinds| kinds.contains(&kind.as_bytes()))
    }

    fn attribute_kinds(&self) -> Result<Vec<&[u8]>, DerError> {
        let mut info = Reader::single(Envelope::read(&self.der)?.tbs)?.open(tag::SEQUENCE)?;
        info.small()?;
        info.expect(tag::SEQUENCE)?;
        info.expect(tag::SEQUENCE)?;
        let mut kinds = Vec::new();
        if let Some(attributes) = info.optional(tag::constructed(0))? {
            let mut list = Reader::new(attributes.content);
            while !list.is_empty() {
                kinds.push(list.sequence()?.oid()?);
            }
        }
        Ok(kinds)
    }

    fn read_attributes(&mut self, mut attributes: Reader<'_>) -> Result<(), CsrError> {
        let mut seen: Vec<&[u8]> = Vec::new();
        while !attributes.is_empty() {
            let mut fields = attributes.sequence()?;
            let kind = fields.oid()?;
            let values = Reader::new(fields.expect(tag::SET)?.content);
            fields.finish()?;
            if seen.contains(&kind) {
                return Err(CsrError::Duplicate(name_of(kind)));
            }
            seen.push(kind);
            if kind == oid::EXTENSION_REQUEST.as_bytes()
                || kind == oid::MICROSOFT_EXTENSION_REQUEST.as_bytes()
            {
                self.read_extensions(only(values)?)?;
            } else if kind == oid::CHALLENGE_PASSWORD.as_bytes() {
                self.challenge_password = Some(only(values)?.text()?.into_owned());
            }
        }
        Ok(())
    }

    fn read_extensions(&mut self, value: Tlv<'_>) -> Result<(), CsrError> {
        let list = value.open(tag::SEQUENCE)?;
        read_extensions(list, &mut self.extensions)?;
        self.subject_alt_names = subject_alt_names(&self.extensions)?;
        Ok(())
    }
}

/// Adds the extensions of a list to those already read.
pub(crate) fn read_extensions(
    mut list: Reader<'_>,
    extensions: &mut Vec<RequestedExtension>,
) -> Result<(), CsrError> {
    while !list.is_empty() {
        let extension = RawExtension::read(&mut list)?;
        let oid = name_of(extension.oid);
        // RFC 5280 section 4.2: no extension twice. Two of one kind are two answers to one
        // question, and a later reader might take the other one.
        if extensions.iter().any(|known| known.oid == oid) {
            return Err(CsrError::Duplicate(oid));
        }
        extensions.push(RequestedExtension {
            oid,
            critical: extension.critical,
            der: extension.value.to_vec(),
        });
    }
    Ok(())
}

/// The names of a requested subjectAltName.
pub(crate) fn subject_alt_names(
    extensions: &[RequestedExtension],
) -> Result<Vec<GeneralName>, CsrError> {
    let wanted = oid::EXT_SUBJECT_ALT_NAME.to_string();
    match extensions.iter().find(|one| one.oid == wanted) {
        Some(extension) => Ok(GeneralName::read_all(&extension.der)?),
        None => Ok(Vec::new()),
    }
}

/// Proof of possession. A key that is too weak to verify anything with is named as such, so that
/// the requester learns what to change.
fn verify(key: &PublicKey, envelope: &Envelope<'_>) -> Result<(), CsrError> {
    verify_possession(key, envelope.algorithm, envelope.tbs, envelope.signature)
}

pub(crate) fn verify_possession(
    key: &PublicKey,
    algorithm: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), CsrError> {
    let algorithm = SignatureAlgorithm::from_der(algorithm)?;
    key.verify(algorithm, message, signature)
        .map_err(|error| match weak::check(key) {
            Err(weak) => CsrError::WeakKey(weak),
            Ok(()) => CsrError::Signature(error),
        })
}

fn only<'a>(mut values: Reader<'a>) -> Result<Tlv<'a>, DerError> {
    let value = values.read()?;
    values.finish()?;
    Ok(value)
}

fn name_of(oid: &[u8]) -> String {
    oid::to_text(oid).unwrap_or_else(|| "an unnamed attribute".to_owned())
}
