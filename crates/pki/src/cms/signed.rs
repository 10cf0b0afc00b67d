//! SignedData, RFC 5652 section 5: what was signed, with which certificate's key.

use aws_lc_rs::digest;

use super::Accepts;
use super::read::{CmsError, SignerId, content_of, normalized};
use crate::asn1::{Reader, Tlv, tag};
use crate::certificate::Certificate;
use crate::key::{KeyKind, SignatureAlgorithm, oid_of};
use crate::oid;

/// A signed message, or a bundle of certificates that signs nothing. Read, not yet believed.
#[derive(Clone, Debug)]
pub struct SignedData {
    /// What kind of content it has: the octets of an object identifier.
    pub content_type: Vec<u8>,
    /// The content; empty where there is none.
    pub content: Vec<u8>,
    /// The certificates that came along, in DER.
    pub certificates: Vec<Vec<u8>>,
    /// The revocation lists that came along, in DER.
    pub crls: Vec<Vec<u8>>,
    /// Who signed.
    pub signers: Vec<SignerInfo>,
}

/// One signature with what is needed to check it.
#[derive(Clone, Debug)]
pub struct SignerInfo {
    /// The certificate of the signer, by name.
    pub id: SignerId,
    digest: Vec<u8>,
    algorithm: Vec<u8>,
    /// The content of the SET of signed attributes.
    attributes: Option<Vec<u8>>,
    signature: Vec<u8>,
}

/// A signature that holds: whose it is, and what it says beside the content.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The certificate whose key signed.
    pub certificate: Certificate,
    /// The signed attributes.
    pub attributes: Attributes,
}

/// Signed attributes: type and the one value of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(Vec<(Vec<u8>, Vec<u8>)>);

impl Attributes {
    /// The DER of the value of an attribute.
    pub fn get(&self, oid: &[u8]) -> Option<&[u8]> {
        let found = self.0.iter().find(|(kind, _)| kind == oid);
        found.map(|(_, value)| value.as_slice())
    }

    /// The value of an attribute as an element.
    pub fn element(&self, oid: &[u8]) -> Option<Tlv<'_>> {
        self.get(oid).and_then(|value| Reader::single(value).ok())
    }

    fn read(content: &[u8]) -> Result<Self, CmsError> {
        let mut set = Reader::new(content);
        let mut attributes: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        while !set.is_empty() {
            let mut fields = set.sequence()?;
            let kind = fields.oid()?;
            let mut values = Reader::new(fields.expect(tag::SET)?.content);
            fields.finish()?;
            let value = values.read()?;
            values.finish()?;
            if attributes.iter().any(|(known, _)| known == kind) {
                return Err(CmsError::Attribute("that is there twice"));
            }
            attributes.push((kind.to_vec(), value.der.to_vec()));
        }
        Ok(Self(attributes))
    }
}

impl SignedData {
    /// Reads a message. Nothing of it is verified yet.
    pub fn from_ber(ber: &[u8]) -> Result<Self, CmsError> {
        let der = normalized(ber)?;
        let mut fields = content_of(&der, &oid::CMS_SIGNED_DATA, "signed-data")?;
        fields.small()?;
        fields.expect(tag::SET)?;
        let mut encapsulated = fields.sequence()?;
        let content_type = encapsulated.oid()?.to_vec();
        let content = match encapsulated.optional(tag::constructed(0))? {
            // PKCS #7 has any element here; what is signed is its content octets either way.
            Some(explicit) => Reader::single(explicit.content)?.content.to_vec(),
            None => Vec::new(),
        };
        encapsulated.finish()?;
        let certificates = elements(fields.optional(tag::constructed(0))?)?;
        let crls = elements(fields.optional(tag::constructed(1))?)?;
        let mut set = Reader::new(fields.expect(tag::SET)?.content);
        fields.finish()?;
        let mut signers = Vec::new();
        while !set.is_empty() {
            signers.push(SignerInfo::read(set.sequence()?)?);
        }
        Ok(Self {
            content_type,
            content,
            certificates,
            crls,
            signers,
        })
    }

    /// The one signer, whose certificate has to be in the message, after its signature was verified.
    /// Whether that certificate deserves any trust is not looked at.
    pub fn verified_signer(&self) -> Result<Signer, CmsError> {
        let [info] = self.signers.as_slice() else {
            return Err(CmsError::Signers(self.signers.len()));
        };
        let mut found = None;
        for der in &self.certificates {
            let certificate = Certificate::from_der(der)?;
            if info.id.names(&certificate) {
                found = Some(certificate);
                break;
            }
        }
        let certificate = found.ok_or(CmsError::NoSignerCertificate)?;
        let attributes = self.verify(info, &certificate, Accepts::Strong)?;
        Ok(Signer {
            certificate,
            attributes,
        })
    }

    /// The signed attributes of a message, after it was verified that this certificate's key signed it.
    pub fn verified_with(
        &self,
        certificate: &Certificate,
        accepts: Accepts,
    ) -> Result<Attributes, CmsError> {
        let [info] = self.signers.as_slice() else {
            return Err(CmsError::Signers(self.signers.len()));
        };
        match info.id.names(certificate) {
            true => self.verify(info, certificate, accepts),
            false => Err(CmsError::Signature),
        }
    }

    /// RFC 5652 section 5.6: the signature is over the attributes, which have type and digest of the content.
    fn verify(
        &self,
        info: &SignerInfo,
        certificate: &Certificate,
        accepts: Accepts,
    ) -> Result<Attributes, CmsError> {
        let key = &certificate.public_key;
        let is_sha1 = accepts == Accepts::Weak && info.is_sha1();
        let verify = |message: &[u8]| {
            if is_sha1 {
                return match key.verify_rsa_sha1(message, &info.signature) {
                    true => Ok(()),
                    false => Err(CmsError::Signature),
                };
            }
            let algorithm = info.signature_algorithm(key.kind())?;
            key.verify(algorithm, message, &info.signature)
                .map_err(|_| CmsError::Signature)
        };
        let Some(set) = &info.attributes else {
            verify(&self.content)?;
            return Ok(Attributes::default());
        };
        // The tag in the message is [0]; what was signed is a SET.
        verify(&crate::asn1::Writer::encode(|w| w.tlv(tag::SET, set)))?;
        let attributes = Attributes::read(set)?;
        let digest = match is_sha1 {
            true => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            false => {
                digest_of(&info.digest).ok_or_else(|| CmsError::Algorithm(name_of(&info.digest)))?
            }
        };
        let expected = digest::digest(digest, &self.content);
        let stated = attributes.element(oid::MESSAGE_DIGEST.as_bytes());
        let stated = stated.filter(|element| element.tag == tag::OCTET_STRING);
        if stated.map(|element| element.content) != Some(expected.as_ref()) {
            return Err(CmsError::Signature);
        }
        let kind = attributes.element(oid::CONTENT_TYPE.as_bytes());
        match kind.is_some_and(|element| element.content == self.content_type) {
            true => Ok(attributes),
            false => Err(CmsError::Attribute("contentType")),
        }
    }
}

impl SignerInfo {
    fn read(mut fields: Reader<'_>) -> Result<Self, CmsError> {
        fields.small()?;
        let id = SignerId::read(&fields.read()?)?;
        let digest = fields.sequence()?.oid()?.to_vec();
        let attributes = fields.optional(tag::constructed(0))?;
        let algorithm = fields.expect(tag::SEQUENCE)?.der.to_vec();
        let signature = fields.octet_string()?.to_vec();
        fields.optional(tag::constructed(1))?;
        fields.finish()?;
        Ok(Self {
            id,
            digest,
            algorithm,
            attributes: attributes.map(|set| set.content.to_vec()),
            signature,
        })
    }

    fn is_sha1(&self) -> bool {
        self.digest == oid::SHA1.as_bytes()
    }

    /// The algorithm from what the message says of digest and signature, RFC 5754 section 3: many name
    /// only the kind of the key (`rsaEncryption`) and leave the rest to the digest.
    fn signature_algorithm(&self, kind: &KeyKind) -> Result<SignatureAlgorithm, CmsError> {
        let refused = |name: String| CmsError::Algorithm(name);
        let digest = Digest::read(&self.digest).ok_or_else(|| refused(name_of(&self.digest)))?;
        if let Ok(named) = SignatureAlgorithm::from_der(&self.algorithm) {
            return match Digest::of(named).is_none_or(|of| of == digest) {
                true => Ok(named),
                false => Err(refused(named.to_string())),
            };
        }
        let name = oid_of(&self.algorithm).unwrap_or_default();
        let is_plain = name == oid::RSA.to_string() || name == oid::EC_PUBLIC_KEY.to_string();
        // Some name the right algorithm with parameters that do not belong to it.
        let is_loose = SignatureAlgorithm::ALL
            .into_iter()
            .any(|known| known.oid().to_string() == name && Digest::of(known) == Some(digest));
        let found = match kind {
            KeyKind::Rsa { .. } => Some(digest.with_rsa()),
            KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => Some(digest.with_ecdsa()),
            KeyKind::Ed25519 | KeyKind::Other(_) => None,
        };
        found
            .filter(|_| is_plain || is_loose)
            .ok_or_else(|| refused(name))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    fn read(content: &[u8]) -> Option<Self> {
        [
            (oid::SHA256, Self::Sha256),
            (oid::SHA384, Self::Sha384),
            (oid::SHA512, Self::Sha512),
        ]
        .into_iter()
        .find(|(oid, _)| oid.as_bytes() == content)
        .map(|(_, digest)| digest)
    }

    /// The digest that is part of an algorithm; Ed25519 has one of its own.
    fn of(algorithm: SignatureAlgorithm) -> Option<Self> {
        match algorithm {
            SignatureAlgorithm::RsaSha256 | SignatureAlgorithm::EcdsaSha256 => Some(Self::Sha256),
            SignatureAlgorithm::RsaSha384 | SignatureAlgorithm::EcdsaSha384 => Some(Self::Sha384),
            SignatureAlgorithm::RsaSha512 | SignatureAlgorithm::EcdsaSha512 => Some(Self::Sha512),
            SignatureAlgorithm::Ed25519 => None,
        }
    }

    fn with_rsa(self) -> SignatureAlgorithm {
        match self {
            Self::Sha256 => SignatureAlgorithm::RsaSha256,
            Self::Sha384 => SignatureAlgorithm::RsaSha384,
            Self::Sha512 => SignatureAlgorithm::RsaSha512,
        }
    }

    fn with_ecdsa(self) -> SignatureAlgorithm {
        match self {
            Self::Sha256 => SignatureAlgorithm::EcdsaSha256,
            Self::Sha384 => SignatureAlgorithm::EcdsaSha384,
            Self::Sha512 => SignatureAlgorithm::EcdsaSha512,
        }
    }
}

fn digest_of(content: &[u8]) -> Option<&'static digest::Algorithm> {
    Digest::read(content).map(|digest| match digest {
        Digest::Sha256 => &digest::SHA256,
        Digest::Sha384 => &digest::SHA384,
        Digest::Sha512 => &digest::SHA512,
    })
}

fn name_of(content: &[u8]) -> String {
    oid::to_text(content).unwrap_or_else(|| "an unnamed algorithm".to_owned())
}

/// The elements of a SET that are certificates or CRLs; the other choices are passed over.
fn elements(set: Option<Tlv<'_>>) -> Result<Vec<Vec<u8>>, CmsError> {
    let mut reader = Reader::new(set.map_or(&[], |set| set.content));
    let mut found = Vec::new();
    while !reader.is_empty() {
        let element = reader.read()?;
        if element.tag == tag::SEQUENCE {
            found.push(element.der.to_vec());
        }
    }
    Ok(found)
}
