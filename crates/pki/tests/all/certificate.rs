//! What is written is what a reader finds, ours and another one's.

use pki::certificate::{
    self, BasicConstraints, BuildError, Certificate, CertificateContent, ExtendedKeyUsage,
    IssuerFacts, KeyUsage,
};
use pki::key::{KeyAlgorithm, SigningKey};
use pki::name::{DistinguishedName, GeneralName, NameConstraints, NameSubtree};
use rstest::rstest;

use crate::fixture::{Authority, at, dns, new_key, random_serial, server_content};

#[test]
fn every_field_reads_back() {
    let root = Authority::root(KeyAlgorithm::EcP384);
    let key = new_key(KeyAlgorithm::EcP256);
    let mut content = server_content(key.public_key());
    content.subject = DistinguishedName::parse("CN=www.example.org,O=Example").unwrap();
    content
        .subject_alt_names
        .push(GeneralName::Ip("2001:db8::1".parse().unwrap()));
    content.certificate_policies = vec![
        "2.23.140.1.2.1".into(),
        "2.25.329800735698586629295641978511506172918".into(),
    ];
    content.must_staple = true;
    content.subject_key_identifier = true;
    let read = root.issue(&content);

    assert_eq!(read.subject, content.subject);
    assert_eq!(read.names, content.subject_alt_names);
    assert_eq!(read.public_key, content.public_key);
    assert_eq!(read.not_before, content.not_before);
    assert_eq!(read.not_after, content.not_after);
    assert_eq!(read.key_usage, Some(content.key_usage));
    assert_eq!(read.extended_key_usage, content.extended_key_usage);
    assert_eq!(read.certificate_policies, content.certificate_policies);
    assert_eq!(read.ocsp_urls, content.ocsp_urls);
    assert_eq!(read.ca_issuer_urls, content.ca_issuer_urls);
    assert_eq!(read.crl_urls, content.crl_urls);
    assert!(read.must_staple && !read.is_ca);
    assert_eq!(read.issuer_der, root.certificate.subject_der);
    assert_eq!(
        read.authority_key_identifier,
        root.certificate.subject_key_identifier
    );
    assert_eq!(
        read.subject_key_identifier.as_deref(),
        Some(&key.public_key().key_identifier()[..])
    );
    assert_eq!(read.spki_sha256, key.public_key().spki_sha256());
    assert_eq!(
        read.signature_algorithm,
        Some(root.key.signature_algorithm())
    );
    assert!(read.is_signed_by(&root.certificate));
    assert!(!read.is_signed_by(&read));
    assert_eq!(read.unknown_critical_extensions, Vec::<String>::new());
    assert_eq!(read.malformed_extensions, Vec::<String>::new());
}

#[test]
fn a_ca_certificate_reads_back() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let key = new_key(KeyAlgorithm::EcP256);
    let constraints = NameConstraints {
        permitted: vec![NameSubtree::Dns("example.org".into())],
        excluded: vec![],
    };
    let read = root.issue(&CertificateContent {
        subject: DistinguishedName::parse("CN=Sub").unwrap(),
        basic_constraints: BasicConstraints::Ca { path_len: Some(3) },
        key_usage: KeyUsage::KEY_CERT_SIGN,
        name_constraints: Some(constraints.clone()),
        ..server_content(key.public_key())
    });
    assert!(read.is_ca);
    assert_eq!(read.path_len, Some(3));
    assert_eq!(read.name_constraints, Some(constraints));
}

#[rstest]
fn another_reader_agrees_and_every_key_signs(
    #[values(
        KeyAlgorithm::Rsa2048,
        KeyAlgorithm::EcP256,
        KeyAlgorithm::EcP384,
        KeyAlgorithm::Ed25519
    )]
    algorithm: KeyAlgorithm,
) {
    let root = Authority::root(algorithm);
    let key = new_key(KeyAlgorithm::EcP256);
    let ours = root.issue(&server_content(key.public_key()));
    let (rest, theirs) = x509_parser::parse_x509_certificate(&ours.der).unwrap();
    assert!(rest.is_empty());
    assert_eq!(theirs.version, x509_parser::x509::X509Version::V3);
    assert_eq!(theirs.raw_serial(), ours.serial.der_content());
    assert_eq!(theirs.issuer.as_raw(), ours.issuer_der);
    assert_eq!(
        theirs.validity.not_after.timestamp(),
        ours.not_after.seconds()
    );
    assert_eq!(theirs.public_key().raw, ours.public_key.spki_der());
    assert_eq!(theirs.tbs_certificate.as_ref(), ours.tbs_der());
    assert!(ours.is_signed_by(&root.certificate));
    let san = theirs.subject_alternative_name().unwrap().unwrap();
    assert!(san.critical, "the subject is empty");
    assert_eq!(san.value.general_names.len(), 2);
}

#[test]
fn the_subject_alternative_name_is_critical_only_without_subject() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let key = new_key(KeyAlgorithm::EcP256);
    let mut content = server_content(key.public_key());
    content.subject = DistinguishedName::parse("CN=www.example.org").unwrap();
    let der = root.issue(&content).der;
    let (_, theirs) = x509_parser::parse_x509_certificate(&der).unwrap();
    assert!(!theirs.subject_alternative_name().unwrap().unwrap().critical);
}

#[rstest]
#[case::ends_before_it_begins(|c: &mut CertificateContent| c.not_after = at("2026-01-01T00:00:00Z"), BuildError::Validity)]
#[case::names_nobody(|c: &mut CertificateContent| c.subject_alt_names.clear(), BuildError::NoName)]
#[case::nameless_ca(|c: &mut CertificateContent| c.basic_constraints = BasicConstraints::Ca { path_len: None }, BuildError::CaWithoutSubject)]
#[case::policy_without_arcs(|c: &mut CertificateContent| c.certificate_policies = vec!["policy".into()], BuildError::Oid("policy".into()))]
#[case::purpose_without_arcs(|c: &mut CertificateContent| c.extended_key_usage = vec![ExtendedKeyUsage::Other("x".into())], BuildError::Oid("x".into()))]
#[case::url_with_blank(|c: &mut CertificateContent| c.crl_urls = vec!["http://a b".into()], BuildError::Url("http://a b".into()))]
#[case::no_constraint(|c: &mut CertificateContent| c.name_constraints = Some(NameConstraints::default()), BuildError::EmptyNameConstraints)]
fn content_that_is_no_certificate_is_refused(
    #[case] breaks: fn(&mut CertificateContent),
    #[case] expected: BuildError,
) {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let mut content = server_content(root.key.public_key());
    breaks(&mut content);
    let error = certificate::encode_tbs(&content, &random_serial(), &root.facts()).unwrap_err();
    assert_eq!(error, expected);
}

#[test]
fn a_serial_number_that_is_not_positive_is_refused() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let content = server_content(root.key.public_key());
    let zero = "00".parse().unwrap();
    assert_eq!(
        certificate::encode_tbs(&content, &zero, &root.facts()),
        Err(BuildError::Serial)
    );
}

#[test]
fn a_name_beyond_ascii_is_refused() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let mut content = server_content(root.key.public_key());
    content.subject_alt_names = vec![dns("bücher.example")];
    assert!(matches!(
        certificate::encode_tbs(&content, &random_serial(), &root.facts()),
        Err(BuildError::Name(_))
    ));
}

#[test]
fn octets_after_a_certificate_are_refused() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let mut der = root.certificate.der.clone();
    der.push(0);
    assert!(Certificate::from_der(&der).is_err());
}

#[test]
fn content_survives_json() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let mut content = server_content(root.key.public_key());
    content.acme_identifier = Some([7; 32]);
    content.subject_alt_names.push(GeneralName::Other {
        oid: "1.3.6.1.4.1.311.20.2.3".into(),
        der: vec![0x0c, 1, b'a'],
    });
    content
        .extended_key_usage
        .push(ExtendedKeyUsage::Other("1.2.3".into()));
    content.name_constraints = Some(NameConstraints {
        permitted: vec![NameSubtree::Ip {
            address: "10.0.0.0".parse().unwrap(),
            prefix: 8,
        }],
        excluded: vec![],
    });
    let json = serde_json::to_string(&content).unwrap();
    assert_eq!(
        serde_json::from_str::<CertificateContent>(&json).unwrap(),
        content
    );
    let plain: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(plain["key_usage"], serde_json::json!(["digitalSignature"]));
    assert_eq!(
        plain["subject_alt_names"][0],
        serde_json::json!({"type": "dns", "value": "www.example.org"})
    );
}

#[test]
fn a_root_names_itself_and_its_own_key() {
    let root = Authority::root(KeyAlgorithm::Ed25519);
    let facts = IssuerFacts::from_certificate(&root.certificate, root.key.signature_algorithm());
    assert_eq!(facts.key_identifier, root.key.public_key().key_identifier());
    assert!(root.certificate.is_self_issued());
    assert!(root.certificate.is_signed_by(&root.certificate));
}
