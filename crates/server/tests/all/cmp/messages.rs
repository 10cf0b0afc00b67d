//! Messages made by hand: what clients of others do not send, and what nobody may send.

use pki::certificate::Certificate;
use pki::crmf::{IssuerAndSerial, Possession};
use pki::key::SigningKey;
use pki::revocation::RevocationReason;
use protocols::cmp::{
    Body, BodyKind, CertStatus, FailInfo, Info, MacParameters, Message, PkiStatus, Protector,
    RequestKind, RevocationWish, StatusInfo, info_type,
};
use reqwest::StatusCode;
use serde_json::json;

use super::support::{Plant, Secret, crmf, following, header, new_key, request, self_signed};

const NAME: &str = "m1.plant.example.org";

fn initial(key: &pki::key::LocalKey) -> Body {
    request(RequestKind::Initialization, key, &[NAME])
}

/// The failure that a message says, wherever it says it.
fn failure(answer: &Message) -> FailInfo {
    let status = match answer.body().unwrap() {
        Body::Error(status) => status,
        Body::Response(_, response) => response.response.status,
        Body::RevocationAnswer(answer) => answer.status,
        other => panic!("{other:?}"),
    };
    assert_eq!(status.status, PkiStatus::Rejection, "{status:?}");
    assert!(!status.text.is_empty(), "a person is told why");
    status.failures[0]
}

fn issued(answer: &Message) -> Certificate {
    match answer.body().unwrap() {
        Body::Response(_, response) => {
            let status = response.response.status.describe();
            let der = response.response.certificate;
            Certificate::from_der(&der.unwrap_or_else(|| panic!("{status}"))).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn pbmac1_is_answered_with_pbmac1_and_an_implicit_confirmation_is_granted() {
    let plant = Plant::start().await;
    let secret = plant.secret("line-1", json!({})).await;
    let (key, asked) = (new_key(), header(1));
    let body = initial(&key);
    let answer = plant.ask(secret.protect(asked.clone(), &body)).await;
    assert!(secret.accepts(&answer));
    assert_eq!(answer.kind, Some(BodyKind::InitializationResponse));
    assert_eq!(answer.header.recipient_nonce, asked.sender_nonce);
    assert_eq!(answer.header.transaction_id, asked.transaction_id);
    assert!(answer.header.is_implicitly_confirmed());
    assert_eq!(&issued(&answer).public_key, key.public_key());
    // The same once more is the same certificate, not a second one.
    let again = plant.ask(secret.protect(asked, &body)).await;
    assert_eq!(issued(&again), issued(&answer));
    // Another request in the same transaction is refused.
    let other = request(RequestKind::Initialization, &new_key(), &[NAME]);
    let other = plant.ask(secret.protect(header(1), &other)).await;
    assert_eq!(failure(&other), FailInfo::TransactionIdInUse);
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_reference_are_told_in_the_same_words() {
    let plant = Plant::start().await;
    let secret = plant.secret("line-1", json!({})).await;
    let forged = |reference: &str| Secret {
        id: String::new(),
        reference: reference.to_owned(),
        text: "guessed".to_owned(),
    };
    let mut told = Vec::new();
    for (number, secret) in [forged("line-1"), forged("line-9")].iter().enumerate() {
        let message = secret.protect(header(number as u8), &initial(&new_key()));
        let answer = plant.ask(message).await;
        assert_eq!(failure(&answer), FailInfo::BadMessageCheck);
        // The answer is signed: who has no secret can still read who refuses.
        let signer = Certificate::from_der(&answer.extra_certs[0]).unwrap();
        let algorithm = signer.public_key.kind().clone();
        let algorithm = pki::key::SignatureAlgorithm::for_key(&algorithm).unwrap();
        let signature = answer.protection.clone().unwrap();
        let verified = signer
            .public_key
            .verify(algorithm, answer.protected_part(), &signature);
        assert_eq!(verified, Ok(()));
        told.push(answer.body().unwrap());
    }
    assert_eq!(told[0], told[1]);
    // A revoked one is told so, by who knows it.
    let path = format!("/api/v1/cmp/secrets/{}/revoke", secret.id);
    plant.call(reqwest::Method::POST, &path, None).await;
    let answer = plant
        .ask(secret.protect(header(7), &initial(&new_key())))
        .await;
    assert_eq!(failure(&answer), FailInfo::NotAuthorized);
}

#[tokio::test]
async fn p14_a_message_of_another_type_is_refused_before_its_protection_is_looked_at() {
    let plant = Plant::start().await;
    for body in [
        Body::Confirmed,
        Body::Nested(vec![0x30, 0]),
        Body::GeneralResponse(Vec::new()),
    ] {
        let message = Message::build(header(1), &body, &Protector::None, &[]).unwrap();
        let answer = plant.ask(message).await;
        assert_eq!(failure(&answer), FailInfo::BadRequest, "{body:?}");
    }
    let unprotected = Message::build(header(1), &initial(&new_key()), &Protector::None, &[]);
    let answer = plant.ask(unprotected.unwrap()).await;
    assert_eq!(failure(&answer), FailInfo::BadMessageCheck);
}

#[tokio::test]
async fn what_is_no_message_is_an_error_in_http_and_in_cmp() {
    let plant = Plant::start().await;
    let (status, body) = plant.post("/p/plant", b"hello".to_vec()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let answer = Message::from_der(&body).unwrap();
    assert_eq!(failure(&answer), FailInfo::BadDataFormat);
    let (status, _) = plant.post("/p/nowhere", Vec::new()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = plant.post("/p/plant/nothing", Vec::new()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = plant.post("", Vec::new()).await;
    assert_eq!(
        status,
        StatusCode::NOT_FOUND,
        "there is no endpoint `default`"
    );
    let large = vec![0x30; 300 * 1024];
    let (status, _) = plant.post("/p/plant", large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_path_that_names_an_operation_takes_no_other() {
    let plant = Plant::start().await;
    let secret = plant.secret("line-1", json!({})).await;
    let message = secret.protect(header(1), &initial(&new_key()));
    let (_, body) = plant.post("/p/plant/revocation", message.clone()).await;
    let answer = Message::from_der(&body).unwrap();
    assert_eq!(failure(&answer), FailInfo::BadRequest);
    let (_, body) = plant.post("/p/plant/initialization", message).await;
    issued(&Message::from_der(&body).unwrap());
}

#[tokio::test]
async fn iterations_that_nobody_waits_for_are_refused_without_counting_them() {
    let plant = Plant::start().await;
    let secret = plant.secret("line-1", json!({})).await;
    let mut parameters = MacParameters::pbmac1([1; 16]);
    if let MacParameters::Pbmac1 { iterations, .. } = &mut parameters {
        *iterations = 100_001;
    }
    let message = secret.protect_with(&parameters, header(1), &initial(&new_key()));
    let answer = plant.ask(message).await;
    assert_eq!(failure(&answer), FailInfo::BadAlg);
}

#[tokio::test]
async fn a_key_that_is_not_proven_is_not_certified() {
    let plant = Plant::start().await;
    let secret = plant.secret("line-1", json!({})).await;
    let key = new_key();
    let vouched = crmf(
        RequestKind::Initialization,
        &Possession::Authority(key.public_key()),
        &[NAME],
    );
    let answer = plant.ask(secret.protect(header(1), &vouched)).await;
    assert_eq!(failure(&answer), FailInfo::NotAuthorized);
    let page = plant.get("/api/v1/enrollments").await;
    assert!(
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["requester"]["kind"] != "client"),
        "{page}"
    );
}

#[tokio::test]
async fn a_registration_authority_vouches_for_keys_and_has_certificates_revoked() {
    let (key, subject_key) = (new_key(), new_key());
    let now = testkit::clock::MockClock::at_present();
    let now = domain::clock::Clock::now(&now);
    let (pem, der) = self_signed(&key, now);
    let plant = Plant::with(json!({ "authorities": [pem] })).await;
    let certificate = Certificate::from_der(&der).unwrap();
    let sign = |mut header: protocols::cmp::Header, body: &Body| {
        header.sender = pki::name::GeneralName::Directory(certificate.subject.clone())
            .to_der()
            .unwrap();
        header.sender_key_id = certificate.subject_key_identifier.clone();
        let extra = [der.clone()];
        Message::build(header, body, &Protector::Key(&key), &extra).unwrap()
    };
    let vouched = crmf(
        RequestKind::Certification,
        &Possession::Authority(subject_key.public_key()),
        &[NAME],
    );
    let answer = plant.ask(sign(header(1), &vouched)).await;
    let leaf = issued(&answer);
    assert_eq!(&leaf.public_key, subject_key.public_key());
    let named = IssuerAndSerial {
        issuer: leaf.issuer.clone(),
        serial: leaf.serial.clone(),
    };
    let wish = RevocationWish::new(named, RevocationReason::KeyCompromise);
    let wish = Body::Revocation(Box::new(wish));
    let answer = plant.ask(sign(header(2), &wish)).await;
    match answer.body().unwrap() {
        Body::RevocationAnswer(answer) => assert!(answer.status.is_granted(), "{answer:?}"),
        other => panic!("{other:?}"),
    }
    let again = plant.ask(sign(header(3), &wish)).await;
    assert_eq!(failure(&again), FailInfo::CertRevoked);
}

#[tokio::test]
async fn a_confirmation_repeats_our_nonce_and_names_the_certificate() {
    let plant = Plant::with(json!({ "implicit_confirm": false })).await;
    let secret = plant.secret("line-1", json!({})).await;
    let answer = plant
        .ask(secret.protect(header(1), &initial(&new_key())))
        .await;
    assert!(!answer.header.is_implicitly_confirmed());
    assert!(answer.header.info(&info_type::CONFIRM_WAIT_TIME).is_some());
    let leaf = issued(&answer);
    let confirm = Body::Confirmation(Some(CertStatus::accept(0, &leaf)));

    let mut forgetful = following(&answer);
    forgetful.recipient_nonce = Some(vec![1; 16]);
    let refused = plant.ask(secret.protect(forgetful, &confirm)).await;
    assert_eq!(failure(&refused), FailInfo::BadRecipientNonce);
    let mut wrong = CertStatus::accept(0, &leaf);
    wrong.hash[0] ^= 1;
    let wrong = Body::Confirmation(Some(wrong));
    let refused = plant.ask(secret.protect(following(&answer), &wrong)).await;
    assert_eq!(failure(&refused), FailInfo::BadCertId);
    let other = plant.secret("line-2", json!({})).await;
    let refused = plant.ask(other.protect(following(&answer), &confirm)).await;
    assert_eq!(
        failure(&refused),
        FailInfo::BadRequest,
        "it is another's transaction"
    );

    let taken = plant
        .ask(secret.protect(following(&answer), &confirm))
        .await;
    assert_eq!(taken.kind, Some(BodyKind::Confirmed));
}

#[tokio::test]
async fn a_certificate_that_the_requester_does_not_take_is_revoked() {
    let plant = Plant::with(json!({ "implicit_confirm": false })).await;
    let secret = plant.secret("line-1", json!({})).await;
    let answer = plant
        .ask(secret.protect(header(1), &initial(&new_key())))
        .await;
    let mut status = CertStatus::accept(0, &issued(&answer));
    status.status = Some(StatusInfo::rejection(FailInfo::IncorrectData, "not mine"));
    let refuse = Body::Confirmation(Some(status));
    let done = plant.ask(secret.protect(following(&answer), &refuse)).await;
    assert_eq!(done.kind, Some(BodyKind::Confirmed));
    let page = plant.get("/api/v1/certificates?status=revoked").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "{page}");
}

#[tokio::test]
async fn a_secret_opens_its_names_only_and_what_breaks_a_rule_is_told() {
    let plant = Plant::start().await;
    let more = json!({ "allowed_names": [".plant.example.org"] });
    let secret = plant.secret("line-1", more).await;
    let other = request(
        RequestKind::Initialization,
        &new_key(),
        &["www.example.org"],
    );
    let answer = plant.ask(secret.protect(header(1), &other)).await;
    assert_eq!(failure(&answer), FailInfo::NotAuthorized);
    let update = request(RequestKind::KeyUpdate, &new_key(), &[NAME]);
    let answer = plant.ask(secret.protect(header(2), &update)).await;
    assert_eq!(failure(&answer), FailInfo::WrongIntegrity);
    let weak = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::Ed25519).unwrap();
    let answer = plant.ask(secret.protect(header(3), &initial(&weak))).await;
    match answer.body().unwrap() {
        // Some profiles take it; then it is certified.
        Body::Response(_, response) if response.response.status.is_granted() => {}
        _ => assert_eq!(failure(&answer), FailInfo::BadCertTemplate),
    }
}

#[tokio::test]
async fn a_message_from_another_time_is_refused() {
    let plant = Plant::start().await;
    let secret = plant.secret("line-1", json!({})).await;
    let mut late = header(1);
    let now = plant.server.lifecycle().now();
    late.time = Some(now - std::time::Duration::from_secs(3600));
    let answer = plant.ask(secret.protect(late, &initial(&new_key()))).await;
    assert_eq!(failure(&answer), FailInfo::BadTime);
}

#[tokio::test]
async fn general_messages_give_certificates_crls_and_the_template_of_requests() {
    let plant = Plant::start().await;
    plant.server.run_jobs().await;
    let secret = plant.secret("line-1", json!({})).await;
    let ask = |number: u8, info: Info| {
        let message = secret.protect(header(number), &Body::GeneralRequest(vec![info]));
        let plant = &plant;
        async move {
            match plant.ask(message).await.body().unwrap() {
                Body::GeneralResponse(infos) => infos,
                other => panic!("{other:?}"),
            }
        }
    };
    let infos = ask(1, Info::new(&info_type::CA_CERTS, None)).await;
    let certificates = infos[0].elements().unwrap();
    assert_eq!(certificates.len(), 2, "issuing CA and root");
    let ca = Certificate::from_der(&certificates[0]).unwrap();
    let infos = ask(2, Info::new(&info_type::CURRENT_CRL, None)).await;
    assert!(infos[0].value.is_some());
    let infos = ask(3, Info::new(&info_type::CERT_REQ_TEMPLATE, None)).await;
    assert!(infos[0].is(&info_type::CERT_REQ_TEMPLATE) && infos[0].value.is_some());
    let known = pki::asn1::Writer::encode(|w| {
        w.sequence(|w| {
            w.sequence(|w| {
                w.constructed(1, |w| {
                    w.sequence(|w| w.constructed(4, |w| w.raw(&ca.subject.to_der())));
                });
            });
        });
    });
    let infos = ask(4, Info::new(&info_type::CRL_STATUS_LIST, Some(known))).await;
    assert!(infos[0].is(&info_type::CRLS) && infos[0].value.is_some());
    let root = Info::new(&info_type::ROOT_CA_CERT, Some(certificates[1].clone()));
    let infos = ask(5, root).await;
    assert!(infos[0].is(&info_type::ROOT_CA_KEY_UPDATE) && infos[0].value.is_none());
}
