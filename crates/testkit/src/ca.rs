//! A CA for what stands in for CAs of others: signs whatever it is given.

use connectors::issuer::ca_certificate::{Validity, root_certificate};
use domain::clock::{Clock, SystemClock};
use pki::certificate::{
    Certificate, CertificateContent, ExtendedKeyUsage, IssuerFacts, KeyUsage, encode_tbs, sign,
};
use pki::csr::Csr;
use pki::key::{KeyAlgorithm, LocalKey, PublicKey, SigningKey};
use pki::name::{DistinguishedName, GeneralName};
use pki::random::SystemRandom;
use pki::serial::Serial;
use std::time::Duration;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;

use crate::peer::Fault;

/// A root that signs leaves itself.
pub struct TestCa {
    key: LocalKey,
    certificate: Certificate,
}

impl TestCa {
    /// A CA of that common name.
    pub fn new(name: &str) -> Self {
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let subject: DistinguishedName = format!("CN={name}").parse().unwrap();
        let not_before = SystemClock.now() - Duration::from_secs(3600);
        let validity = Validity {
            not_before,
            not_after: not_before + Duration::from_secs(3650 * 24 * 3600),
        };
        let der = root_certificate(&subject, &key, validity, &SystemRandom::new()).unwrap();
        Self {
            key,
            certificate: Certificate::from_der(&der).unwrap(),
        }
    }

    /// Its own certificate.
    pub fn der(&self) -> &[u8] {
        &self.certificate.der
    }

    /// Its own certificate, PEM.
    pub fn pem(&self) -> String {
        pki::pem::encode(pki::pem::CERTIFICATE, self.der())
    }

    /// A server certificate for what a CSR asks for, for ninety days.
    pub fn sign(&self, csr: &[u8]) -> Vec<u8> {
        let csr = Csr::from_der(csr).unwrap();
        self.sign_key(csr.public_key, csr.subject_alt_names)
    }

    /// The same, or what is wrong about it under that fault.
    pub fn answer(&self, fault: Fault, csr: &[u8]) -> Vec<u8> {
        let csr = Csr::accepted(csr).unwrap();
        self.answer_for(fault, csr.public_key, csr.subject_alt_names)
    }

    /// The same for a CSR that somebody vouches for whose key it is not about (SCEP, with a password in it).
    pub fn answer_vouched(&self, fault: Fault, csr: &[u8]) -> Vec<u8> {
        let (_, csr) = X509CertificationRequest::from_der(csr).unwrap();
        let key = csr.certification_request_info.subject_pki.raw;
        let names = csr.requested_extensions().into_iter().flatten();
        let names = names.filter_map(|extension| match extension {
            ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
            _ => None,
        });
        let names = names.flatten().map(|name| match name {
            x509_parser::extensions::GeneralName::DNSName(name) => {
                GeneralName::Dns((*name).to_owned())
            }
            other => panic!("{other} is not for this CA"),
        });
        let names = names.collect();
        self.answer_for(fault, PublicKey::from_spki_der(key).unwrap(), names)
    }

    fn answer_for(&self, fault: Fault, key: PublicKey, names: Vec<GeneralName>) -> Vec<u8> {
        let other = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let mut content = content(key, names);
        match fault {
            Fault::WrongKey => content.public_key = other.public_key().clone(),
            Fault::WrongNames => {
                content.subject_alt_names = vec![GeneralName::Dns("wrong.example.org".to_owned())];
            }
            Fault::Expired => {
                content.not_after = (SystemClock.now() - Duration::from_secs(60)).floor_to_second();
            }
            Fault::MorePurposes => {
                let purposes = &mut content.extended_key_usage;
                purposes.push(ExtendedKeyUsage::ClientAuth);
            }
            Fault::TooLong => {
                content.not_after = content.not_after + Duration::from_secs(3650 * 24 * 3600);
            }
            // It bears the CA's name, and somebody else's signature.
            Fault::BrokenChain => return self.certify_by(&content, &other),
            _ => {}
        }
        self.certify(&content)
    }

    /// A certificate for a key that nobody asked for.
    pub fn sign_other(&self, names: &[&str]) -> Vec<u8> {
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let names = names
            .iter()
            .map(|name| GeneralName::Dns((*name).to_owned()));
        self.sign_key(key.public_key().clone(), names.collect())
    }

    fn sign_key(&self, key: PublicKey, names: Vec<GeneralName>) -> Vec<u8> {
        self.certify(&content(key, names))
    }

    /// A certificate of exactly this content.
    pub fn certify(&self, content: &CertificateContent) -> Vec<u8> {
        self.certify_by(content, &self.key)
    }

    fn certify_by(&self, content: &CertificateContent, signer: &LocalKey) -> Vec<u8> {
        let facts = IssuerFacts::from_certificate(&self.certificate, signer.signature_algorithm());
        let serial = Serial::random(&SystemRandom::new());
        let tbs = encode_tbs(content, &serial, &facts).unwrap();
        sign(&tbs, signer).unwrap()
    }
}

/// A server's for ninety days.
fn content(key: PublicKey, names: Vec<GeneralName>) -> CertificateContent {
    let now = SystemClock.now().floor_to_second();
    let (not_before, not_after) = (
        now - Duration::from_secs(3600),
        now + Duration::from_secs(90 * 24 * 3600),
    );
    CertificateContent {
        subject_alt_names: names,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usage: vec![ExtendedKeyUsage::ServerAuth],
        ..CertificateContent::new(key, not_before, not_after)
    }
}
