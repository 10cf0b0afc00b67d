//! The certificate of a tls-alpn-01 answer, RFC 8737 section 3.

use pki::acme_identifier::{self, AcmeIdentifierError};
use pki::certificate::{self, CertificateContent};
use pki::key::{KeyAlgorithm, SigningKey};
use pki::oid;
use rstest::rstest;

use crate::draft::Draft;
use crate::fixture::{Authority, at, dns};

fn challenge_tbs(authority: &Authority) -> Vec<u8> {
    let content = CertificateContent {
        subject_alt_names: vec![dns("www.example.org")],
        acme_identifier: Some([7; 32]),
        ..CertificateContent::new(
            authority.key.public_key().clone(),
            at("2026-11-23T14:00:00Z"),
            at("2026-11-24T14:00:00Z"),
        )
    };
    authority.tbs(&content)
}

#[test]
fn name_and_digest_are_read() {
    let authority = Authority::root(KeyAlgorithm::EcP256);
    let der = certificate::sign(&challenge_tbs(&authority), &authority.key).unwrap();
    let read = acme_identifier::read(&der).unwrap();
    assert_eq!(read.name, dns("www.example.org"));
    assert_eq!(read.digest, [7; 32]);
}

#[rstest]
#[case::not_critical(|d: &mut Draft| d.extension(&oid::EXT_ACME_IDENTIFIER).critical = false, AcmeIdentifierError::NotCritical)]
#[case::missing(|d: &mut Draft| d.drop_extension(&oid::EXT_ACME_IDENTIFIER), AcmeIdentifierError::Count(0))]
#[case::twice(|d: &mut Draft| { let e = d.extension(&oid::EXT_ACME_IDENTIFIER).clone(); d.extensions.push(e); }, AcmeIdentifierError::Count(2))]
#[case::short(|d: &mut Draft| { let v = &mut d.extension(&oid::EXT_ACME_IDENTIFIER).value; v.pop(); v[1] -= 1; }, AcmeIdentifierError::Digest)]
#[case::not_wrapped(|d: &mut Draft| d.extension(&oid::EXT_ACME_IDENTIFIER).value = vec![7; 32], AcmeIdentifierError::Digest)]
#[case::trailing(|d: &mut Draft| d.extension(&oid::EXT_ACME_IDENTIFIER).value.push(0), AcmeIdentifierError::Digest)]
#[case::no_name(|d: &mut Draft| d.drop_extension(&oid::EXT_SUBJECT_ALT_NAME), AcmeIdentifierError::Names(0))]
#[case::two_names(|d: &mut Draft| { let v = &mut d.extension(&oid::EXT_SUBJECT_ALT_NAME).value; v.extend(*b"\x82\x01a"); v[1] += 3; }, AcmeIdentifierError::Names(2))]
fn a_certificate_in_another_form_is_no_answer(
    #[case] breaks: fn(&mut Draft),
    #[case] expected: AcmeIdentifierError,
) {
    let authority = Authority::root(KeyAlgorithm::EcP256);
    let mut draft = Draft::of(&challenge_tbs(&authority));
    breaks(&mut draft);
    let der = certificate::sign(&draft.encode(), &authority.key).unwrap();
    assert_eq!(acme_identifier::read(&der), Err(expected));
}
