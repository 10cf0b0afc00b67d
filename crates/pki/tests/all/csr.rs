//! CSRs: accepted from every kind of key, refused when anything is wrong with them.

use pki::asn1::{Reader, Writer, tag};
use pki::csr::{self, Csr, CsrError, RequestedExtension};
use pki::key::{KeyAlgorithm, PublicKey, SigningKey, WeakKey};
use pki::name::{DistinguishedName, GeneralName};
use pki::oid;
use rstest::rstest;

use crate::fixture::{dns, new_key};

fn sample(algorithm: KeyAlgorithm) -> Vec<u8> {
    let key = new_key(algorithm);
    csr::build(
        &DistinguishedName::empty(),
        &[dns("www.example.org")],
        &[],
        &key,
    )
    .unwrap()
}

#[rstest]
fn a_csr_of_every_kind_of_key_reads_back(
    #[values(
        KeyAlgorithm::Rsa2048,
        KeyAlgorithm::EcP256,
        KeyAlgorithm::EcP384,
        KeyAlgorithm::Ed25519
    )]
    algorithm: KeyAlgorithm,
) {
    let key = new_key(algorithm);
    let subject = DistinguishedName::parse("CN=www.example.org,O=Example").unwrap();
    let names = [
        dns("www.example.org"),
        GeneralName::Ip("192.0.2.1".parse().unwrap()),
    ];
    let must_staple = RequestedExtension {
        oid: oid::EXT_TLS_FEATURE.to_string(),
        critical: false,
        der: vec![0x30, 3, 2, 1, 5],
    };
    let der = csr::build(&subject, &names, std::slice::from_ref(&must_staple), &key).unwrap();
    let csr = Csr::from_der(&der).unwrap();
    assert_eq!(csr.subject, subject);
    assert_eq!(csr.subject_alt_names, names);
    assert_eq!(&csr.public_key, key.public_key());
    assert_eq!(csr.extensions.len(), 2);
    assert_eq!(csr.extensions[1], must_staple);
    assert_eq!(csr.challenge_password, None);
    assert_eq!(csr.der, der);
}

#[test]
fn i3_a_signature_by_another_key_is_refused() {
    let mut der = sample(KeyAlgorithm::Ed25519);
    let last = der.len() - 1;
    der[last] ^= 1;
    assert!(matches!(Csr::from_der(&der), Err(CsrError::Signature(_))));
}

#[test]
fn a_change_of_the_requested_names_is_noticed() {
    let mut der = sample(KeyAlgorithm::EcP256);
    let name = der.windows(3).position(|octets| octets == b"www").unwrap();
    der[name] = b'v';
    assert!(matches!(Csr::from_der(&der), Err(CsrError::Signature(_))));
}

#[rstest]
#[case::trailing_octet(|der: &mut Vec<u8>| der.push(0))]
#[case::cut_short(|der: &mut Vec<u8>| { der.pop(); })]
#[case::empty(|der: &mut Vec<u8>| der.clear())]
fn malformed_octets_are_refused(#[case] breaks: fn(&mut Vec<u8>)) {
    let mut der = sample(KeyAlgorithm::EcP256);
    breaks(&mut der);
    assert!(matches!(Csr::from_der(&der), Err(CsrError::Der(_))));
}

#[test]
fn an_oversized_csr_is_refused_unread() {
    assert_eq!(
        Csr::from_der(&vec![0x30; 65 * 1024]),
        Err(CsrError::TooLarge(65 * 1024))
    );
}

/// A CSR with these attributes, signed.
fn with_attributes(
    key: &dyn SigningKey,
    version: u32,
    attributes: impl FnOnce(&mut Writer),
) -> Vec<u8> {
    let info = Writer::encode(|w| {
        w.sequence(|w| {
            w.small(version);
            w.raw(&DistinguishedName::empty().to_der());
            w.raw(key.public_key().spki_der());
            w.constructed(0, attributes);
        });
    });
    pki::certificate::sign(&info, key).unwrap()
}

fn san_extension(w: &mut Writer) {
    w.sequence(|w| {
        w.oid(&oid::EXT_SUBJECT_ALT_NAME);
        w.octet_string_of(|w| w.sequence(|w| w.tlv(tag::primitive(2), b"a.example.org")));
    });
}

#[test]
fn an_extension_that_is_there_twice_is_refused() {
    let key = new_key(KeyAlgorithm::EcP256);
    let der = with_attributes(&key, 0, |w| {
        w.sequence(|w| {
            w.oid(&oid::EXTENSION_REQUEST);
            w.set(|w| {
                w.sequence(|w| {
                    san_extension(w);
                    san_extension(w);
                });
            });
        });
    });
    assert_eq!(
        Csr::from_der(&der),
        Err(CsrError::Duplicate("2.5.29.17".into()))
    );
}

#[test]
fn an_attribute_that_is_there_twice_is_refused() {
    let key = new_key(KeyAlgorithm::EcP256);
    let der = with_attributes(&key, 0, |w| {
        for _ in 0..2 {
            w.sequence(|w| {
                w.oid(&oid::CHALLENGE_PASSWORD);
                w.set(|w| w.tlv(tag::UTF8_STRING, b"secret"));
            });
        }
    });
    assert!(matches!(Csr::from_der(&der), Err(CsrError::Duplicate(_))));
}

#[test]
fn the_challenge_password_is_read() {
    let key = new_key(KeyAlgorithm::EcP256);
    let der = with_attributes(&key, 0, |w| {
        w.sequence(|w| {
            w.oid(&oid::CHALLENGE_PASSWORD);
            w.set(|w| w.tlv(tag::PRINTABLE_STRING, b"secret"));
        });
    });
    let csr = Csr::from_der(&der).unwrap();
    assert_eq!(csr.challenge_password.as_deref(), Some("secret"));
}

#[test]
fn another_version_is_refused() {
    let key = new_key(KeyAlgorithm::EcP256);
    let der = with_attributes(&key, 2, |_| ());
    assert_eq!(Csr::from_der(&der), Err(CsrError::Version(2)));
}

#[test]
fn i3_a_weak_key_is_named_as_the_reason() {
    // A key of 1023 bits; its signature need not even be right.
    let weak = PublicKey::from_rsa_components(&[0x7f; 128], &[1, 0, 1]).unwrap();
    let signer = new_key(KeyAlgorithm::Rsa2048);
    let info = Writer::encode(|w| {
        w.sequence(|w| {
            w.small(0);
            w.raw(&DistinguishedName::empty().to_der());
            w.raw(weak.spki_der());
            w.constructed(0, |_| ());
        });
    });
    let der = pki::certificate::sign(&info, &signer).unwrap();
    assert_eq!(
        Csr::from_der(&der),
        Err(CsrError::WeakKey(WeakKey::RsaLength(1023)))
    );
}

#[test]
fn an_algorithm_that_does_not_go_with_the_key_is_refused() {
    let der = sample(KeyAlgorithm::EcP256);
    let mut fields = Reader::single(&der).unwrap().open(tag::SEQUENCE).unwrap();
    let info = fields.read().unwrap().der;
    let other = pki::key::SignatureAlgorithm::RsaSha256;
    let forged = pki::certificate::assemble(info, other, &[0; 64]);
    assert!(matches!(
        Csr::from_der(&forged),
        Err(CsrError::Signature(_))
    ));
}
