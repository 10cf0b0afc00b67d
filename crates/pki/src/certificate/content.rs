//! What a certificate is to say.

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Certificate, ExtendedKeyUsage, ExtraExtension, KeyUsage};
use crate::key::{PublicKey, SignatureAlgorithm};
use crate::name::{DistinguishedName, GeneralName, NameConstraints};
use crate::time::Timestamp;

/// Everything a certificate says, except its serial number and what its issuer adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateContent {
    /// The subject; may be empty where there are alternative names.
    pub subject: DistinguishedName,
    /// The subject alternative names.
    pub subject_alt_names: Vec<GeneralName>,
    /// The certified key.
    pub public_key: PublicKey,
    /// First second of validity; a fraction is cut off.
    pub not_before: Timestamp,
    /// Last second of validity; a fraction is cut off.
    pub not_after: Timestamp,
    /// Whether this is a CA.
    pub basic_constraints: BasicConstraints,
    /// What the key may be used for; empty leaves the extension out.
    pub key_usage: KeyUsage,
    /// For which purposes; empty leaves the extension out.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// Object identifiers of certificate policies.
    pub certificate_policies: Vec<String>,
    /// Whether to write the subject key identifier; needed in CA certificates.
    pub subject_key_identifier: bool,
    /// Where OCSP answers for this certificate are.
    pub ocsp_urls: Vec<String>,
    /// Where the issuer's certificate is.
    pub ca_issuer_urls: Vec<String>,
    /// Where the CRL is.
    pub crl_urls: Vec<String>,
    /// For OCSP responders: their own certificate is not to be checked (RFC 6960 4.2.2.2.1).
    pub ocsp_no_check: bool,
    /// The TLS feature status_request, RFC 7633.
    pub must_staple: bool,
    /// For CAs: what they may certify.
    pub name_constraints: Option<NameConstraints>,
    /// The digest that a tls-alpn-01 response certificate carries, RFC 8737 section 3.
    #[serde(with = "acme_identifier")]
    pub acme_identifier: Option<[u8; 32]>,
    /// Extensions that are written as they are, after all others.
    #[serde(default)]
    pub extra_extensions: Vec<ExtraExtension>,
}

/// Whether a certificate is a CA's, RFC 5280 section 4.2.1.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum BasicConstraints {
    /// Not a CA
    EndEntity,
    /// A CA
    Ca {
        /// How many CAs may follow below it; `None` for any number.
        path_len: Option<u8>,
    },
}

/// What the issuing CA adds to every certificate, CRL and OCSP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerFacts {
    /// Its subject, octet for octet: RFC 5280 section 4.1.2.4 wants names to compare equal.
    pub subject_der: Vec<u8>,
    /// Its key identifier.
    pub key_identifier: Vec<u8>,
    /// What its key signs with.
    pub signature_algorithm: SignatureAlgorithm,
}

impl CertificateContent {
    /// An end-entity certificate that says nothing yet but whose key it is and how long it lives.
    pub fn new(public_key: PublicKey, not_before: Timestamp, not_after: Timestamp) -> Self {
        Self {
            subject: DistinguishedName::empty(),
            subject_alt_names: Vec::new(),
            public_key,
            not_before,
            not_after,
            basic_constraints: BasicConstraints::EndEntity,
            key_usage: KeyUsage::EMPTY,
            extended_key_usage: Vec::new(),
            certificate_policies: Vec::new(),
            subject_key_identifier: false,
            ocsp_urls: Vec::new(),
            ca_issuer_urls: Vec::new(),
            crl_urls: Vec::new(),
            ocsp_no_check: false,
            must_staple: false,
            name_constraints: None,
            acme_identifier: None,
            extra_extensions: Vec::new(),
        }
    }
}

impl IssuerFacts {
    /// For a root that signs itself.
    pub fn self_signed(content: &CertificateContent, algorithm: SignatureAlgorithm) -> Self {
        Self {
            subject_der: content.subject.to_der(),
            key_identifier: content.public_key.key_identifier().to_vec(),
            signature_algorithm: algorithm,
        }
    }

    /// For an issuer with this certificate, whose key signs with `algorithm`.
    pub fn from_certificate(certificate: &Certificate, algorithm: SignatureAlgorithm) -> Self {
        let key_identifier = match &certificate.subject_key_identifier {
            Some(identifier) => identifier.clone(),
            None => certificate.public_key.key_identifier().to_vec(),
        };
        Self {
            subject_der: certificate.subject_der.clone(),
            key_identifier,
            signature_algorithm: algorithm,
        }
    }
}

mod acme_identifier {
    use super::{Deserialize, Deserializer, de};
    use data_encoding::HEXLOWER;
    use serde::Serializer;

    pub(super) fn serialize<S: Serializer>(
        digest: &Option<[u8; 32]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match digest {
            Some(digest) => serializer.serialize_some(&HEXLOWER.encode(digest)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<[u8; 32]>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else {
            return Ok(None);
        };
        crate::hex::decode(&text)
            .and_then(|octets| octets.try_into().ok())
            .map(Some)
            .ok_or_else(|| de::Error::custom("expected 64 hexadecimal digits"))
    }
}
