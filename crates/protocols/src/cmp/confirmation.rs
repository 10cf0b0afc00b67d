//! certConf: the requester has the certificate and takes it, or not. RFC 9810 section 5.3.18.

use aws_lc_rs::digest;
use der::oid::ObjectIdentifier;
use pki::asn1::{Reader, Tlv, Writer, tag};
use pki::certificate::Certificate;
use pki::key::SignatureAlgorithm;

use super::body::only;
use super::{CmpError, PkiStatus, StatusInfo};

/// The verdict on one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertStatus {
    /// The hash of the certificate's DER.
    pub hash: Vec<u8>,
    /// The request's number.
    pub request_id: i64,
    /// The verdict; without one it is taken.
    pub status: Option<StatusInfo>,
    /// The AlgorithmIdentifier of another hash than the certificate's signature has.
    pub hash_algorithm: Option<Vec<u8>>,
}

impl CertStatus {
    /// Takes a certificate.
    pub fn accept(request_id: i64, certificate: &Certificate) -> Self {
        Self {
            hash: certificate_digest(certificate),
            request_id,
            status: None,
            hash_algorithm: None,
        }
    }

    /// Whether the hash is that of this certificate, with the algorithm that is named or its own.
    pub fn is_of(&self, certificate: &Certificate) -> bool {
        let Some(algorithm) = &self.hash_algorithm else {
            return self.hash == certificate_digest(certificate);
        };
        let named = Reader::single(algorithm)
            .and_then(|element| element.open(tag::SEQUENCE))
            .and_then(|mut fields| fields.oid());
        let known = [
            (SHA256, &digest::SHA256),
            (SHA384, &digest::SHA384),
            (SHA512, &digest::SHA512),
        ];
        known
            .into_iter()
            .find(|(oid, _)| named == Ok(oid.as_bytes()))
            .is_some_and(|(_, hash)| self.hash == digest::digest(hash, &certificate.der).as_ref())
    }

    /// Whether the certificate is taken.
    pub fn is_accepted(&self) -> bool {
        self.status.as_ref().is_none_or(|status| {
            matches!(
                status.status,
                PkiStatus::Accepted | PkiStatus::GrantedWithMods
            )
        })
    }

    pub(super) fn read_list(element: Tlv<'_>) -> Result<Option<Self>, CmpError> {
        let list = element.open(tag::SEQUENCE)?;
        if list.is_empty() {
            return Ok(None);
        }
        let mut fields = only(list, "certificate to be confirmed")?.open(tag::SEQUENCE)?;
        let hash = fields.octet_string()?.to_vec();
        let request_id = fields.signed()?;
        let status = match fields.optional(tag::SEQUENCE)? {
            Some(status) => Some(StatusInfo::read(status)?),
            None => None,
        };
        let hash_algorithm = match fields.optional(tag::constructed(0))? {
            Some(field) => Some(Reader::single(field.content)?.der.to_vec()),
            None => None,
        };
        fields.finish()?;
        Ok(Some(Self {
            hash,
            request_id,
            status,
            hash_algorithm,
        }))
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.sequence(|w| {
            w.octet_string(&self.hash);
            w.signed(self.request_id);
            if let Some(status) = &self.status {
                status.encode(w);
            }
            if let Some(algorithm) = &self.hash_algorithm {
                w.constructed(0, |w| w.raw(algorithm));
            }
        });
    }
}

const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// The hash by which a certificate is confirmed: that of its signature (RFC 9810 section 5.3.18);
/// for Ed25519, which has none of its own, SHA-512 (RFC 9481 section 3.3).
pub fn certificate_digest(certificate: &Certificate) -> Vec<u8> {
    let algorithm = match certificate.signature_algorithm {
        Some(SignatureAlgorithm::RsaSha384 | SignatureAlgorithm::EcdsaSha384) => &digest::SHA384,
        Some(
            SignatureAlgorithm::RsaSha512
            | SignatureAlgorithm::EcdsaSha512
            | SignatureAlgorithm::Ed25519,
        ) => &digest::SHA512,
        Some(SignatureAlgorithm::RsaSha256 | SignatureAlgorithm::EcdsaSha256) | None => {
            &digest::SHA256
        }
    };
    digest::digest(algorithm, &certificate.der)
        .as_ref()
        .to_vec()
}
