//! PKCS #12 files that OpenSSL opens.

use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::pkcs12::{self, Pkcs12Error};
use secrecy::SecretString;

use crate::fixture::{Authority, new_key, server_content};
use crate::openssl::Desk;

#[test]
fn openssl_opens_key_and_chain_with_the_password_only() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let key = new_key(KeyAlgorithm::EcP256);
    let leaf = root.issue(&server_content(key.public_key()));
    let password = SecretString::from("correct horse");
    let chain = [&leaf.der, &root.certificate.der];
    let file = pkcs12::export_key("www.example.org", &key, &chain, &password).unwrap();

    let desk = Desk::new();
    desk.put("file.p12", &file);
    let opened = desk.openssl(&[
        "pkcs12",
        "-in",
        "file.p12",
        "-nodes",
        "-passin",
        "pass:correct horse",
    ]);
    let read = LocalKey::from_pem(&opened.stdout).unwrap();
    assert_eq!(read.public_key(), key.public_key());
    let certificates =
        pki::pem::decode_all(pki::pem::CERTIFICATE, opened.stdout.as_bytes()).unwrap();
    assert_eq!(certificates, chain.map(Clone::clone));
    assert!(
        !desk
            .attempt(&[
                "pkcs12",
                "-in",
                "file.p12",
                "-nodes",
                "-passin",
                "pass:wrong"
            ])
            .success
    );
}

#[test]
fn a_trust_store_holds_certificates_only() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let password = SecretString::from("secret");
    let file = pkcs12::export_certificates(&[&root.certificate.der], &password).unwrap();
    let desk = Desk::new();
    desk.put("file.p12", &file);
    let opened = desk.openssl(&[
        "pkcs12",
        "-in",
        "file.p12",
        "-passin",
        "pass:secret",
        "-nokeys",
    ]);
    let certificates =
        pki::pem::decode_all(pki::pem::CERTIFICATE, opened.stdout.as_bytes()).unwrap();
    assert_eq!(certificates, [root.certificate.der]);
}

#[test]
fn nothing_is_exported_without_password_or_certificate() {
    let key = new_key(KeyAlgorithm::EcP256);
    let root = Authority::root(KeyAlgorithm::EcP256);
    let none = SecretString::from("");
    let chain = [&root.certificate.der];
    assert!(matches!(
        pkcs12::export_key("x", &key, &chain, &none),
        Err(Pkcs12Error::NoPassword)
    ));
    let empty: [&[u8]; 0] = [];
    assert!(matches!(
        pkcs12::export_certificates(&empty, &SecretString::from("x")),
        Err(Pkcs12Error::Empty)
    ));
}
