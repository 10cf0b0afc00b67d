//! Reading the extensions of certificates as they are found, with whatever is wrong with them.

use super::{ExtendedKeyUsage, KeyUsage};
use crate::asn1::{DerError, Reader, tag};
use crate::name::{GeneralName, NameConstraints};
use crate::oid;

/// What the extensions say.
#[derive(Default)]
pub(super) struct Extensions {
    pub(super) names: Vec<GeneralName>,
    pub(super) authority_key_identifier: Option<Vec<u8>>,
    pub(super) subject_key_identifier: Option<Vec<u8>>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) extended_key_usage: Vec<ExtendedKeyUsage>,
    pub(super) is_ca: bool,
    pub(super) path_len: Option<u32>,
    pub(super) certificate_policies: Vec<String>,
    pub(super) ocsp_urls: Vec<String>,
    pub(super) ca_issuer_urls: Vec<String>,
    pub(super) crl_urls: Vec<String>,
    pub(super) name_constraints: Option<NameConstraints>,
    pub(super) must_staple: bool,
    pub(super) unknown_critical: Vec<String>,
    pub(super) malformed: Vec<String>,
}

impl Extensions {
    pub(super) fn read(mut list: Reader<'_>) -> Result<Self, DerError> {
        let mut read = Self::default();
        while !list.is_empty() {
            let extension = RawExtension::read(&mut list)?;
            let name = || oid::to_text(extension.oid).unwrap_or_default();
            match read.read_extension(&extension) {
                Some(true) => (),
                Some(false) => read.malformed.push(name()),
                None if extension.critical => read.unknown_critical.push(name()),
                None => (),
            }
        }
        Ok(read)
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
            return is_understood(extension.oid).then_some(true);
        };
        Some(read.is_ok())
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
            critical: read_boolean(&mut fields)?,
            value: fields.octet_string()?,
        };
        fields.finish()?;
        Ok(extension)
    }
}

/// An explicit FALSE is not DER, but common and not ambiguous.
fn read_boolean(fields: &mut Reader<'_>) -> Result<bool, DerError> {
    match fields
        .optional(tag::BOOLEAN)?
        .map(|element| element.content)
    {
        None | Some([0x00]) => Ok(false),
        Some([0xff]) => Ok(true),
        Some(_) => Err(DerError::Content("BOOLEAN")),
    }
}

/// Extensions that are read elsewhere, or that change nothing here.
fn is_understood(oid: &[u8]) -> bool {
    [oid::EXT_ACME_IDENTIFIER, oid::EXT_OCSP_NO_CHECK]
        .iter()
        .any(|known| known.as_bytes() == oid)
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
    let is_ca = read_boolean(&mut fields)?;
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
fn read_distribution_points(der: &[u8]) -> Result<Vec<String>, DerError> {
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
