//! How OCSP names a certificate: by digests of its issuer, and its serial number.

use aws_lc_rs::digest;
use const_oid::ObjectIdentifier;

use crate::asn1::{DerError, Reader, Tlv, Writer, tag};
use crate::certificate::Certificate;
use crate::oid;
use crate::serial::Serial;

/// A CertID as a client sent it, RFC 6960 section 4.1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertId {
    /// The content octets of the digest algorithm's object identifier.
    algorithm: Vec<u8>,
    issuer_name_hash: Vec<u8>,
    issuer_key_hash: Vec<u8>,
    /// The serial number asked about.
    pub serial: Serial,
    /// Octet for octet, as the answer repeats it.
    pub(super) der: Vec<u8>,
}

impl CertId {
    pub(super) fn read(element: Tlv<'_>) -> Result<Self, DerError> {
        let mut fields = element.open(tag::SEQUENCE)?;
        let algorithm = fields.sequence()?.oid()?.to_vec();
        let issuer_name_hash = fields.octet_string()?.to_vec();
        let issuer_key_hash = fields.octet_string()?.to_vec();
        let serial =
            Serial::from_be_octets(fields.unsigned()?).map_err(|_| DerError::Content("INTEGER"))?;
        fields.finish()?;
        Ok(Self {
            algorithm,
            issuer_name_hash,
            issuer_key_hash,
            serial,
            der: element.der.to_vec(),
        })
    }
}

/// The digest by which a CertID names its issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OcspDigest {
    /// SHA-1, which most clients use; nothing here relies on its strength
    Sha1,
    /// SHA-256, which RFC 9919 recommends
    Sha256,
}

/// The digests by which requests name one issuer.
#[derive(Clone, Debug)]
pub struct OcspIssuer {
    digests: [IssuerDigests; 2],
}

#[derive(Clone, Debug)]
struct IssuerDigests {
    algorithm: ObjectIdentifier,
    name: digest::Digest,
    key: digest::Digest,
}

impl OcspIssuer {
    /// From the issuer's subject and the content of its subjectPublicKey without the unused-bits
    /// octet, as [`crate::key::PublicKey::key_octets`] gives it.
    pub fn new(name_der: &[u8], key_bits: &[u8]) -> Self {
        let algorithms = [
            (oid::SHA1, &digest::SHA1_FOR_LEGACY_USE_ONLY),
            (oid::SHA256, &digest::SHA256),
        ];
        Self {
            digests: algorithms.map(|(algorithm, hash)| IssuerDigests {
                algorithm,
                name: digest::digest(hash, name_der),
                key: digest::digest(hash, key_bits),
            }),
        }
    }

    /// From the issuer's certificate.
    pub fn from_certificate(certificate: &Certificate) -> Self {
        Self::new(
            &certificate.subject_der,
            certificate.public_key.key_octets(),
        )
    }

    /// The CertID of a certificate of this issuer, to ask about it or to answer ahead.
    pub fn cert_id(&self, digest: OcspDigest, serial: &Serial) -> CertId {
        let [sha1, sha256] = &self.digests;
        let digests = match digest {
            OcspDigest::Sha1 => sha1,
            OcspDigest::Sha256 => sha256,
        };
        let der = Writer::encode(|w| {
            w.sequence(|w| {
                w.sequence(|w| {
                    w.oid(&digests.algorithm);
                    w.null();
                });
                w.octet_string(digests.name.as_ref());
                w.octet_string(digests.key.as_ref());
                serial.encode(w);
            });
        });
        CertId {
            algorithm: digests.algorithm.as_bytes().to_vec(),
            issuer_name_hash: digests.name.as_ref().to_vec(),
            issuer_key_hash: digests.key.as_ref().to_vec(),
            serial: serial.clone(),
            der,
        }
    }

    /// Whether the request means a certificate of this issuer.
    pub fn matches(&self, id: &CertId) -> bool {
        self.digests.iter().any(|digests| {
            id.algorithm == digests.algorithm.as_bytes()
                && id.issuer_name_hash == digests.name.as_ref()
                && id.issuer_key_hash == digests.key.as_ref()
        })
    }
}

/// Reads all CertIDs of a requestList, without their extensions.
pub(super) fn read_list(mut list: Reader<'_>, limit: usize) -> Result<Vec<CertId>, DerError> {
    let mut ids = Vec::new();
    while !list.is_empty() {
        if ids.len() == limit {
            return Err(DerError::Content("requestList"));
        }
        let mut request = list.sequence()?;
        ids.push(CertId::read(request.read()?)?);
        request.optional(tag::constructed(0))?;
        request.finish()?;
    }
    Ok(ids)
}
