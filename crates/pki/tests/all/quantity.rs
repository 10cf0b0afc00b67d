//! What only shows in large numbers: serials over a million issuances (I5), a hundred thousand hostile
//! inputs for each parser (N7).

use std::collections::HashSet;

use pki::attestation;
use pki::certificate::Certificate;
use pki::crl::Crl;
use pki::csr::{self, Csr};
use pki::key::{KeyAlgorithm, SigningKey};
use pki::name::DistinguishedName;
use pki::ocsp::{OcspDigest, OcspIssuer, OcspRequest};
use pki::pem;
use pki::random::SystemRandom;
use pki::serial::Serial;

use crate::fixture::{Authority, dns, new_key, now, random_serial, server_content};

#[test]
fn i05_a_million_serials_are_unique_positive_and_uniform() {
    const COUNT: usize = 1_000_000;
    let random = SystemRandom::new();
    let mut seen = HashSet::with_capacity(COUNT);
    let mut octets = vec![[0_u32; 256]; 20];
    for _ in 0..COUNT {
        let serial = Serial::random(&random);
        assert!(serial.is_issuable());
        let mut padded = [0; 20];
        let magnitude = serial.as_be_octets();
        padded[20 - magnitude.len()..].copy_from_slice(magnitude);
        assert!(padded[0] < 0x80, "below 2^159");
        for (position, octet) in padded.iter().enumerate() {
            octets[position][usize::from(*octet)] += 1;
        }
        assert!(seen.insert(padded), "{serial} came twice");
    }
    for (position, counts) in octets.iter().enumerate() {
        let values = if position == 0 { 128 } else { 256 };
        let expected = COUNT as f64 / values as f64;
        let chi_square: f64 = counts[..values]
            .iter()
            .map(|count| (f64::from(*count) - expected).powi(2) / expected)
            .sum();
        // 255 degrees of freedom: beyond 400 once in 10^8 runs.
        assert!(chi_square < 400.0, "octet {position}: {chi_square}");
    }
}

/// Marsaglia's xorshift: the same inputs in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides
    }

    /// A sample with a few octets changed, left out, doubled or cut off; now and then pure noise.
    fn broken(&mut self, sample: &[u8]) -> Vec<u8> {
        if self.roll(20) == 0 {
            let length = self.roll(200);
            return (0..length).map(|_| self.roll(256) as u8).collect();
        }
        let mut octets = sample.to_vec();
        for _ in 0..=self.roll(4) {
            if octets.is_empty() {
                break;
            }
            let at = self.roll(octets.len());
            match self.roll(6) {
                0 => octets[at] = self.roll(256) as u8,
                1 => octets[at] ^= 1 << self.roll(8),
                2 => drop(octets.remove(at)),
                3 => octets.truncate(at),
                4 => octets.insert(at, [0, 0x30, 0x7f, 0x80, 0x84, 0xff][self.roll(6)]),
                _ => {
                    let end = (at + self.roll(32)).min(octets.len());
                    let piece = octets[at..end].to_vec();
                    octets.splice(at..at, piece);
                }
            }
        }
        octets
    }
}

fn feed(sample: &[u8], mut parse: impl FnMut(&[u8]) -> bool) {
    assert!(parse(sample), "the sample itself is sound");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut refused = 0;
    for _ in 0..100_000 {
        refused += usize::from(!parse(&dice.broken(sample)));
    }
    assert!(refused > 50_000, "most of it is refused");
}

#[test]
fn n07_a_hundred_thousand_broken_certificates_are_read_or_refused() {
    let key = new_key(KeyAlgorithm::EcP256);
    let sample = Authority::root(KeyAlgorithm::EcP256).issue(&server_content(key.public_key()));
    feed(&sample.der, |octets| Certificate::from_der(octets).is_ok());
}

#[test]
fn n07_a_hundred_thousand_broken_csrs_are_read_or_refused() {
    let key = new_key(KeyAlgorithm::EcP256);
    let names = [dns("a.example.org")];
    let sample = csr::build(&DistinguishedName::empty(), &names, &[], &key).unwrap();
    feed(&sample, |octets| Csr::from_der(octets).is_ok());
}

#[test]
fn n07_a_hundred_thousand_broken_crls_are_read_or_refused() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let sample = crate::crl::signed(&root, &crate::crl::content(&root, vec![]));
    feed(&sample, |octets| Crl::from_der(octets).is_ok());
}

#[test]
fn n07_a_hundred_thousand_broken_ocsp_requests_are_read_or_refused() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let issuer = OcspIssuer::from_certificate(&root.certificate);
    let sample = OcspRequest {
        cert_ids: vec![issuer.cert_id(OcspDigest::Sha256, &random_serial())],
        nonce: Some(vec![7; 32]),
    };
    // Its digests may hold any octets.
    let sample = sample.to_der();
    let mut dice = Dice(1);
    assert!(OcspRequest::from_der(&sample).is_ok());
    for _ in 0..100_000 {
        let _ = OcspRequest::from_der(&dice.broken(&sample));
    }
}

#[test]
fn n07_a_hundred_thousand_broken_pem_texts_are_read_or_refused() {
    let key = new_key(KeyAlgorithm::EcP256);
    let leaf = Authority::root(KeyAlgorithm::EcP256).issue(&server_content(key.public_key()));
    let sample = pem::encode(pem::CERTIFICATE, &leaf.der);
    let mut dice = Dice(2);
    assert_eq!(
        pem::decode_all(pem::CERTIFICATE, sample.as_bytes())
            .unwrap()
            .len(),
        1
    );
    for _ in 0..100_000 {
        let broken = dice.broken(sample.as_bytes());
        let _ = pem::decode(&broken);
        let _ = pem::decode_all(pem::CERTIFICATE, &broken);
    }
}

/// An attestation object in CBOR, with the certificates that follow it in the statement.
#[test]
fn n07_a_hundred_thousand_broken_attestations_are_read_or_refused() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let key = new_key(KeyAlgorithm::EcP256);
    let leaf = root.issue(&server_content(key.public_key()));
    let length = u16::try_from(leaf.der.len()).unwrap().to_be_bytes();
    let mut sample = b"\xa2\x63fmt\x64step\x67attStmt\xa1\x63x5c\x81\x59".to_vec();
    sample.extend(length);
    sample.extend(&leaf.der);
    let roots = [(attestation::AttestationFormat::Step, root.certificate)];
    feed(&sample, |octets| {
        attestation::verify_with_request(octets, &roots, now()).is_ok()
    });
}
