//! A certificate request (PKCS #10, RFC 2986) with a fresh P-256 key and nothing but names.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

use crate::der::{CONTEXT_0, DNS_NAME, INTEGER, OCTET_STRING, SEQUENCE, SET, bit_string, element};
use crate::jws::CryptoError;

/// `extensionRequest`, 1.2.840.113549.1.9.14 (RFC 2985 section 5.4.2).
const EXTENSION_REQUEST: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
/// `subjectAltName`, 2.5.29.17.
const SUBJECT_ALT_NAME: [u8; 5] = [6, 3, 0x55, 0x1d, 17];
/// `ecdsa-with-SHA256`, 1.2.840.10045.4.3.2 (RFC 5758 section 3.2).
const ECDSA_WITH_SHA256: [u8; 10] = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

/// A request and what the certificate made from it must contain.
pub struct Csr {
    /// The DER to send.
    pub der: Vec<u8>,
    /// The key as `SubjectPublicKeyInfo`.
    pub spki: Vec<u8>,
}

impl Csr {
    /// For these DNS names, with a key made now: a client keeps its keys apart, and making one costs less than
    /// any signed request of the flow.
    pub fn generate(names: &[String]) -> Result<Self, CryptoError> {
        let key =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| CryptoError)?;
        let spki: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(|_| CryptoError)?;
        let spki = spki.as_ref().to_vec();
        let info = element(
            SEQUENCE,
            &[
                &element(INTEGER, &[&[0]]),
                &element(SEQUENCE, &[]),
                &spki,
                &element(CONTEXT_0, &[&extension_request(names)]),
            ],
        );
        let signature = key
            .sign(&SystemRandom::new(), &info)
            .map_err(|_| CryptoError)?;
        let algorithm = element(SEQUENCE, &[&ECDSA_WITH_SHA256]);
        let der = element(
            SEQUENCE,
            &[&info, &algorithm, &bit_string(signature.as_ref())],
        );
        Ok(Self { der, spki })
    }
}

/// The attribute that carries the extension that carries the names.
fn extension_request(names: &[String]) -> Vec<u8> {
    let names: Vec<u8> = names.iter().flat_map(|name| dns_name(name)).collect();
    let names = element(OCTET_STRING, &[&element(SEQUENCE, &[&names])]);
    let extension = element(SEQUENCE, &[&SUBJECT_ALT_NAME, &names]);
    let extensions = element(SEQUENCE, &[&extension]);
    element(
        SEQUENCE,
        &[&EXTENSION_REQUEST, &element(SET, &[&extensions])],
    )
}

/// A name as it stands in a subject alternative name extension.
pub fn dns_name(name: &str) -> Vec<u8> {
    element(DNS_NAME, &[name.as_bytes()])
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
    use x509_parser::prelude::*;

    use super::*;

    #[test]
    fn a_request_parses_verifies_and_names_what_was_asked_for() {
        let names = ["a.example.com".to_owned(), "b.example.com".to_owned()];
        let csr = Csr::generate(&names).unwrap();
        let (rest, parsed) = X509CertificationRequest::from_der(&csr.der).unwrap();
        assert!(rest.is_empty());
        let info = &parsed.certification_request_info;
        assert_eq!(info.subject_pki.raw, csr.spki);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &csr.spki)
            .verify(info.raw, &parsed.signature_value.data)
            .unwrap();
        let found: Vec<String> = parsed
            .requested_extensions()
            .unwrap()
            .filter_map(|extension| match extension {
                ParsedExtension::SubjectAlternativeName(san) => Some(san.general_names.clone()),
                _ => None,
            })
            .flatten()
            .map(|name| name.to_string())
            .collect();
        assert_eq!(found, ["DNSName(a.example.com)", "DNSName(b.example.com)"]);
    }

    #[test]
    fn two_requests_have_different_keys() {
        let names = ["a.example.com".to_owned()];
        let keys = [(); 2].map(|()| Csr::generate(&names).unwrap().spki);
        assert_ne!(keys[0], keys[1]);
    }
}
