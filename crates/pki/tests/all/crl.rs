//! CRLs read back, and say what they must and nothing they must not.

use std::time::Duration;

use pki::crl::{
    self, Crl, CrlBuildError, CrlContent, CrlEntry, CrlScope, IssuingDistributionPoint,
};
use pki::key::KeyAlgorithm;
use pki::revocation::RevocationReason;
use rstest::rstest;

use crate::fixture::{Authority, now, random_serial};

pub fn content(authority: &Authority, entries: Vec<CrlEntry>) -> CrlContent {
    CrlContent {
        issuer: authority.facts(),
        number: 0x8000,
        this_update: now(),
        next_update: now() + Duration::from_secs(4 * 86_400),
        entries,
        issuing_distribution_point: None,
    }
}

pub fn signed(authority: &Authority, content: &CrlContent) -> Vec<u8> {
    crl::sign(&crl::encode_tbs(content).unwrap(), &authority.key).unwrap()
}

#[test]
fn every_entry_and_reason_reads_back() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let issuing = Authority::below(&root, KeyAlgorithm::EcP256);
    let reasons = RevocationReason::ALL
        .into_iter()
        .filter(|reason| *reason != RevocationReason::RemoveFromCrl);
    let entries: Vec<_> = reasons
        .map(|reason| CrlEntry {
            serial: random_serial(),
            revoked_at: now(),
            reason,
        })
        .collect();
    let der = signed(&issuing, &content(&issuing, entries.clone()));
    let crl = Crl::from_der(&der).unwrap();
    assert_eq!(crl.entries, entries);
    assert_eq!(crl.issuer_der, issuing.certificate.subject_der);
    assert_eq!(crl.this_update, now());
    assert_eq!(crl.next_update, Some(now() + Duration::from_secs(345_600)));
    assert_eq!(crl.number.as_deref(), Some(&[0x80, 0x00][..]));
    assert_eq!(crl.critical_extensions, Vec::<String>::new());
    // The key identifier is that of the CA that signs, not of the one above it.
    assert_eq!(
        crl.authority_key_identifier,
        issuing.certificate.subject_key_identifier
    );
    assert!(crl.is_signed_with(&issuing.certificate.public_key));
    assert!(!crl.is_signed_with(&root.certificate.public_key));

    let (_, theirs) = x509_parser::parse_x509_crl(&der).unwrap();
    assert_eq!(theirs.iter_revoked_certificates().count(), entries.len());
    let unspecified = theirs.iter_revoked_certificates().next().unwrap();
    assert_eq!(unspecified.reason_code(), None);
    assert_eq!(unspecified.extensions().len(), 0);
}

#[test]
fn without_entries_there_is_no_list_at_all() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let tbs = crl::encode_tbs(&content(&root, vec![])).unwrap();
    assert!(!tbs.windows(2).any(|octets| octets == [0x30, 0x00]));
    let crl = Crl::from_der(&crl::sign(&tbs, &root.key).unwrap()).unwrap();
    assert_eq!(crl.entries, []);
}

#[test]
fn a_partial_crl_says_so_critically() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let mut content = content(&root, vec![]);
    content.issuing_distribution_point = Some(IssuingDistributionPoint {
        url: "http://pki.example.org/crl/1".into(),
        scope: CrlScope::EndEntities,
    });
    let crl = Crl::from_der(&signed(&root, &content)).unwrap();
    assert_eq!(crl.critical_extensions, ["2.5.29.28"]);
}

#[rstest]
#[case::ends_when_it_begins(|c: &mut CrlContent| c.next_update = c.this_update, CrlBuildError::Validity)]
#[case::removes(|c: &mut CrlContent| c.entries.push(CrlEntry {
    serial: random_serial(), revoked_at: now(), reason: RevocationReason::RemoveFromCrl,
}), CrlBuildError::RemoveFromCrl)]
fn content_that_is_no_crl_is_refused(
    #[case] breaks: fn(&mut CrlContent),
    #[case] expected: CrlBuildError,
) {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let mut content = content(&root, vec![]);
    breaks(&mut content);
    assert_eq!(crl::encode_tbs(&content), Err(expected));
}

#[test]
fn a_hundred_thousand_entries_read_back() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let entries: Vec<_> = (1..=100_000_u32)
        .map(|number| CrlEntry {
            serial: number.to_string().parse().unwrap(),
            revoked_at: now(),
            reason: RevocationReason::KeyCompromise,
        })
        .collect();
    let crl = Crl::from_der(&signed(&root, &content(&root, entries.clone()))).unwrap();
    assert_eq!(crl.entries, entries);
}
