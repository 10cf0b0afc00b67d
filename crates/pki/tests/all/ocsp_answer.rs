//! Answers of other responders are read, and relied on only where the CA stands behind their signer.

use pki::certificate::{Certificate, CertificateContent, ExtendedKeyUsage};
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::ocsp::{
    self, CertStatus, ErrorStatus, OcspDigest, OcspIssuer, OcspRequest, OcspResponse,
    OcspResponseError, ResponderFault,
};
use rstest::rstest;

use crate::fixture::{Authority, at, new_key, now, responder_content, server_content};

/// A CA with one certificate that is good and one that is revoked.
struct World {
    root: Authority,
    good: Certificate,
    revoked: Certificate,
}

impl World {
    fn new() -> Self {
        let root = Authority::root(KeyAlgorithm::EcP256);
        let key = new_key(KeyAlgorithm::EcP256);
        let [good, revoked] = [(); 2].map(|()| root.issue(&server_content(key.public_key())));
        Self {
            root,
            good,
            revoked,
        }
    }

    fn answer(&self, signer: &LocalKey, certificates: &[&Vec<u8>]) -> OcspResponse {
        let ids = OcspIssuer::from_certificate(&self.root.certificate);
        let both = [&self.good, &self.revoked];
        let request = OcspRequest {
            cert_ids: both
                .map(|one| ids.cert_id(OcspDigest::Sha1, &one.serial))
                .into(),
            nonce: None,
        };
        let signed = (signer as &dyn SigningKey, certificates);
        let der = crate::ocsp::answer(&request.to_der(), &self.root.certificate, both, signed);
        OcspResponse::from_der(&der).unwrap()
    }

    fn check(&self, response: &OcspResponse) -> Result<(), ResponderFault> {
        response.check_responder(&self.root.certificate, now())
    }
}

#[test]
fn what_a_ca_answers_itself_is_read_as_it_was_written() {
    let world = World::new();
    let response = world.answer(&world.root.key, &[]);
    assert_eq!(world.check(&response), Ok(()));
    let ids = OcspIssuer::from_certificate(&world.root.certificate);
    let status = |one: &Certificate| response.status_of(&ids, &one.serial).unwrap();
    assert_eq!(status(&world.good).status, CertStatus::Good);
    assert!(matches!(status(&world.revoked).status, CertStatus::Revoked { at, .. } if at == now()));
    assert_eq!(status(&world.good).this_update, now());
    assert!(status(&world.good).next_update.unwrap() > now());
    assert_eq!(
        response.status_of(&ids, &world.root.certificate.serial),
        None
    );
    let other = OcspIssuer::from_certificate(&World::new().root.certificate);
    assert_eq!(response.status_of(&other, &world.good.serial), None);
}

#[rstest]
#[case::delegated(|_: &mut CertificateContent| (), Ok(()))]
#[case::another_purpose(
    |content: &mut CertificateContent| content.extended_key_usage = vec![ExtendedKeyUsage::ServerAuth],
    Err(ResponderFault::Purpose)
)]
#[case::no_purpose(
    |content: &mut CertificateContent| content.extended_key_usage.clear(),
    Err(ResponderFault::Purpose)
)]
#[case::ended(
    |content: &mut CertificateContent| content.not_after = at("2026-11-24T00:00:00Z"),
    Err(ResponderFault::Ended)
)]
fn a_responder_needs_a_certificate_of_the_ca_for_it(
    #[case] change: fn(&mut CertificateContent),
    #[case] expected: Result<(), ResponderFault>,
) {
    let world = World::new();
    let key = new_key(KeyAlgorithm::EcP256);
    let mut content = responder_content(key.public_key());
    change(&mut content);
    let responder = world.root.issue(&content);
    let response = world.answer(&key, &[&responder.der]);
    assert_eq!(world.check(&response), expected);
}

#[test]
fn a_stranger_answers_for_nobody() {
    let (world, other) = (World::new(), World::new());
    let key = new_key(KeyAlgorithm::EcP256);
    let responder = other.root.issue(&responder_content(key.public_key()));
    let response = world.answer(&key, &[&responder.der]);
    assert_eq!(world.check(&response), Err(ResponderFault::Stranger));
    let response = world.answer(&key, &[]);
    assert_eq!(world.check(&response), Err(ResponderFault::Unsigned));
    // The right certificate beside a signature of another key.
    let own = new_key(KeyAlgorithm::EcP256);
    let right = world.root.issue(&responder_content(own.public_key()));
    let response = world.answer(&key, &[&right.der]);
    assert_eq!(world.check(&response), Err(ResponderFault::Unsigned));
}

#[test]
fn what_is_no_answer_is_told_from_one_without_content() {
    let refused = ocsp::error_response(ErrorStatus::TryLater);
    let error = OcspResponse::from_der(&refused).unwrap_err();
    assert_eq!(error, OcspResponseError::Refused(ErrorStatus::TryLater));
    assert_eq!(error.to_string(), "the responder answers `tryLater`");
    for octets in [
        &b""[..],
        b"<html>",
        &[0x30, 3, 0x0a, 1, 9],
        &[0x30, 3, 0x0a, 1, 0],
    ] {
        let error = OcspResponse::from_der(octets).unwrap_err();
        assert!(matches!(error, OcspResponseError::Der(_)), "{error}");
    }
    let long = vec![0; 300_000];
    let error = OcspResponse::from_der(&long).unwrap_err();
    assert_eq!(error, OcspResponseError::TooLarge(300_000));
}
