use std::sync::Arc;
use std::time::Duration;

use pki::certificate::Certificate;
use pki::key::{KeyAlgorithm, LocalKey};
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

#[test]
fn a_root_and_the_ca_below_it_say_what_a_ca_has_to() {
    let (root, key) = (root(100), key());
    let own = issuing(&root, &key, 50).unwrap();
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
