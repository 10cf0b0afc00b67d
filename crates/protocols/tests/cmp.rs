//! CMP messages: those of OpenSSL are read and verified, ours read back, hostile ones are refused.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::time::Duration;

use pki::certificate::Certificate;
use pki::crmf::{self, CertReqMsg, IssuerAndSerial, Possession, ProofOfPossession, Wish};
use pki::key::{KeyAlgorithm, LocalKey};
use pki::name::{DistinguishedName, GeneralName};
use pki::revocation::RevocationReason;
use pki::serial::Serial;
use proptest::prelude::*;
use protocols::cmp::{
    Body, BodyKind, CertRepMessage, CertResponse, CertStatus, CmpError, FailInfo, Header, Info,
    MacParameters, Message, Operation, PollRep, Protection, ProtectionError, Protector,
    RequestKind, RevocationAnswer, RevocationWish, StatusInfo,
};

/// What OpenSSL 3.0 and its mock server wrote; the shared secret is `test`.
const UNDER_A_MAC: [(&str, &[u8]); 8] = [
    ("ir", include_bytes!("cmp/mac-ir.der")),
    ("ip", include_bytes!("cmp/mac-ip-waiting.der")),
    ("pollReq", include_bytes!("cmp/mac-pollreq.der")),
    ("ip", include_bytes!("cmp/mac-ip.der")),
    ("certConf", include_bytes!("cmp/mac-certconf.der")),
    ("pkiconf", include_bytes!("cmp/mac-pkiconf.der")),
    ("genm", include_bytes!("cmp/mac-genm.der")),
    ("genp", include_bytes!("cmp/mac-genp.der")),
];

const SIGNED: [(&str, &[u8]); 4] = [
    ("kur", include_bytes!("cmp/signed-kur.der")),
    ("kup", include_bytes!("cmp/signed-kup.der")),
    ("rr", include_bytes!("cmp/signed-rr.der")),
    ("rp", include_bytes!("cmp/signed-rp.der")),
];

#[test]
fn messages_of_openssl_under_a_mac_are_read_and_verified() {
    for (name, der) in UNDER_A_MAC {
        let message = Message::from_der(der).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(message.kind.map(BodyKind::as_str), Some(name));
        message
            .body()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let Ok(Protection::Mac(parameters)) = message.protection_kind() else {
            panic!("{name}: {:?}", message.protection_kind());
        };
        assert!(message.is_authentic(&parameters, b"test"), "{name}");
        assert!(!message.is_authentic(&parameters, b"tests"), "{name}");
    }
}

#[test]
fn signed_messages_of_openssl_are_read_and_verified_where_the_signer_is_there() {
    for (name, der) in SIGNED {
        let message = Message::from_der(der).unwrap();
        assert_eq!(message.kind.map(BodyKind::as_str), Some(name));
        message
            .body()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let Ok(Protection::Signature(algorithm)) = message.protection_kind() else {
            panic!("{name}: {:?}", message.protection_kind());
        };
        let signature = message.protection.clone().unwrap();
        for der in message.extra_certs.iter().take(1) {
            let signer = Certificate::from_der(der).unwrap();
            let verified =
                signer
                    .public_key
                    .verify(algorithm, message.protected_part(), &signature);
            assert_eq!(verified, Ok(()), "{name}");
        }
    }
}

#[test]
fn the_request_of_openssl_proves_its_key_and_its_answer_waits() {
    let message = Message::from_der(UNDER_A_MAC[0].1).unwrap();
    let Body::Request(RequestKind::Initialization, request) = message.body().unwrap() else {
        panic!("no ir");
    };
    let csr = request.to_csr(false).unwrap();
    assert_eq!(csr.subject.common_name(), Some("ee.example.org"));
    let names = [GeneralName::Dns("ee.example.org".to_owned())];
    assert_eq!(csr.subject_alt_names, names);
    let answer = Message::from_der(UNDER_A_MAC[1].1).unwrap();
    assert_eq!(answer.header.recipient_nonce, message.header.sender_nonce);
    let update = Message::from_der(SIGNED[0].1).unwrap();
    let Body::Request(RequestKind::KeyUpdate, update) = update.body().unwrap() else {
        panic!("no kur");
    };
    assert!(update.old_certificate.is_some());
}

fn key() -> LocalKey {
    LocalKey::generate(KeyAlgorithm::EcP256).unwrap()
}

fn request(possession: &Possession<'_>) -> CertReqMsg {
    let names = [GeneralName::Dns("a.example".to_owned())];
    let named = named();
    let wish = Wish {
        request_id: 7,
        subject: &DistinguishedName::parse("CN=a.example").unwrap(),
        subject_alt_names: &names,
        extensions: &[],
        old_certificate: Some(&named),
    };
    CertReqMsg::from_der(&crmf::build(&wish, possession).unwrap()).unwrap()
}

fn named() -> IssuerAndSerial {
    IssuerAndSerial {
        issuer: DistinguishedName::parse("CN=CA,O=Example").unwrap(),
        serial: Serial::from_be_octets(&[0x80, 1]).unwrap(),
    }
}

fn bodies(key: &LocalKey) -> Vec<Body> {
    let certificate = include_bytes!("cmp/mac-ip.der");
    let certificate = match Message::from_der(certificate).unwrap().body().unwrap() {
        Body::Response(_, response) => response.response.certificate.unwrap(),
        other => panic!("{other:?}"),
    };
    let response = |status, certificate| CertRepMessage {
        ca_pubs: vec![],
        response: CertResponse {
            request_id: -1,
            status,
            certificate,
        },
    };
    let refused = StatusInfo::rejection(FailInfo::DuplicateCertReq, "nö");
    let read = Certificate::from_der(&certificate).unwrap();
    vec![
        Body::Request(
            RequestKind::KeyUpdate,
            Box::new(request(&Possession::Key(key))),
        ),
        Body::Response(
            BodyKind::CertificationResponse,
            response(StatusInfo::accepted(), Some(certificate)),
        ),
        Body::Response(BodyKind::KeyUpdateResponse, response(refused.clone(), None)),
        Body::Revocation(Box::new(RevocationWish::new(
            named(),
            RevocationReason::Superseded,
        ))),
        Body::RevocationAnswer(RevocationAnswer {
            status: StatusInfo::accepted(),
            certificate: Some(named()),
        }),
        Body::Confirmed,
        Body::Nested(UNDER_A_MAC[6].1.to_vec()),
        Body::GeneralRequest(vec![Info::implicit_confirm(), Info::cert_profile("p")]),
        Body::GeneralResponse(vec![]),
        Body::Error(refused),
        Body::Confirmation(Some(CertStatus::accept(0, &read))),
        Body::Confirmation(None),
        Body::PollRequest(-1),
        Body::PollResponse(PollRep {
            request_id: 0,
            check_after: Duration::from_secs(3600),
            reason: vec!["people decide".to_owned()],
        }),
    ]
}

#[test]
fn every_message_reads_back_under_every_protection() {
    let key = key();
    let header = Header {
        version: 2,
        sender: GeneralName::Email("a@example.org".into()).to_der().unwrap(),
        recipient: GeneralName::Directory(named().issuer).to_der().unwrap(),
        time: Some("2026-11-23T12:00:00Z".parse().unwrap()),
        sender_key_id: Some(vec![1]),
        recipient_key_id: Some(vec![2]),
        transaction_id: Some(vec![3; 16]),
        sender_nonce: Some(vec![4; 16]),
        recipient_nonce: Some(vec![5; 16]),
        free_text: vec!["hello".to_owned()],
        general_info: vec![Info::implicit_confirm()],
        ..Header::default()
    };
    let macs = [
        MacParameters::pbmac1([1; 16]),
        MacParameters::password_based([1; 16]),
    ];
    for body in bodies(&key) {
        for parameters in &macs {
            let protector = Protector::Mac {
                parameters,
                secret: b"secret",
            };
            let der = Message::build(header.clone(), &body, &protector, &[]).unwrap();
            let read = Message::from_der(&der).unwrap();
            assert_eq!(read.body().unwrap(), body);
            assert_eq!(read.header.recipient, header.recipient);
            assert_eq!(read.header.time, header.time);
            assert_eq!(read.header.general_info, header.general_info);
            assert_eq!(
                read.protection_kind(),
                Ok(Protection::Mac(parameters.clone()))
            );
            assert!(read.is_authentic(parameters, b"secret"));
            assert!(!read.is_authentic(parameters, b"Secret"));
        }
        let der = Message::build(header.clone(), &body, &Protector::Key(&key), &[]).unwrap();
        let read = Message::from_der(&der).unwrap();
        assert_eq!(read.body().unwrap(), body);
    }
}

#[test]
fn possession_is_proven_by_the_key_or_by_an_authority_that_is_trusted() {
    let (key, other) = (key(), key());
    let signed = request(&Possession::Key(&key));
    assert!(signed.to_csr(false).is_ok());
    let mut stolen = signed.der.clone();
    let place = stolen.len() - 1;
    stolen[place] ^= 1;
    let stolen = CertReqMsg::from_der(&stolen).unwrap();
    let refused = CmpError::from(stolen.to_csr(true).unwrap_err());
    assert_eq!(refused.fail_info(), FailInfo::BadPop);
    let vouched = request(&Possession::Authority(pki::key::SigningKey::public_key(
        &other,
    )));
    assert_eq!(vouched.proof, ProofOfPossession::RaVerified);
    assert!(vouched.to_csr(true).is_ok());
    let refused = CmpError::from(vouched.to_csr(false).unwrap_err());
    assert_eq!(refused.fail_info(), FailInfo::NotAuthorized);
    // What was accepted is read again without a proof, as PKCS #10 is.
    assert!(pki::csr::Csr::accepted(&vouched.der).is_ok());
    assert!(pki::csr::Csr::from_der(&vouched.der).is_err());
}

#[test]
fn parameters_that_are_weak_or_costly_are_refused_before_they_are_used() {
    let costly = |iterations| {
        let mut parameters = MacParameters::pbmac1([1; 16]);
        if let MacParameters::Pbmac1 { iterations: i, .. } = &mut parameters {
            *i = iterations;
        }
        MacParameters::from_der(&parameters.to_der())
    };
    assert_eq!(costly(99), Err(ProtectionError::Iterations(99)));
    assert_eq!(costly(100_001), Err(ProtectionError::Iterations(100_001)));
    assert!(costly(100_000).is_ok());
    let mut short = MacParameters::password_based([1; 16]);
    if let MacParameters::PasswordBased { salt, .. } = &mut short {
        salt.truncate(7);
    }
    let short = MacParameters::from_der(&short.to_der());
    assert_eq!(short, Err(ProtectionError::Salt(7)));
}

#[test]
fn a_protection_that_is_named_and_missing_or_the_other_way_round_is_refused() {
    let body = Body::Confirmed;
    let der = Message::build(Header::default(), &body, &Protector::None, &[]).unwrap();
    let mut message = Message::from_der(&der).unwrap();
    assert_eq!(message.protection_kind(), Ok(Protection::None));
    message.protection = Some(vec![1]);
    assert_eq!(message.protection_kind(), Err(ProtectionError::Half));
}

#[test]
fn paths_name_operations_and_take_what_belongs_to_them() {
    let begun = Operation::from_label("initialization").unwrap();
    assert!(begun.takes(BodyKind::InitializationRequest));
    assert!(begun.takes(BodyKind::PollRequest));
    assert!(!begun.takes(BodyKind::RevocationRequest));
    assert_eq!(Operation::from_label("Initialization"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn n07_any_octets_are_read_as_a_cmp_message_without_a_panic(octets: Vec<u8>) {
        if let Ok(message) = Message::from_der(&octets) {
            let _ = message.body();
        }
        let _ = MacParameters::from_der(&octets);
        let _ = CertReqMsg::from_der(&octets);
    }
}

#[test]
fn n07_cmp_messages_broken_anywhere_are_read_or_refused() {
    for (name, sample) in UNDER_A_MAC.into_iter().chain(SIGNED) {
        let mut refused = 0;
        for place in 0..sample.len() {
            for change in [0x01, 0x20, 0x80, 0xff] {
                let mut broken = sample.to_vec();
                broken[place] ^= change;
                let read = Message::from_der(&broken);
                refused += usize::from(read.is_err());
                if let Ok(message) = read {
                    if let Ok(Body::Request(_, request)) = message.body() {
                        drop(request.to_csr(true));
                    }
                    let _ = message.protection_kind();
                }
            }
            assert!(Message::from_der(&sample[..place]).is_err(), "{name}");
        }
        assert!(refused > sample.len() / 8, "{name}: {refused}");
    }
}
