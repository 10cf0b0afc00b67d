//! PKIMessage, RFC 9810 section 5.1: header, body, protection, certificates.

use pki::asn1::{Reader, Writer, tag};
use pki::key::{KeyError, SigningKey};

use super::body::{Body, BodyKind};
use super::info::elements;
use super::{CmpError, Header, MAX_OCTETS, MacParameters, Protection, ProtectionError};

/// A message whose protection nobody has checked yet; its body is not read before someone asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who writes to whom, in which transaction.
    pub header: Header,
    /// What the body is; `None` where it is nothing that is known here.
    pub kind: Option<BodyKind>,
    /// The MAC or signature.
    pub protection: Option<Vec<u8>>,
    /// Certificates that came along; the signer's is the first.
    pub extra_certs: Vec<Vec<u8>>,
    body: Vec<u8>,
    protected: Vec<u8>,
}

/// What a message that is built is protected with.
pub enum Protector<'a> {
    /// Nothing, which only errors that answer nobody in particular are sent with
    None,
    /// A shared secret
    Mac {
        /// How.
        parameters: &'a MacParameters,
        /// The secret.
        secret: &'a [u8],
    },
    /// A key, whose certificate is the first of those that are sent along
    Key(&'a dyn SigningKey),
}

impl Message {
    /// Reads a message up to the kind of its body.
    pub fn from_der(der: &[u8]) -> Result<Self, CmpError> {
        if der.len() > MAX_OCTETS {
            return Err(CmpError::TooLarge(der.len()));
        }
        let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
        let header_element = fields.read()?;
        let header = Header::read(header_element)?;
        let body = fields.read()?;
        let protection = match fields.optional(tag::constructed(0))? {
            Some(field) => {
                let mut inner = Reader::new(field.content);
                let octets = inner.bit_string()?.to_vec();
                inner.finish()?;
                Some(octets)
            }
            None => None,
        };
        let extra_certs = match fields.optional(tag::constructed(1))? {
            Some(field) => elements(Reader::single(field.content)?.open(tag::SEQUENCE)?)?,
            None => Vec::new(),
        };
        fields.finish()?;
        Ok(Self {
            header,
            kind: BodyKind::from_tag(body.tag),
            protection,
            extra_certs,
            body: body.content.to_vec(),
            protected: protected_part(header_element.der, body.der),
        })
    }

    /// Reads the body.
    pub fn body(&self) -> Result<Body, CmpError> {
        let kind = self.kind.ok_or(CmpError::Body)?;
        Body::read(kind, Reader::single(&self.body)?)
    }

    /// How the message is protected, if it is.
    pub fn protection_kind(&self) -> Result<Protection, ProtectionError> {
        let algorithm = self.header.protection_algorithm.as_deref();
        if algorithm.is_some() != self.protection.is_some() {
            return Err(ProtectionError::Half);
        }
        Protection::read(algorithm)
    }

    /// The octets that are protected: ProtectedPart in DER.
    pub fn protected_part(&self) -> &[u8] {
        &self.protected
    }

    /// Whether the MAC was made with this secret. Takes a moment.
    pub fn is_authentic(&self, parameters: &MacParameters, secret: &[u8]) -> bool {
        self.protection
            .as_deref()
            .is_some_and(|mac| parameters.accepts(secret, &self.protected, mac))
    }

    /// A protected message in DER. The header's protectionAlg is the protector's.
    pub fn build(
        mut header: Header,
        body: &Body,
        protector: &Protector<'_>,
        extra_certs: &[Vec<u8>],
    ) -> Result<Vec<u8>, KeyError> {
        header.protection_algorithm = match protector {
            Protector::None => None,
            Protector::Mac { parameters, .. } => Some(parameters.to_der()),
            Protector::Key(key) => Some(key.signature_algorithm().to_der()),
        };
        let header = Writer::encode(|w| header.encode(w));
        let body = Writer::encode(|w| body.encode(w));
        let protected = protected_part(&header, &body);
        let protection = match protector {
            Protector::None => None,
            Protector::Mac { parameters, secret } => Some(parameters.sign(secret, &protected)),
            Protector::Key(key) => Some(key.sign(&protected)?),
        };
        Ok(Writer::encode(|w| {
            w.sequence(|w| {
                w.raw(&header);
                w.raw(&body);
                if let Some(protection) = &protection {
                    w.constructed(0, |w| w.bit_string(protection));
                }
                if !extra_certs.is_empty() {
                    w.constructed(1, |w| {
                        w.sequence(|w| extra_certs.iter().for_each(|one| w.raw(one)));
                    });
                }
            });
        }))
    }
}

fn protected_part(header: &[u8], body: &[u8]) -> Vec<u8> {
    Writer::encode(|w| {
        w.sequence(|w| {
            w.raw(header);
            w.raw(body);
        });
    })
}
