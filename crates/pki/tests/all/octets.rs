//! N7: no parser panics, whatever octets come in; neither random ones nor broken real ones.

use pki::certificate::{Certificate, IssuerFacts};
use pki::crl::Crl;
use pki::csr::Csr;
use pki::key::{KeyAlgorithm, LocalKey, SignatureAlgorithm, SigningKey};
use pki::lint::{CertificateKind, LintContext, lint_tbs};
use pki::name::DistinguishedName;
use pki::ocsp::OcspRequest;
use pki::time::Timestamp;
use pki::{acme_identifier, csr};
use proptest::prelude::*;

use crate::fixture::{Authority, dns, new_key, server_content};

fn read_as_everything(octets: &[u8]) {
    let _ = Certificate::from_der(octets);
    let _ = Csr::from_der(octets);
    let _ = Crl::from_der(octets);
    let _ = OcspRequest::from_der(octets);
    let _ = acme_identifier::read(octets);
    let _ = LocalKey::from_pkcs8(octets);
    let _ = LocalKey::from_pem(octets);
    let issuer = IssuerFacts {
        subject_der: vec![0x30, 0],
        key_identifier: vec![1],
        signature_algorithm: SignatureAlgorithm::Ed25519,
    };
    let context = LintContext::new(
        &issuer,
        Timestamp::NO_EXPIRATION,
        CertificateKind::TlsServer,
    );
    let findings = lint_tbs(octets, &context);
    assert!(
        !findings.is_empty(),
        "no octets pass the linter with this issuer"
    );
}

/// A certificate, a CSR and a CRL that are well-formed.
fn samples() -> [Vec<u8>; 4] {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let key = new_key(KeyAlgorithm::EcP256);
    let content = server_content(key.public_key());
    let csr = csr::build(
        &DistinguishedName::empty(),
        &[dns("a.example.org")],
        &[],
        &key,
    )
    .unwrap();
    let crl = crate::crl::signed(&root, &crate::crl::content(&root, vec![]));
    [root.issue(&content).der, root.tbs(&content), csr, crl]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn n7_random_octets_are_read_without_a_panic(octets: Vec<u8>) {
        read_as_everything(&octets);
    }
}

#[test]
fn n7_real_octets_broken_anywhere_are_read_without_a_panic() {
    for sample in samples() {
        for position in 0..sample.len() {
            read_as_everything(&sample[..position]);
            for change in [0x01, 0x20, 0x80, 0xff] {
                let mut broken = sample.clone();
                broken[position] ^= change;
                read_as_everything(&broken);
            }
        }
    }
}
