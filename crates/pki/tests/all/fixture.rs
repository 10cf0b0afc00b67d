//! A small hierarchy of CAs and what they issue.

use pki::certificate::{
    self, BasicConstraints, Certificate, CertificateContent, ExtendedKeyUsage, IssuerFacts,
    KeyUsage,
};
use pki::key::{KeyAlgorithm, LocalKey, PublicKey, SigningKey};
use pki::name::{DistinguishedName, GeneralName};
use pki::random::SystemRandom;
use pki::serial::Serial;
use pki::time::Timestamp;

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn dns(name: &str) -> GeneralName {
    GeneralName::Dns(name.to_owned())
}

pub fn random_serial() -> Serial {
    Serial::random(&SystemRandom::new())
}

/// A CA with its key.
pub struct Authority {
    pub key: LocalKey,
    pub certificate: Certificate,
}

impl Authority {
    pub fn root(algorithm: KeyAlgorithm) -> Self {
        let key = LocalKey::generate(algorithm).unwrap();
        let content = ca_content("CN=Test Root,O=Example,C=DE", key.public_key(), None);
        let issuer = IssuerFacts::self_signed(&content, key.signature_algorithm());
        let tbs = certificate::encode_tbs(&content, &random_serial(), &issuer).unwrap();
        let der = certificate::sign(&tbs, &key).unwrap();
        Self {
            certificate: Certificate::from_der(&der).unwrap(),
            key,
        }
    }

    pub fn below(parent: &Self, algorithm: KeyAlgorithm) -> Self {
        let key = LocalKey::generate(algorithm).unwrap();
        let mut content = ca_content(
            "CN=Test Issuing CA,O=Example,C=DE",
            key.public_key(),
            Some(0),
        );
        content.crl_urls = vec!["http://pki.example.org/root.crl".to_owned()];
        content.ca_issuer_urls = vec!["http://pki.example.org/root.der".to_owned()];
        Self {
            certificate: parent.issue(&content),
            key,
        }
    }

    pub fn facts(&self) -> IssuerFacts {
        IssuerFacts::from_certificate(&self.certificate, self.key.signature_algorithm())
    }

    pub fn tbs(&self, content: &CertificateContent) -> Vec<u8> {
        certificate::encode_tbs(content, &random_serial(), &self.facts()).unwrap()
    }

    pub fn issue(&self, content: &CertificateContent) -> Certificate {
        let der = certificate::sign(&self.tbs(content), &self.key).unwrap();
        Certificate::from_der(&der).unwrap()
    }
}

fn ca_content(subject: &str, key: &PublicKey, path_len: Option<u8>) -> CertificateContent {
    CertificateContent {
        subject: DistinguishedName::parse(subject).unwrap(),
        basic_constraints: BasicConstraints::Ca { path_len },
        key_usage: KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN | KeyUsage::DIGITAL_SIGNATURE,
        subject_key_identifier: true,
        ..CertificateContent::new(
            key.clone(),
            at("2026-01-01T00:00:00Z"),
            at("2055-12-31T23:59:59Z"),
        )
    }
}

/// A TLS server's certificate that the linter has nothing against.
pub fn server_content(key: &PublicKey) -> CertificateContent {
    CertificateContent {
        subject_alt_names: vec![dns("www.example.org"), dns("*.example.org")],
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usage: vec![ExtendedKeyUsage::ServerAuth],
        ocsp_urls: vec!["http://pki.example.org/ocsp".to_owned()],
        ca_issuer_urls: vec!["http://pki.example.org/ca.der".to_owned()],
        crl_urls: vec!["http://pki.example.org/crl".to_owned()],
        ..CertificateContent::new(
            key.clone(),
            at("2026-11-23T14:00:00Z"),
            at("2027-02-21T13:59:59Z"),
        )
    }
}

/// The certificate of a delegated OCSP responder.
pub fn responder_content(key: &PublicKey) -> CertificateContent {
    CertificateContent {
        subject: DistinguishedName::parse("CN=Test Responder,O=Example").unwrap(),
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usage: vec![ExtendedKeyUsage::OcspSigning],
        ocsp_no_check: true,
        ..CertificateContent::new(
            key.clone(),
            at("2026-11-23T14:00:00Z"),
            at("2026-12-23T13:59:59Z"),
        )
    }
}

pub fn new_key(algorithm: KeyAlgorithm) -> LocalKey {
    LocalKey::generate(algorithm).unwrap()
}

/// Some instant in the life of everything above.
pub fn now() -> Timestamp {
    at("2026-11-25T00:00:00Z")
}
