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

    /// A certificate for a key that nobody asked for.
    pub fn sign_other(&self, names: &[&str]) -> Vec<u8> {
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let names = names
            .iter()
            .map(|name| GeneralName::Dns((*name).to_owned()));
        self.sign_key(key.public_key().clone(), names.collect())
    }

    fn sign_key(&self, key: PublicKey, names: Vec<GeneralName>) -> Vec<u8> {
        let not_before = (SystemClock.now() - Duration::from_secs(3600)).floor_to_second();
        let not_after = not_before + Duration::from_secs(90 * 24 * 3600);
        let content = CertificateContent {
            subject_alt_names: names,
            key_usage: KeyUsage::DIGITAL_SIGNATURE,
            extended_key_usage: vec![ExtendedKeyUsage::ServerAuth],
            ..CertificateContent::new(key, not_before, not_after)
        };
        let facts =
            IssuerFacts::from_certificate(&self.certificate, self.key.signature_algorithm());
        let serial = Serial::random(&SystemRandom::new());
        let tbs = encode_tbs(&content, &serial, &facts).unwrap();
        sign(&tbs, &self.key).unwrap()
    }
}
