//! Reading certificates, ours and those of others.

use super::observed::{Extensions, RawExtension};
use super::{ExtendedKeyUsage, KeyUsage};
use crate::asn1::{DerError, Reader, tag};
use crate::fingerprint::Fingerprint;
use crate::key::{PublicKey, SignatureAlgorithm};
use crate::name::{DistinguishedName, GeneralName, NameConstraints};
use crate::serial::{Serial, SerialError};
use crate::time::Timestamp;

/// What a certificate says, and its octets.
///
/// The structure is read strictly. What the field is full of is tolerated: odd serial numbers, keys
/// and algorithms that nobody here can verify, and extensions whose value is malformed, which are
/// named in [`Self::malformed_extensions`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The whole certificate.
    pub der: Vec<u8>,
    /// The serial number.
    pub serial: Serial,
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// The issuer's name, octet for octet.
    pub issuer_der: Vec<u8>,
    /// Whom it names.
    pub subject: DistinguishedName,
    /// The subject's name, octet for octet.
    pub subject_der: Vec<u8>,
    /// The subject alternative names, without those of unknown forms.
    pub names: Vec<GeneralName>,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// The certified key.
    pub public_key: PublicKey,
    /// The SHA-256 digest of the SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
    /// The keyIdentifier of the authority key identifier.
    pub authority_key_identifier: Option<Vec<u8>>,
    /// The subject key identifier.
    pub subject_key_identifier: Option<Vec<u8>>,
    /// The key usage, if the extension is there.
    pub key_usage: Option<KeyUsage>,
    /// The purposes; empty if the extension is not there.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// Whether basic constraints say it is a CA.
    pub is_ca: bool,
    /// How many CAs may follow below it.
    pub path_len: Option<u32>,
    /// The signature algorithm, if it is one of ours.
    pub signature_algorithm: Option<SignatureAlgorithm>,
    /// The dotted object identifier of the signature algorithm.
    pub signature_algorithm_oid: String,
    /// Object identifiers of certificate policies.
    pub certificate_policies: Vec<String>,
    /// Where OCSP answers are.
    pub ocsp_urls: Vec<String>,
    /// Where the issuer's certificate is.
    pub ca_issuer_urls: Vec<String>,
    /// Where CRLs are.
    pub crl_urls: Vec<String>,
    /// What a CA may certify.
    pub name_constraints: Option<NameConstraints>,
    /// Whether TLS feature status_request is there.
    pub must_staple: bool,
    /// The object identifiers of critical extensions that are not understood here.
    pub unknown_critical_extensions: Vec<String>,
    /// The object identifiers of known extensions whose value cannot be read.
    pub malformed_extensions: Vec<String>,
}

/// Octets that are no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// More octets than any certificate has.
    #[error("a certificate of {0} octets is too large: at most {MAX_OCTETS} are read")]
    TooLarge(usize),
    /// Not DER, or not of the structure.
    #[error("the certificate is malformed: {0}")]
    Der(#[from] DerError),
    /// A serial number that is no number.
    #[error("the certificate is malformed: {0}")]
    Serial(#[from] SerialError),
}

const MAX_OCTETS: usize = 256 * 1024;

impl Certificate {
    /// Reads a certificate; octets after its end are refused.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_OCTETS {
            return Err(CertificateError::TooLarge(der.len()));
        }
        let envelope = Envelope::read(der)?;
        let fields = Fields::read(envelope.tbs)?;
        let extensions = match fields.extensions {
            Some(list) => Extensions::read(Reader::single(list)?.open(tag::SEQUENCE)?)?,
            None => Extensions::default(),
        };
        Ok(Self {
            der: der.to_vec(),
            serial: fields.serial,
            issuer: DistinguishedName::from_der(fields.issuer)?,
            issuer_der: fields.issuer.to_vec(),
            subject: DistinguishedName::from_der(fields.subject)?,
            subject_der: fields.subject.to_vec(),
            names: extensions.names,
            not_before: fields.not_before,
            not_after: fields.not_after,
            spki_sha256: fields.public_key.spki_sha256(),
            public_key: fields.public_key,
            authority_key_identifier: extensions.authority_key_identifier,
            subject_key_identifier: extensions.subject_key_identifier,
            key_usage: extensions.key_usage,
            extended_key_usage: extensions.extended_key_usage,
            is_ca: extensions.is_ca,
            path_len: extensions.path_len,
            signature_algorithm: SignatureAlgorithm::from_der(envelope.algorithm).ok(),
            signature_algorithm_oid: crate::key::oid_of(envelope.algorithm).unwrap_or_default(),
            certificate_policies: extensions.certificate_policies,
            ocsp_urls: extensions.ocsp_urls,
            ca_issuer_urls: extensions.ca_issuer_urls,
            crl_urls: extensions.crl_urls,
            name_constraints: extensions.name_constraints,
            must_staple: extensions.must_staple,
            unknown_critical_extensions: extensions.unknown_critical,
            malformed_extensions: extensions.malformed,
        })
    }

    /// The SHA-256 digest of the DER.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }

    /// The octets that were signed.
    pub fn tbs_der(&self) -> &[u8] {
        Envelope::read(&self.der).map_or(&[], |envelope| envelope.tbs)
    }

    /// Criticality and value of every extension with these content octets as object identifier.
    pub fn extension_values(&self, oid: &[u8]) -> Vec<(bool, &[u8])> {
        let mut values = Vec::new();
        let Ok(mut list) = self.extension_list() else {
            return values;
        };
        while let Ok(extension) = RawExtension::read(&mut list) {
            if extension.oid == oid {
                values.push((extension.critical, extension.value));
            }
        }
        values
    }

    fn extension_list(&self) -> Result<Reader<'_>, CertificateError> {
        match Fields::read(self.tbs_der())?.extensions {
            Some(list) => Ok(Reader::single(list)?.open(tag::SEQUENCE)?),
            None => Ok(Reader::new(&[])),
        }
    }

    /// Whether issuer and subject are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.issuer_der == self.subject_der
    }

    /// Whether `issuer` has the name this certificate was issued by and its key made the signature.
    ///
    /// Whether the issuer is a CA at all is another question.
    pub fn is_signed_by(&self, issuer: &Self) -> bool {
        self.issuer_der == issuer.subject_der && self.is_signed_with(&issuer.public_key)
    }

    /// Whether this key made the signature.
    pub fn is_signed_with(&self, key: &PublicKey) -> bool {
        let (Some(algorithm), Ok(envelope)) = (self.signature_algorithm, Envelope::read(&self.der))
        else {
            return false;
        };
        key.verify(algorithm, envelope.tbs, envelope.signature)
            .is_ok()
    }
}

/// The fields of a TBSCertificate, its extensions not yet read.
struct Fields<'a> {
    serial: Serial,
    issuer: &'a [u8],
    not_before: Timestamp,
    not_after: Timestamp,
    subject: &'a [u8],
    public_key: PublicKey,
    /// The SEQUENCE OF Extension.
    extensions: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn read(tbs: &'a [u8]) -> Result<Self, CertificateError> {
        let mut tbs = Reader::single(tbs)?.open(tag::SEQUENCE)?;
        tbs.optional(tag::constructed(0))?;
        // Others have issued integers in longer forms and negative ones; keep their octets.
        let serial = Serial::from_be_octets(tbs.expect(tag::INTEGER)?.content)?;
        tbs.expect(tag::SEQUENCE)?;
        let issuer = tbs.expect(tag::SEQUENCE)?.der;
        let mut validity = tbs.sequence()?;
        let (not_before, not_after) = (validity.time()?, validity.time()?);
        let subject = tbs.expect(tag::SEQUENCE)?.der;
        let public_key = PublicKey::observed(tbs.expect(tag::SEQUENCE)?.der)?;
        tbs.optional(tag::primitive(1))?;
        tbs.optional(tag::primitive(2))?;
        let extensions = tbs.optional(tag::constructed(3))?;
        tbs.finish()?;
        Ok(Self {
            serial,
            issuer,
            not_before,
            not_after,
            subject,
            public_key,
            extensions: extensions.map(|element| element.content),
        })
    }
}

/// The three parts of everything that is signed in X.509.
pub(crate) struct Envelope<'a> {
    pub(crate) tbs: &'a [u8],
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> Envelope<'a> {
    pub(crate) fn read(der: &'a [u8]) -> Result<Self, DerError> {
        let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
        let tbs = fields.expect(tag::SEQUENCE)?.der;
        let algorithm = fields.expect(tag::SEQUENCE)?.der;
        let signature = fields.bit_string()?;
        fields.finish()?;
        Ok(Self {
            tbs,
            algorithm,
            signature,
        })
    }
}
