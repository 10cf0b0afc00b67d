//! Reading CRLs, ours and those of other CAs.

use super::CrlEntry;
use crate::asn1::{DerError, Reader, tag};
use crate::certificate::{Envelope, RawExtension};
use crate::key::{PublicKey, SignatureAlgorithm};
use crate::name::DistinguishedName;
use crate::oid;
use crate::revocation::RevocationReason;
use crate::serial::{Serial, SerialError};
use crate::time::Timestamp;

/// What a CRL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crl {
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// The issuer's name, octet for octet.
    pub issuer_der: Vec<u8>,
    /// When it was made.
    pub this_update: Timestamp,
    /// When the next one is there at the latest.
    pub next_update: Option<Timestamp>,
    /// The CRL number as big-endian octets.
    pub number: Option<Vec<u8>>,
    /// The keyIdentifier of the authority key identifier.
    pub authority_key_identifier: Option<Vec<u8>>,
    /// The revoked certificates in the order of the CRL.
    pub entries: Vec<CrlEntry>,
    /// The object identifiers of critical extensions. A CRL that has any is partial or indirect:
    /// that a certificate is not in it does not mean it is not revoked.
    pub critical_extensions: Vec<String>,
    /// The whole CRL.
    pub der: Vec<u8>,
}

/// Octets that are no CRL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// More octets than are read.
    #[error("a CRL of {0} octets is too large: at most {MAX_OCTETS} are read")]
    TooLarge(usize),
    /// Not DER, or not of the structure.
    #[error("the CRL is malformed: {0}")]
    Der(#[from] DerError),
    /// A serial number that is no number.
    #[error("the CRL is malformed: {0}")]
    Serial(#[from] SerialError),
}

const MAX_OCTETS: usize = 256 * 1024 * 1024;

impl Crl {
    /// Reads a CRL; octets after its end are refused. The signature is not verified.
    pub fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        if der.len() > MAX_OCTETS {
            return Err(CrlError::TooLarge(der.len()));
        }
        let envelope = Envelope::read(der)?;
        let mut tbs = Reader::single(envelope.tbs)?.open(tag::SEQUENCE)?;
        tbs.optional(tag::INTEGER)?;
        tbs.expect(tag::SEQUENCE)?;
        let issuer = tbs.expect(tag::SEQUENCE)?.der;
        let this_update = tbs.time()?;
        let next_update = match tbs.peek() {
            Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => Some(tbs.time()?),
            Some(_) | None => None,
        };
        let entries = tbs.optional(tag::SEQUENCE)?;
        let extensions = tbs.optional(tag::constructed(0))?;
        tbs.finish()?;
        let mut crl = Self {
            issuer: DistinguishedName::from_der(issuer)?,
            issuer_der: issuer.to_vec(),
            this_update,
            next_update,
            number: None,
            authority_key_identifier: None,
            entries: match entries {
                Some(list) => read_entries(Reader::new(list.content))?,
                None => Vec::new(),
            },
            critical_extensions: Vec::new(),
            der: der.to_vec(),
        };
        if let Some(extensions) = extensions {
            crl.read_extensions(Reader::single(extensions.content)?.open(tag::SEQUENCE)?)?;
        }
        Ok(crl)
    }

    /// Whether this key made the signature.
    pub fn is_signed_with(&self, key: &PublicKey) -> bool {
        let Ok(envelope) = Envelope::read(&self.der) else {
            return false;
        };
        SignatureAlgorithm::from_der(envelope.algorithm).is_ok_and(|algorithm| {
            key.verify(algorithm, envelope.tbs, envelope.signature)
                .is_ok()
        })
    }

    fn read_extensions(&mut self, mut list: Reader<'_>) -> Result<(), CrlError> {
        while !list.is_empty() {
            let extension = RawExtension::read(&mut list)?;
            if extension.oid == oid::EXT_CRL_NUMBER.as_bytes() {
                self.number = Some(Reader::new(extension.value).unsigned()?.to_vec());
            } else if extension.oid == oid::EXT_AUTHORITY_KEY_IDENTIFIER.as_bytes() {
                let identifier = Reader::new(extension.value)
                    .sequence()?
                    .optional(tag::primitive(0))?;
                self.authority_key_identifier = identifier.map(|found| found.content.to_vec());
            }
            if extension.critical {
                self.critical_extensions
                    .push(oid::to_text(extension.oid).unwrap_or_default());
            }
        }
        Ok(())
    }
}

fn read_entries(mut list: Reader<'_>) -> Result<Vec<CrlEntry>, CrlError> {
    let mut entries = Vec::new();
    while !list.is_empty() {
        let mut fields = list.sequence()?;
        let serial = Serial::from_be_octets(fields.expect(tag::INTEGER)?.content)?;
        let revoked_at = fields.time()?;
        let reason = match fields.optional(tag::SEQUENCE)? {
            Some(extensions) => read_reason(Reader::new(extensions.content))?,
            None => RevocationReason::Unspecified,
        };
        fields.finish()?;
        entries.push(CrlEntry {
            serial,
            revoked_at,
            reason,
        });
    }
    Ok(entries)
}

/// Reason codes that nobody knows count as unspecified: the certificate is revoked all the same.
fn read_reason(mut extensions: Reader<'_>) -> Result<RevocationReason, DerError> {
    let mut reason = RevocationReason::Unspecified;
    while !extensions.is_empty() {
        let extension = RawExtension::read(&mut extensions)?;
        if extension.oid == oid::EXT_REASON_CODE.as_bytes()
            && let [code] = Reader::new(extension.value)
                .expect(tag::ENUMERATED)?
                .content
        {
            reason = RevocationReason::try_from(*code).unwrap_or_default();
        }
    }
    Ok(reason)
}
