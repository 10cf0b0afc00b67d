//! The linter's own view of a TBSCertificate: strict, and nothing is copied but the names.

use const_oid::ObjectIdentifier;

use crate::asn1::{DerError, Reader, Tlv, tag};
use crate::certificate::{ExtendedKeyUsage, KeyUsage};
use crate::name::{GeneralName, GeneralNameError};
use crate::oid;

/// The fields in the order in which they are signed.
pub(super) struct Tbs<'a> {
    /// The version number, if it is written.
    pub(super) version: Option<u32>,
    /// The content of the serial number.
    pub(super) serial: &'a [u8],
    /// The AlgorithmIdentifier.
    pub(super) signature: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) not_before: Tlv<'a>,
    pub(super) not_after: Tlv<'a>,
    pub(super) subject: &'a [u8],
    pub(super) spki: &'a [u8],
    pub(super) has_unique_identifiers: bool,
    pub(super) extensions: Vec<Extension<'a>>,
    /// The alternative names; empty without the extension.
    pub(super) names: Vec<GeneralName>,
    pub(super) key_usage: Option<KeyUsage>,
    /// `None` without the extension.
    pub(super) purposes: Option<Vec<ExtendedKeyUsage>>,
    pub(super) is_ca: bool,
    pub(super) path_len: Option<u32>,
    pub(super) policies: Vec<&'a [u8]>,
}

#[derive(Clone, Copy)]
pub(super) struct Extension<'a> {
    pub(super) oid: &'a [u8],
    pub(super) critical: bool,
    pub(super) value: &'a [u8],
}

impl<'a> Tbs<'a> {
    pub(super) fn read(der: &'a [u8]) -> Result<Self, DerError> {
        let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
        let version = match fields.optional(tag::constructed(0))? {
            Some(version) => Some(only(version, Reader::small)?),
            None => None,
        };
        let serial = fields.integer()?;
        let signature = fields.expect(tag::SEQUENCE)?.der;
        let issuer = fields.expect(tag::SEQUENCE)?.der;
        let mut validity = fields.sequence()?;
        let (not_before, not_after) = (validity.read()?, validity.read()?);
        validity.finish()?;
        let subject = fields.expect(tag::SEQUENCE)?.der;
        let spki = fields.expect(tag::SEQUENCE)?.der;
        let unique = [1, 2].map(|number| fields.optional(tag::primitive(number)));
        let has_unique_identifiers = unique.iter().any(|found| !matches!(found, Ok(None)));
        let extensions = match fields.optional(tag::constructed(3))? {
            Some(extensions) => only(extensions, read_extensions)?,
            None => Vec::new(),
        };
        fields.finish()?;
        let mut tbs = Self {
            version,
            serial,
            signature,
            issuer,
            not_before,
            not_after,
            subject,
            spki,
            has_unique_identifiers,
            extensions,
            names: Vec::new(),
            key_usage: None,
            purposes: None,
            is_ca: false,
            path_len: None,
            policies: Vec::new(),
        };
        tbs.read_values()?;
        Ok(tbs)
    }

    /// The first extension of this kind.
    pub(super) fn extension(&self, oid: &ObjectIdentifier) -> Option<&Extension<'a>> {
        self.extensions.iter().find(|extension| extension.is(oid))
    }

    /// Whether this purpose is listed.
    pub(super) fn has_purpose(&self, purpose: &ExtendedKeyUsage) -> bool {
        self.purposes
            .as_ref()
            .is_some_and(|purposes| purposes.contains(purpose))
    }

    fn read_values(&mut self) -> Result<(), DerError> {
        if let Some(extension) = self.extension(&oid::EXT_SUBJECT_ALT_NAME) {
            self.names = GeneralName::read_all(extension.value).map_err(|error| match error {
                GeneralNameError::Der(error) => error,
                GeneralNameError::NotAscii(_)
                | GeneralNameError::IpLength(_)
                | GeneralNameError::OtherName(_)
                | GeneralNameError::Unsupported(_) => DerError::Content("subjectAltName"),
            })?;
        }
        if let Some(extension) = self.extension(&oid::EXT_KEY_USAGE) {
            self.key_usage = Some(KeyUsage::read(extension.value)?);
        }
        if let Some(extension) = self.extension(&oid::EXT_EXTENDED_KEY_USAGE) {
            self.purposes = Some(ExtendedKeyUsage::read_all(extension.value)?);
        }
        if let Some(extension) = self.extension(&oid::EXT_BASIC_CONSTRAINTS) {
            let mut fields = Reader::single(extension.value)?.open(tag::SEQUENCE)?;
            self.is_ca = fields.boolean_or_false()?;
            self.path_len = match fields.is_empty() {
                true => None,
                false => Some(fields.small()?),
            };
            fields.finish()?;
        }
        if let Some(extension) = self.extension(&oid::EXT_CERTIFICATE_POLICIES) {
            let mut list = Reader::single(extension.value)?.open(tag::SEQUENCE)?;
            while !list.is_empty() {
                self.policies.push(list.sequence()?.oid()?);
            }
        }
        Ok(())
    }
}

impl Extension<'_> {
    pub(super) fn is(&self, oid: &ObjectIdentifier) -> bool {
        self.oid == oid.as_bytes()
    }
}

fn only<'a, T>(
    outer: Tlv<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, DerError>,
) -> Result<T, DerError> {
    let mut reader = Reader::new(outer.content);
    let value = read(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

fn read_extensions<'a>(reader: &mut Reader<'a>) -> Result<Vec<Extension<'a>>, DerError> {
    let mut list = reader.sequence()?;
    let mut extensions = Vec::with_capacity(16);
    while !list.is_empty() {
        let mut fields = list.sequence()?;
        let extension = Extension {
            oid: fields.oid()?,
            critical: fields.boolean_or_false()?,
            value: fields.octet_string()?,
        };
        fields.finish()?;
        // The value itself is DER too, RFC 5280 section 4.2.
        Reader::single(extension.value)?;
        extensions.push(extension);
    }
    Ok(extensions)
}
