//! OCSP requests are read within bounds, and answers say what they must.

use std::time::Duration;

use data_encoding::{BASE64, BASE64_MIME};
use pki::asn1::{Reader, Writer, tag};
use pki::certificate::Certificate;
use pki::key::{KeyAlgorithm, SigningKey};
use pki::ocsp::{
    self, CertStatus, ErrorStatus, OcspDigest, OcspIssuer, OcspRequest, OcspRequestError,
    ResponseContent, SingleResponse,
};
use pki::oid;
use pki::revocation::RevocationReason;
use rstest::rstest;

use crate::fixture::{Authority, now};

/// What a responder does: the first known certificate is good, the second revoked.
pub fn answer(
    request: &[u8],
    issuer: &Certificate,
    [good, revoked]: [&Certificate; 2],
    (key, certificates): (&dyn SigningKey, &[&Vec<u8>]),
) -> Vec<u8> {
    let request = OcspRequest::from_der(request).unwrap();
    let issuer = OcspIssuer::from_certificate(issuer);
    let responses = request.cert_ids.into_iter().map(|cert_id| {
        assert!(issuer.matches(&cert_id));
        let status = if cert_id.serial == good.serial {
            CertStatus::Good
        } else if cert_id.serial == revoked.serial {
            CertStatus::Revoked {
                at: now(),
                reason: RevocationReason::Superseded,
            }
        } else {
            CertStatus::Unknown
        };
        SingleResponse {
            cert_id,
            status,
            this_update: now(),
            next_update: now() + Duration::from_secs(86_400),
        }
    });
    let content = ResponseContent {
        produced_at: now(),
        responses: responses.collect(),
        nonce: request.nonce,
    };
    let certificates: Vec<&[u8]> = certificates.iter().map(|der| der.as_slice()).collect();
    ocsp::sign(&content, key, &certificates).unwrap()
}

fn cert_id(
    w: &mut Writer,
    digest: &const_oid::ObjectIdentifier,
    hashes: [&[u8]; 2],
    serial: &[u8],
) {
    w.sequence(|w| {
        w.sequence(|w| {
            w.oid(digest);
            w.null();
        });
        hashes.iter().for_each(|hash| w.octet_string(hash));
        w.unsigned(serial);
    });
}

/// A request about so many certificates of nobody, with a nonce of this length.
fn request(certificates: usize, nonce: Option<usize>) -> Vec<u8> {
    Writer::encode(|w| {
        w.sequence(|w| {
            w.sequence(|w| {
                w.sequence(|w| {
                    for serial in 0..certificates {
                        let serial = (serial as u32 + 1).to_be_bytes();
                        w.sequence(|w| cert_id(w, &oid::SHA1, [&[0; 20]; 2], &serial));
                    }
                });
                if let Some(length) = nonce {
                    w.constructed(2, |w| w.sequence(|w| write_nonce(w, &vec![7; length])));
                }
            });
        });
    })
}

fn write_nonce(w: &mut Writer, nonce: &[u8]) {
    w.sequence(|w| {
        w.oid(&oid::OCSP_NONCE);
        w.octet_string_of(|w| w.octet_string(nonce));
    });
}

#[rstest]
#[case(1)]
#[case(32)]
#[case(128)]
fn p15_a_nonce_of_allowed_length_is_read(#[case] length: usize) {
    let read = OcspRequest::from_der(&request(1, Some(length))).unwrap();
    assert_eq!(read.nonce, Some(vec![7; length]));
}

#[rstest]
#[case(0)]
#[case(129)]
fn p15_a_nonce_of_another_length_is_malformed(#[case] length: usize) {
    assert_eq!(
        OcspRequest::from_der(&request(1, Some(length))),
        Err(OcspRequestError::Nonce(length))
    );
}

#[test]
fn the_number_of_certificates_is_bounded() {
    assert_eq!(
        OcspRequest::from_der(&request(100, None))
            .unwrap()
            .cert_ids
            .len(),
        100
    );
    assert!(OcspRequest::from_der(&request(101, None)).is_err());
    assert_eq!(
        OcspRequest::from_der(&request(0, None)),
        Err(OcspRequestError::Empty)
    );
    let size = 17 * 1024;
    assert_eq!(
        OcspRequest::from_der(&vec![0x30; size]),
        Err(OcspRequestError::TooLarge(size))
    );
}

#[test]
fn p15_get_and_post_are_the_same_request() {
    let der = request(2, Some(16));
    let posted = OcspRequest::from_der(&der).unwrap();
    let base64 = BASE64.encode(&der);
    let encoded = base64
        .replace('+', "%2B")
        .replace('/', "%2f")
        .replace('=', "%3D");
    assert_eq!(OcspRequest::from_get_path(&base64).unwrap(), posted);
    assert_eq!(OcspRequest::from_get_path(&encoded).unwrap(), posted);
    for path in [
        "",
        "%",
        "%4",
        "%zz",
        "not base64",
        &BASE64_MIME.encode(&der),
    ] {
        assert!(OcspRequest::from_get_path(path).is_err(), "{path}");
    }
}

#[test]
fn an_issuer_is_known_by_both_digests_and_by_no_other() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let issuer = OcspIssuer::from_certificate(&root.certificate);
    let name = &root.certificate.subject_der;
    let key = root.certificate.public_key.key_octets();
    let digests = [
        (
            oid::SHA1,
            &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY,
            true,
        ),
        (oid::SHA256, &aws_lc_rs::digest::SHA256, true),
        (
            oid::SHA256,
            &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY,
            false,
        ),
        (oid::RSA_SHA256, &aws_lc_rs::digest::SHA256, false),
    ];
    for (algorithm, digest, matches) in digests {
        let [name, key] = [name, key].map(|octets| aws_lc_rs::digest::digest(digest, octets));
        let der = Writer::encode(|w| {
            w.sequence(|w| {
                w.sequence(|w| {
                    w.sequence(|w| {
                        w.sequence(|w| cert_id(w, &algorithm, [name.as_ref(), key.as_ref()], &[1]));
                    });
                });
            });
        });
        let read = OcspRequest::from_der(&der).unwrap();
        assert_eq!(issuer.matches(&read.cert_ids[0]), matches);
    }
}

#[test]
fn an_error_is_five_octets() {
    assert_eq!(
        ocsp::error_response(ErrorStatus::Unauthorized),
        [0x30, 3, 0x0a, 1, 6]
    );
    assert_eq!(
        ocsp::error_response(ErrorStatus::MalformedRequest),
        [0x30, 3, 0x0a, 1, 1]
    );
}

#[test]
fn an_answer_made_ahead_has_no_nonce_and_no_extensions() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let issuer = OcspIssuer::from_certificate(&root.certificate);
    let serial = "05".parse().unwrap();
    let request = OcspRequest {
        cert_ids: vec![issuer.cert_id(OcspDigest::Sha256, &serial)],
        nonce: None,
    };
    let der = request.to_der();
    assert_eq!(OcspRequest::from_der(&der).unwrap(), request);
    let answer = answer(
        &der,
        &root.certificate,
        [&root.certificate; 2],
        (&root.key, &[]),
    );
    let basic = basic_response(&answer);
    let mut fields = Reader::single(&basic).unwrap().open(tag::SEQUENCE).unwrap();
    let mut data = fields.sequence().unwrap();
    // responder by key, producedAt, responses, and nothing after
    assert_eq!(data.read().unwrap().tag, tag::constructed(2));
    assert_eq!(data.read().unwrap().tag, tag::GENERALIZED_TIME);
    data.sequence().unwrap();
    assert!(data.is_empty());
}

fn basic_response(answer: &[u8]) -> Vec<u8> {
    let mut outer = Reader::single(answer).unwrap().open(tag::SEQUENCE).unwrap();
    assert_eq!(outer.read().unwrap().content, [0]);
    let mut bytes = Reader::new(outer.read().unwrap().content)
        .sequence()
        .unwrap();
    assert_eq!(bytes.oid().unwrap(), oid::OCSP_BASIC.as_bytes());
    bytes.octet_string().unwrap().to_vec()
}
