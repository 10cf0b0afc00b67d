//! Signed and encrypted messages, with OpenSSL on the other side.

use pki::certificate::{Certificate, CertificateContent, KeyUsage};
use pki::cms::{
    self, Accepts, CertsOnly, CmsError, ContentCipher, DecryptError, DecryptionKey, Draft,
    SignedData,
};
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::name::DistinguishedName;
use pki::random::SystemRandom;
use pki::{oid, pem, pkcs7};
use proptest::prelude::*;
use rstest::rstest;

use crate::fixture::{Authority, new_key, now};
use crate::openssl::Desk;

struct Party {
    key: LocalKey,
    certificate: Certificate,
}

fn party(ca: &Authority, algorithm: KeyAlgorithm) -> Party {
    let key = new_key(algorithm);
    let content = CertificateContent {
        subject: DistinguishedName::parse("CN=Device 17").unwrap(),
        key_usage: KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT,
        ..CertificateContent::new(
            key.public_key().clone(),
            now(),
            now() + std::time::Duration::from_secs(86_400),
        )
    };
    let certificate = ca.issue(&content);
    Party { key, certificate }
}

fn draft<'a>(content: &'a [u8], signer: &'a Certificate) -> Draft<'a> {
    Draft {
        content_type: &oid::CMS_DATA,
        content,
        attributes: &[],
        signer,
        chain: &[],
    }
}

#[test]
fn a_bundle_of_certificates_reads_back_and_openssl_prints_it() {
    let ca = Authority::root(KeyAlgorithm::EcP256);
    let device = party(&ca, KeyAlgorithm::EcP256);
    let der = CertsOnly {
        certificates: &[&device.certificate.der, &ca.certificate.der],
        crls: &[],
    }
    .to_der();
    let read = pkcs7::certificates(&der).unwrap();
    assert_eq!(read, [&device.certificate.der[..], &ca.certificate.der[..]]);
    assert!(SignedData::from_ber(&der).unwrap().signers.is_empty());

    let desk = Desk::new();
    desk.put("bundle.p7", &der);
    let printed = desk.attempt(&[
        "pkcs7",
        "-inform",
        "DER",
        "-in",
        "bundle.p7",
        "-print_certs",
    ]);
    assert!(printed.success, "{}", printed.stderr);
    assert_eq!(printed.stdout.matches("BEGIN CERTIFICATE").count(), 2);
}

#[rstest]
fn openssl_verifies_what_is_signed_and_we_do(
    #[values(KeyAlgorithm::Rsa2048, KeyAlgorithm::EcP256, KeyAlgorithm::EcP384)]
    algorithm: KeyAlgorithm,
) {
    let ca = Authority::root(KeyAlgorithm::EcP256);
    let device = party(&ca, algorithm);
    let der = cms::sign(&draft(b"message", &device.certificate), &device.key).unwrap();

    let signed = SignedData::from_ber(&der).unwrap();
    assert_eq!(signed.content, b"message");
    assert_eq!(
        signed.verified_signer().unwrap().certificate,
        device.certificate
    );

    let desk = Desk::new();
    desk.put("message.p7", &der);
    let verified = desk.attempt(&[
        "cms",
        "-verify",
        "-inform",
        "DER",
        "-in",
        "message.p7",
        "-noverify",
        "-binary",
    ]);
    assert!(verified.success, "{}", verified.stderr);
    assert_eq!(verified.stdout, "message");
}

#[rstest]
#[case::der(&[])]
#[case::indefinite_lengths(&["-stream"])]
#[case::without_attributes(&["-noattr"])]
#[case::by_key_identifier(&["-keyid"])]
fn what_openssl_signs_is_verified(
    #[case] options: &[&str],
    #[values(KeyAlgorithm::Rsa2048, KeyAlgorithm::EcP256)] algorithm: KeyAlgorithm,
) {
    let ca = Authority::root(KeyAlgorithm::EcP256);
    let key = new_key(algorithm);
    let content = CertificateContent {
        subject_key_identifier: true,
        ..crate::fixture::server_content(key.public_key())
    };
    let certificate = ca.issue(&content);
    let desk = Desk::new();
    desk.put_certificate("signer.pem", &certificate);
    desk.put("signer.key", key.to_pem().unwrap().as_bytes());
    desk.put("message", "message");
    let mut arguments = vec![
        "cms",
        "-sign",
        "-binary",
        "-nodetach",
        "-md",
        "sha256",
        "-outform",
        "DER",
        "-in",
        "message",
        "-signer",
        "signer.pem",
        "-inkey",
        "signer.key",
        "-out",
        "message.p7",
    ];
    arguments.extend(options);
    let made = desk.attempt(&arguments);
    assert!(made.success, "{}", made.stderr);

    let signed = SignedData::from_ber(&desk.take("message.p7")).unwrap();
    assert_eq!(signed.content, b"message");
    assert_eq!(signed.verified_signer().unwrap().certificate, certificate);
}

#[test]
fn a_message_that_was_changed_or_signed_with_sha1_is_refused() {
    let ca = Authority::root(KeyAlgorithm::EcP256);
    let device = party(&ca, KeyAlgorithm::Rsa2048);
    let der = cms::sign(&draft(b"message", &device.certificate), &device.key).unwrap();
    let mut signed = SignedData::from_ber(&der).unwrap();
    signed.content = b"massage".to_vec();
    assert_eq!(signed.verified_signer().unwrap_err(), CmsError::Signature);
    signed.certificates.clear();
    assert_eq!(
        signed.verified_signer().unwrap_err(),
        CmsError::NoSignerCertificate
    );
    let stranger = party(&ca, KeyAlgorithm::Rsa2048);
    let error = signed
        .verified_with(&stranger.certificate, Accepts::Strong)
        .unwrap_err();
    assert_eq!(error, CmsError::Signature);

    let desk = Desk::new();
    desk.put_certificate("signer.pem", &device.certificate);
    desk.put("signer.key", device.key.to_pem().unwrap().as_bytes());
    desk.put("message", "message");
    let made = desk.attempt(&[
        "cms",
        "-sign",
        "-binary",
        "-nodetach",
        "-md",
        "sha1",
        "-outform",
        "DER",
        "-in",
        "message",
        "-signer",
        "signer.pem",
        "-inkey",
        "signer.key",
        "-out",
        "message.p7",
    ]);
    assert!(made.success, "{}", made.stderr);
    let signed = SignedData::from_ber(&desk.take("message.p7")).unwrap();
    let error = signed.verified_signer().unwrap_err();
    assert_eq!(error, CmsError::Algorithm("1.3.14.3.2.26".into()));
}

#[rstest]
fn openssl_decrypts_what_is_encrypted_and_we_do(
    #[values(
        ContentCipher::Aes128Cbc,
        ContentCipher::Aes192Cbc,
        ContentCipher::Aes256Cbc,
        ContentCipher::TripleDesCbc
    )]
    cipher: ContentCipher,
) {
    let ca = Authority::root(KeyAlgorithm::EcP256);
    let device = party(&ca, KeyAlgorithm::Rsa2048);
    let random = SystemRandom::new();
    let der = cms::encrypt(b"secret", &device.certificate, cipher, &random).unwrap();

    let key = DecryptionKey::from_pkcs8(&device.key.to_pkcs8().unwrap()).unwrap();
    let opened =
        cms::decrypt(&der, &device.certificate, &key, Accepts::TripleDes, &random).unwrap();
    assert_eq!(opened.as_slice(), b"secret");

    let desk = Desk::new();
    desk.put("message.p7", &der);
    desk.put_certificate("device.pem", &device.certificate);
    desk.put("device.key", device.key.to_pem().unwrap().as_bytes());
    let opened = desk.attempt(&[
        "cms",
        "-decrypt",
        "-inform",
        "DER",
        "-in",
        "message.p7",
        "-recip",
        "device.pem",
        "-inkey",
        "device.key",
    ]);
    assert!(opened.success, "{}", opened.stderr);
    assert_eq!(opened.stdout, "secret");
}

#[test]
fn what_openssl_encrypts_is_read_and_3des_only_where_it_is_allowed() {
    let ca = Authority::root(KeyAlgorithm::EcP256);
    let device = party(&ca, KeyAlgorithm::Rsa2048);
    let stranger = party(&ca, KeyAlgorithm::Rsa2048);
    let key = DecryptionKey::from_pkcs8(&device.key.to_pkcs8().unwrap()).unwrap();
    let other = DecryptionKey::from_pkcs8(&stranger.key.to_pkcs8().unwrap()).unwrap();
    let random = SystemRandom::new();
    let desk = Desk::new();
    desk.put_certificate("device.pem", &device.certificate);
    desk.put("message", "secret");
    for (cipher, is_old) in [("-aes-128-cbc", false), ("-aes256", false), ("-des3", true)] {
        for form in ["-nointern", "-stream"] {
            let made = desk.attempt(&[
                "cms",
                "-encrypt",
                "-binary",
                cipher,
                form,
                "-outform",
                "DER",
                "-in",
                "message",
                "-out",
                "message.p7",
                "device.pem",
            ]);
            assert!(made.success, "{}", made.stderr);
            let der = desk.take("message.p7");
            let opened =
                cms::decrypt(&der, &device.certificate, &key, Accepts::TripleDes, &random).unwrap();
            assert_eq!(opened.as_slice(), b"secret", "{cipher}");
            let strict = cms::decrypt(&der, &device.certificate, &key, Accepts::Strong, &random);
            match is_old {
                true => assert!(matches!(strict, Err(DecryptError::Cipher(_)))),
                false => assert!(strict.is_ok()),
            }
            let wrong_key = cms::decrypt(
                &der,
                &device.certificate,
                &other,
                Accepts::TripleDes,
                &random,
            );
            assert_ne!(wrong_key.ok().as_deref(), Some(&b"secret".to_vec()));
            let foreign = cms::decrypt(
                &der,
                &stranger.certificate,
                &other,
                Accepts::TripleDes,
                &random,
            );
            assert_eq!(foreign.unwrap_err(), DecryptError::NotForUs);
        }
    }
}

#[test]
fn nobody_encrypts_for_a_key_that_only_signs_or_with_an_old_cipher() {
    let ca = Authority::root(KeyAlgorithm::EcP256);
    let (signs, decrypts) = (
        party(&ca, KeyAlgorithm::EcP256),
        party(&ca, KeyAlgorithm::Rsa2048),
    );
    let random = SystemRandom::new();
    assert!(cms::encrypt(b"x", &signs.certificate, ContentCipher::Aes128Cbc, &random).is_err());
    let old = ContentCipher::DesCbc;
    assert!(cms::encrypt(b"x", &decrypts.certificate, old, &random).is_err());
    assert!(DecryptionKey::from_pkcs8(&signs.key.to_pkcs8().unwrap()).is_err());
}

#[test]
fn a_pem_bundle_of_openssl_is_read() {
    let ca = Authority::root(KeyAlgorithm::EcP256);
    let desk = Desk::new();
    desk.put_certificate("ca.pem", &ca.certificate);
    let made = desk.attempt(&[
        "crl2pkcs7",
        "-nocrl",
        "-certfile",
        "ca.pem",
        "-out",
        "bundle.pem",
    ]);
    assert!(made.success, "{}", made.stderr);
    let blocks = pem::decode(&desk.take("bundle.pem")).unwrap();
    let bundle = SignedData::from_ber(&blocks[0].der).unwrap();
    assert_eq!(bundle.certificates, [ca.certificate.der]);
}

proptest! {
    #[test]
    fn n07_any_octets_are_no_message_and_no_panic(octets: Vec<u8>) {
        prop_assert!(SignedData::from_ber(&octets).is_err());
    }
}
