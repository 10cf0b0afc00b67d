use std::sync::Arc;
use std::time::Duration;

use pki::key::{KeyAlgorithm, LocalKey};
use pki::name::NameConstraints;
use pki::random::SystemRandom;

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn validity(days: u32) -> Validity {
    Validity {
        not_before: now() - DAY,
        not_after: now() + DAY * days,
    }
}

fn key() -> LocalKey {
    LocalKey::generate(KeyAlgorithm::EcP256).unwrap()
}

fn root(days: u32) -> LocalCa {
    let key = key();
    let subject = "CN=Root,O=Example".parse().unwrap();
    let der = root_certificate(&subject, &key, validity(days), &SystemRandom::new()).unwrap();
    LocalCa {
        certificate: Arc::new(Certificate::from_der(&der).unwrap()),
        key: Arc::new(key),
    }
}

fn issuing(root: &LocalCa, key: &LocalKey, days: u32) -> Result<Vec<u8>, CaCertificateError> {
    let urls = ParentUrls {
        ca_issuers: vec!["http://ca.test/pki/root/ca.der".to_owned()],
        crl: vec!["http://ca.test/pki/root/crl".to_owned()],
    };
    let subject = "CN=Issuing".parse().unwrap();
    let random = SystemRandom::new();
    issuing_certificate(
        &subject,
        key.public_key(),
        validity(days),
        root,
        urls,
        &random,
    )
}

/// A certificate for `key` below `root`, changed before it is signed.
fn odd(root: &LocalCa, key: &LocalKey, change: impl FnOnce(&mut CertificateContent)) -> Vec<u8> {
    let subject = "CN=Issuing".parse().unwrap();
    let mut content = ca_content(&subject, key.public_key(), validity(10), Some(0));
    change(&mut content);
    let algorithm = root.key.signature_algorithm();
    let facts = IssuerFacts::from_certificate(&root.certificate, algorithm);
    let tbs = encode_tbs(&content, &Serial::random(&SystemRandom::new()), &facts).unwrap();
    sign(&tbs, &*root.key).unwrap()
}

#[test]
fn a_root_and_the_ca_below_it_form_a_chain_in_whatever_order_they_come() {
    let (root, key) = (root(100), key());
    let own = issuing(&root, &key, 50).unwrap();
    let above = root.certificate.der.clone();
    for certificates in [[own.clone(), above.clone()], [above.clone(), own.clone()]] {
        let chain = check_imported(&certificates, key.public_key(), now()).unwrap();
        assert_eq!(chain.certificates(), [own.clone(), above.clone()]);
    }
    let parsed = Certificate::from_der(&own).unwrap();
    assert!(parsed.is_signed_by(&root.certificate) && parsed.is_ca);
    assert_eq!(parsed.path_len, Some(0));
    assert_eq!(parsed.crl_urls, ["http://ca.test/pki/root/crl"]);
    assert!(root.certificate.is_signed_by(&root.certificate));
    assert_eq!(root.certificate.path_len, None);
}

#[test]
fn a_ca_never_outlives_the_one_that_signs_it() {
    let error = issuing(&root(10), &key(), 11).unwrap_err();
    assert!(
        matches!(error, CaCertificateError::Outlives { .. }),
        "{error}"
    );
}

#[test]
fn a_request_for_an_offline_root_is_signed_by_the_key() {
    let key = key();
    let subject = "CN=Issuing,O=Example".parse().unwrap();
    let csr = certificate_request(&subject, &key).unwrap();
    let csr = pki::csr::Csr::from_der(&csr).unwrap();
    assert_eq!(csr.public_key, *key.public_key());
    assert_eq!(csr.subject, subject);
}

#[test]
fn what_is_imported_must_be_a_ca_of_this_key_that_is_valid_now() {
    let (root, key) = (root(100), key());
    let import = |der: Vec<u8>, key: &LocalKey, now: Timestamp| {
        let certificates = [der, root.certificate.der.clone()];
        check_imported(&certificates, key.public_key(), now)
            .unwrap_err()
            .to_string()
    };
    let own = issuing(&root, &key, 50).unwrap();
    let other = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    assert!(import(own.clone(), &other, now()).contains("not for this issuer's key"));
    assert!(import(own.clone(), &key, now() + DAY * 51).contains("which is not now"));
    assert!(import(own, &key, now() - DAY * 2).contains("which is not now"));
    let leaf = odd(&root, &key, |content| {
        content.basic_constraints = BasicConstraints::EndEntity
    });
    assert!(import(leaf, &key, now()).contains("CA:TRUE"));
    let mute = odd(&root, &key, |content| {
        content.key_usage = KeyUsage::KEY_CERT_SIGN
    });
    assert!(import(mute, &key, now()).contains("cRLSign"));
}

#[test]
fn a_chain_with_a_gap_or_a_forged_link_is_refused() {
    let (root, impostor, key) = (root(100), root(100), key());
    let own = issuing(&root, &key, 50).unwrap();
    let error = check_imported(
        &[own, impostor.certificate.der.clone()],
        key.public_key(),
        now(),
    );
    assert!(
        matches!(error, Err(CaCertificateError::Chain(_))),
        "{error:?}"
    );
    let none = check_imported(&[], key.public_key(), now());
    assert!(matches!(none, Err(CaCertificateError::Chain(_))));
}

#[test]
fn a_ca_above_that_allows_no_ca_below_it_is_refused() {
    let root = root(100);
    let middle_key = Arc::new(key());
    let middle = issuing(&root, &middle_key, 60).unwrap();
    let middle = LocalCa {
        certificate: Arc::new(Certificate::from_der(&middle).unwrap()),
        key: middle_key,
    };
    let key = key();
    let own = odd(&middle, &key, |content| {
        content.subject = "CN=Below".parse().unwrap();
        content.name_constraints = Some(NameConstraints {
            permitted: vec![pki::name::NameSubtree::Dns("example.test".into())],
            excluded: vec![],
        });
    });
    let chain = [
        own,
        middle.certificate.der.clone(),
        root.certificate.der.clone(),
    ];
    let error = check_imported(&chain, key.public_key(), now()).unwrap_err();
    assert!(
        matches!(error, CaCertificateError::PathLength { .. }),
        "{error}"
    );
}
