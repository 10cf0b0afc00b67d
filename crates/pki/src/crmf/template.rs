//! What a certificate shall say, field by field, RFC 4211 section 5.

use crate::asn1::{DerError, Reader, Tlv, Writer, tag};
use crate::csr::{self, CsrError, RequestedExtension};
use crate::key::{PublicKey, PublicKeyError};
use crate::name::{DistinguishedName, GeneralName};
use crate::oid;
use crate::serial::Serial;
use crate::time::Timestamp;

/// A CertTemplate: every field is a wish and may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertTemplate {
    /// The serial number, by which a revocation names its certificate.
    pub serial: Option<Serial>,
    /// The issuer.
    pub issuer: Option<DistinguishedName>,
    /// First second of validity.
    pub not_before: Option<Timestamp>,
    /// Last second of validity.
    pub not_after: Option<Timestamp>,
    /// The subject.
    pub subject: Option<DistinguishedName>,
    /// The key; a template may also leave it open, or have it empty, to ask for one.
    pub public_key: Option<PublicKey>,
    /// Extensions in their order, subjectAltName among them.
    pub extensions: Vec<RequestedExtension>,
}

impl CertTemplate {
    /// Reads a CertTemplate.
    pub fn read(element: Tlv<'_>) -> Result<Self, CsrError> {
        let mut fields = element.open(tag::SEQUENCE)?;
        let mut template = Self::default();
        fields.optional(tag::primitive(0))?;
        if let Some(serial) = fields.optional(tag::primitive(1))? {
            template.serial = Serial::from_be_octets(serial.content)
                .map_err(|_| DerError::Content("INTEGER"))
                .map(Some)?;
        }
        fields.optional(tag::constructed(2))?;
        template.issuer = read_name(fields.optional(tag::constructed(3))?)?;
        if let Some(validity) = fields.optional(tag::constructed(4))? {
            (template.not_before, template.not_after) = read_validity(validity)?;
        }
        template.subject = read_name(fields.optional(tag::constructed(5))?)?;
        if let Some(key) = fields.optional(tag::constructed(6))? {
            template.public_key = read_key(key)?;
        }
        fields.optional(tag::primitive(7))?;
        fields.optional(tag::primitive(8))?;
        if let Some(list) = fields.optional(tag::constructed(9))? {
            csr::read_extensions(Reader::new(list.content), &mut template.extensions)?;
        }
        fields.finish()?;
        Ok(template)
    }

    /// The names of the wished subjectAltName.
    pub fn subject_alt_names(&self) -> Result<Vec<GeneralName>, CsrError> {
        csr::subject_alt_names(&self.extensions)
    }

    /// Writes the template. Extensions whose identifier is none are left out.
    pub fn encode(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            if let Some(serial) = &self.serial {
                w.tlv(tag::primitive(1), &serial.der_content());
            }
            if let Some(issuer) = &self.issuer {
                w.constructed(3, |w| w.raw(&issuer.to_der()));
            }
            if self.not_before.is_some() || self.not_after.is_some() {
                w.constructed(4, |w| {
                    let ends = [self.not_before, self.not_after];
                    for (number, end) in (0..).zip(ends) {
                        if let Some(end) = end {
                            w.constructed(number, |w| w.time(end));
                        }
                    }
                });
            }
            if let Some(subject) = &self.subject {
                w.constructed(5, |w| w.raw(&subject.to_der()));
            }
            if let Some(key) = &self.public_key {
                let content = Reader::single(key.spki_der()).map_or(&[][..], |one| one.content);
                w.tlv(tag::constructed(6), content);
            }
            if !self.extensions.is_empty() {
                w.constructed(9, |w| self.extensions.iter().for_each(|one| write(w, one)));
            }
        });
    }
}

fn write(w: &mut Writer, extension: &RequestedExtension) {
    let Some(oid) = oid::from_text(&extension.oid) else {
        return;
    };
    w.sequence(|w| {
        w.tlv(tag::OID, &oid);
        if extension.critical {
            w.boolean_true();
        }
        w.octet_string(&extension.der);
    });
}

/// A Name is a CHOICE, so its tag is explicit whatever the module says.
fn read_name(field: Option<Tlv<'_>>) -> Result<Option<DistinguishedName>, DerError> {
    field
        .map(|field| DistinguishedName::from_der(field.content))
        .transpose()
}

type Ends = (Option<Timestamp>, Option<Timestamp>);

fn read_validity(field: Tlv<'_>) -> Result<Ends, DerError> {
    let mut fields = Reader::new(field.content);
    let mut end = |number| match fields.optional(tag::constructed(number))? {
        Some(time) => Reader::single(time.content)?.time().map(Some),
        None => Ok(None),
    };
    let ends = (end(0)?, end(1)?);
    fields.finish()?;
    Ok(ends)
}

/// RFC 9483 section 4.1.6: a key of length zero asks the CA to make one.
fn read_key(field: Tlv<'_>) -> Result<Option<PublicKey>, PublicKeyError> {
    let mut fields = Reader::new(field.content);
    fields.expect(tag::SEQUENCE)?;
    if fields.expect(tag::BIT_STRING)?.content == [0] {
        return Ok(None);
    }
    let spki = Writer::encode(|w| w.tlv(tag::SEQUENCE, field.content));
    PublicKey::from_spki_der(&spki).map(Some)
}

/// The name of a certificate by its issuer, RFC 4211 section 6.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerAndSerial {
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// Its number there.
    pub serial: Serial,
}

impl IssuerAndSerial {
    /// Reads a CertId.
    pub fn read(element: Tlv<'_>) -> Result<Self, CsrError> {
        let mut fields = element.open(tag::SEQUENCE)?;
        let issuer = match GeneralName::read(fields.read()?)? {
            GeneralName::Directory(name) => name,
            GeneralName::Dns(_)
            | GeneralName::Ip(_)
            | GeneralName::Email(_)
            | GeneralName::Uri(_)
            | GeneralName::Other { .. } => return Err(DerError::Content("issuer").into()),
        };
        let serial =
            Serial::from_be_octets(fields.integer()?).map_err(|_| DerError::Content("INTEGER"))?;
        fields.finish()?;
        Ok(Self { issuer, serial })
    }

    /// Writes the CertId.
    pub fn encode(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            w.constructed(4, |w| w.raw(&self.issuer.to_der()));
            self.serial.encode(w);
        });
    }
}
