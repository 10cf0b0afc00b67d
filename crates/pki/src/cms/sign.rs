//! Writing SignedData: bundles of certificates (RFC 5652 section 5.1) and messages with one signature.

use aws_lc_rs::digest;
use const_oid::ObjectIdentifier;

use super::read::{content_info, issuer_and_serial};
use crate::asn1::{Writer, tag};
use crate::certificate::Certificate;
use crate::key::{KeyError, SignatureAlgorithm, SigningKey};
use crate::oid;

/// A bundle of certificates and revocation lists that signs nothing ("certs-only", RFC 8551 section 3.8).
#[derive(Clone, Copy, Debug, Default)]
pub struct CertsOnly<'a> {
    /// Certificates in DER.
    pub certificates: &'a [&'a [u8]],
    /// Revocation lists in DER.
    pub crls: &'a [&'a [u8]],
}

impl CertsOnly<'_> {
    /// The message in DER.
    pub fn to_der(self) -> Vec<u8> {
        content_info(&oid::CMS_SIGNED_DATA, |w| {
            w.small(1);
            w.nested(tag::SET, |_| ());
            w.sequence(|w| w.oid(&oid::CMS_DATA));
            set_of(w, 0, self.certificates);
            set_of(w, 1, self.crls);
            w.nested(tag::SET, |_| ());
        })
    }
}

/// What is to be signed, and what goes with it.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// What kind of content it is.
    pub content_type: &'a ObjectIdentifier,
    /// The content.
    pub content: &'a [u8],
    /// Signed attributes beside type and digest of the content, each with the DER of its one value.
    pub attributes: &'a [(ObjectIdentifier, Vec<u8>)],
    /// The signer's certificate.
    pub signer: &'a Certificate,
    /// Further certificates that the reader may need, in DER.
    pub chain: &'a [&'a [u8]],
}

/// Signs a message, RFC 5652 section 5.4.
pub fn sign(draft: &Draft<'_>, key: &dyn SigningKey) -> Result<Vec<u8>, KeyError> {
    let algorithm = key.signature_algorithm();
    let (digest_oid, digest_algorithm) = digest_for(algorithm);
    let digest = digest::digest(digest_algorithm, draft.content);
    let attributes = signed_attributes(draft, digest.as_ref());
    let signature = key.sign(&Writer::encode(|w| w.tlv(tag::SET, &attributes)))?;
    let mut certificates = vec![draft.signer.der.as_slice()];
    certificates.extend_from_slice(draft.chain);
    let digest_identifier = |w: &mut Writer| w.sequence(|w| w.oid(&digest_oid));
    Ok(content_info(&oid::CMS_SIGNED_DATA, |w| {
        // Version 3 where the content is not plain data, section 5.1.
        w.small(if *draft.content_type == oid::CMS_DATA {
            1
        } else {
            3
        });
        w.set(digest_identifier);
        w.sequence(|w| {
            w.oid(draft.content_type);
            // A degenerate message of SCEP (RFC 8894 section 3.2) has no content at all.
            if !draft.content.is_empty() {
                w.constructed(0, |w| w.octet_string(draft.content));
            }
        });
        set_of(w, 0, &certificates);
        w.set(|w| {
            w.sequence(|w| {
                w.small(1);
                issuer_and_serial(w, draft.signer);
                digest_identifier(w);
                w.tlv(tag::constructed(0), &attributes);
                signature_identifier(w, algorithm);
                w.octet_string(&signature);
            });
        });
    }))
}

/// RFC 5754 section 3.2: `rsaEncryption` is what every implementation reads.
fn signature_identifier(writer: &mut Writer, algorithm: SignatureAlgorithm) {
    match algorithm {
        SignatureAlgorithm::RsaSha256
        | SignatureAlgorithm::RsaSha384
        | SignatureAlgorithm::RsaSha512 => writer.sequence(|w| {
            w.oid(&oid::RSA);
            w.null();
        }),
        SignatureAlgorithm::EcdsaSha256
        | SignatureAlgorithm::EcdsaSha384
        | SignatureAlgorithm::EcdsaSha512
        | SignatureAlgorithm::Ed25519 => writer.raw(&algorithm.to_der()),
    }
}

/// The content of the SET, in the order that DER asks for: it is what is signed.
fn signed_attributes(draft: &Draft<'_>, digest: &[u8]) -> Vec<u8> {
    let attribute = |kind: &ObjectIdentifier, value: &[u8]| {
        Writer::encode(|w| {
            w.sequence(|w| {
                w.oid(kind);
                w.set(|w| w.raw(value));
            });
        })
    };
    let kind = Writer::encode(|w| w.oid(draft.content_type));
    let digest = Writer::encode(|w| w.octet_string(digest));
    let mut attributes = vec![
        attribute(&oid::CONTENT_TYPE, &kind),
        attribute(&oid::MESSAGE_DIGEST, &digest),
    ];
    let further = draft.attributes.iter();
    attributes.extend(further.map(|(kind, value)| attribute(kind, value)));
    attributes.sort();
    attributes.concat()
}

fn digest_for(algorithm: SignatureAlgorithm) -> (ObjectIdentifier, &'static digest::Algorithm) {
    match algorithm {
        SignatureAlgorithm::RsaSha256 | SignatureAlgorithm::EcdsaSha256 => {
            (oid::SHA256, &digest::SHA256)
        }
        SignatureAlgorithm::RsaSha384 | SignatureAlgorithm::EcdsaSha384 => {
            (oid::SHA384, &digest::SHA384)
        }
        // RFC 8419 section 3.1 for Ed25519.
        SignatureAlgorithm::RsaSha512
        | SignatureAlgorithm::EcdsaSha512
        | SignatureAlgorithm::Ed25519 => (oid::SHA512, &digest::SHA512),
    }
}

/// A `[number]` IMPLICIT SET OF, left out where it is empty.
fn set_of(writer: &mut Writer, number: u8, elements: &[&[u8]]) {
    if elements.is_empty() {
        return;
    }
    writer.constructed(number, |w| {
        for element in elements {
            w.raw(element);
        }
    });
}
