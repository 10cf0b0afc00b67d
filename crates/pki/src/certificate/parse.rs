//! Reading certificates, ours and those of others.

use super::{ExtendedKeyUsage, KeyUsage};
use crate::asn1::{DerError, Reader, tag};
use crate::fingerprint::Fingerprint;
use crate::key::{PublicKey, SignatureAlgorithm};
use crate::name::{DistinguishedName, GeneralName, NameConstraints};
use crate::oid;
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
        let mut tbs = Reader::single(envelope.tbs)?.open(tag::SEQUENCE)?;
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

        let mut certificate = Self {
            serial,
            issuer: DistinguishedName::from_der(issuer)?,
            issuer_der: issuer.to_vec(),
            subject: DistinguishedName::from_der(subject)?,
            subject_der: subject.to_vec(),
            names: Vec::new(),
            not_before,
            not_after,
            spki_sha256: public_key.spki_sha256(),
            public_key,
            authority_key_identifier: None,
            subject_key_identifier: None,
            key_usage: None,
            extended_key_usage: Vec::new(),
            is_ca: false,
            path_len: None,
            signature_algorithm: SignatureAlgorithm::from_der(envelope.algorithm).ok(),
            signature_algorithm_oid: crate::key::oid_of(envelope.algorithm).unwrap_or_default(),
            certificate_policies: Vec::new(),
            ocsp_urls: Vec::new(),
            ca_issuer_urls: Vec::new(),
            crl_urls: Vec::new(),
            name_constraints: None,
            must_staple: false,
            unknown_critical_extensions: Vec::new(),
            malformed_extensions: Vec::new(),
            der: der.to_vec(),
        };
        if let Some(extensions) = extensions {
            certificate
                .read_extensions(Reader::single(extensions.content)?.open(tag::SEQUENCE)?)?;
        }
        Ok(certificate)
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

    fn extension_list(&self) -> Result<Reader<'_>, DerError> {
        let mut tbs = Reader::single(Envelope::read(&self.der)?.tbs)?.open(tag::SEQUENCE)?;
        while !tbs.is_empty() {
            let field = tbs.read()?;
            if field.tag == tag::constructed(3) {
                return Reader::single(field.content)?.open(tag::SEQUENCE);
            }
        }
        Ok(Reader::new(&[]))
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

/// One extension, its value not yet read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawExtension<'a> {
    pub(crate) oid: &'a [u8],
    pub(crate) critical: bool,
    pub(crate) value: &'a [u8],
}

impl<'a> RawExtension<'a> {
    pub(crate) fn read(list: &mut Reader<'a>) -> Result<Self, DerError> {
        let mut fields = list.sequence()?;
        let extension = Self {
            oid: fields.oid()?,
            critical: fields.boolean_or_false()?,
            value: fields.octet_string()?,
        };
        fields.finish()?;
        Ok(extension)
    }
}

impl Certificate {
    fn read_extensions(&mut self, mut list: Reader<'_>) -> Result<(), DerError> {
        while !list.is_empty() {
            let extension = RawExtension::read(&mut list)?;
            let name = || oid::to_text(extension.oid).unwrap_or_default();
            match self.read_extension(&extension) {
                Some(true) => (),
                Some(false) => self.malformed_extensions.push(name()),
                None if extension.critical => self.unknown_critical_extensions.push(name()),
                None => (),
            }
        }
        Ok(())
    }

    /// `None` for an unknown extension, `Some(false)` for one that is malformed.
    fn read_extension(&mut self, extension: &RawExtension<'_>) -> Option<bool> {
        let value = extension.value;
        let known = |oid: &const_oid::ObjectIdentifier| oid.as_bytes() == extension.oid;
        let read = if known(&oid::EXT_SUBJECT_ALT_NAME) {
            read_names(value).map(|names| self.names = names)
        } else if known(&oid::EXT_BASIC_CONSTRAINTS) {
            read_basic_constraints(value).map(|(is_ca, path_len)| {
                self.is_ca = is_ca;
                self.path_len = path_len;
            })
        } else if known(&oid::EXT_KEY_USAGE) {
            KeyUsage::read(value).map(|usage| self.key_usage = Some(usage))
        } else if known(&oid::EXT_EXTENDED_KEY_USAGE) {
            ExtendedKeyUsage::read_all(value).map(|list| self.extended_key_usage = list)
        } else if known(&oid::EXT_SUBJECT_KEY_IDENTIFIER) {
            Reader::new(value)
                .octet_string()
                .map(|identifier| self.subject_key_identifier = Some(identifier.to_vec()))
        } else if known(&oid::EXT_AUTHORITY_KEY_IDENTIFIER) {
            read_authority_key_identifier(value)
                .map(|identifier| self.authority_key_identifier = identifier)
        } else if known(&oid::EXT_AUTHORITY_INFO_ACCESS) {
            self.read_authority_info_access(value)
        } else if known(&oid::EXT_CRL_DISTRIBUTION_POINTS) {
            read_distribution_points(value).map(|urls| self.crl_urls = urls)
        } else if known(&oid::EXT_CERTIFICATE_POLICIES) {
            read_policies(value).map(|policies| self.certificate_policies = policies)
        } else if known(&oid::EXT_NAME_CONSTRAINTS) {
            NameConstraints::read(value)
                .map(|constraints| self.name_constraints = Some(constraints))
                .map_err(|_| DerError::Content("nameConstraints"))
        } else if known(&oid::EXT_TLS_FEATURE) {
            read_tls_feature(value).map(|must_staple| self.must_staple = must_staple)
        } else {
            return self.is_understood(extension.oid).then_some(true);
        };
        Some(read.is_ok())
    }

    /// Extensions that are read elsewhere, or that change nothing here.
    fn is_understood(&self, oid: &[u8]) -> bool {
        [oid::EXT_ACME_IDENTIFIER, oid::EXT_OCSP_NO_CHECK]
            .iter()
            .any(|known| known.as_bytes() == oid)
    }

    fn read_authority_info_access(&mut self, der: &[u8]) -> Result<(), DerError> {
        let mut list = Reader::single(der)?.open(tag::SEQUENCE)?;
        while !list.is_empty() {
            let mut access = list.sequence()?;
            let method = access.oid()?;
            let location = access.read()?;
            let urls = if method == oid::ACCESS_OCSP.as_bytes() {
                &mut self.ocsp_urls
            } else if method == oid::ACCESS_CA_ISSUERS.as_bytes() {
                &mut self.ca_issuer_urls
            } else {
                continue;
            };
            if let Ok(GeneralName::Uri(url)) = GeneralName::read(location) {
                urls.push(url);
            }
        }
        Ok(())
    }
}

fn read_names(der: &[u8]) -> Result<Vec<GeneralName>, DerError> {
    let mut list = Reader::single(der)?.open(tag::SEQUENCE)?;
    let mut names = Vec::new();
    while !list.is_empty() {
        names.extend(GeneralName::read(list.read()?).ok());
    }
    Ok(names)
}

fn read_basic_constraints(der: &[u8]) -> Result<(bool, Option<u32>), DerError> {
    let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
    // An explicit FALSE is not DER, but common.
    let is_ca = fields
        .optional(tag::BOOLEAN)?
        .is_some_and(|element| element.content == [0xff]);
    let path_len = if fields.is_empty() {
        None
    } else {
        Some(fields.small()?)
    };
    Ok((is_ca, path_len))
}

fn read_authority_key_identifier(der: &[u8]) -> Result<Option<Vec<u8>>, DerError> {
    let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
    let identifier = fields.optional(tag::primitive(0))?;
    Ok(identifier.map(|element| element.content.to_vec()))
}

/// The URLs of all points that have a full name.
pub(crate) fn read_distribution_points(der: &[u8]) -> Result<Vec<String>, DerError> {
    let mut list = Reader::single(der)?.open(tag::SEQUENCE)?;
    let mut urls = Vec::new();
    while !list.is_empty() {
        let mut point = list.sequence()?;
        let Some(name) = point.optional(tag::constructed(0))? else {
            continue;
        };
        if let Some(full) = Reader::new(name.content).optional(tag::constructed(0))? {
            let mut names = Reader::new(full.content);
            while !names.is_empty() {
                if let Ok(GeneralName::Uri(url)) = GeneralName::read(names.read()?) {
                    urls.push(url);
                }
            }
        }
    }
    Ok(urls)
}

fn read_policies(der: &[u8]) -> Result<Vec<String>, DerError> {
    let mut list = Reader::single(der)?.open(tag::SEQUENCE)?;
    let mut policies = Vec::new();
    while !list.is_empty() {
        policies.extend(oid::to_text(list.sequence()?.oid()?));
    }
    Ok(policies)
}

fn read_tls_feature(der: &[u8]) -> Result<bool, DerError> {
    let mut list = Reader::single(der)?.open(tag::SEQUENCE)?;
    let mut status_request = false;
    while !list.is_empty() {
        status_request |= list.small()? == 5;
    }
    Ok(status_request)
}
