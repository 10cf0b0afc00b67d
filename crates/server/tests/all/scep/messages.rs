//! Messages that are not answered, or answered with a no: before anything else runs.

use pki::asn1::Writer;
use pki::cms::{self, Draft};
use pki::key::{KeyAlgorithm, LocalKey};
use pki::{oid, random::SystemRandom};
use protocols::scep::{FailInfo, MessageType, PkiStatus};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::support::{Device, Scep, leaf, refused};

#[tokio::test(flavor = "multi_thread")]
async fn p14_every_other_message_type_is_refused_before_authorisation() {
    let scep = Scep::start().await;
    let password = scep.password(json!({ "max_uses": 1 })).await;
    let device = Device::new();
    let csr = device.csr(Some(&password), &["phone.example.org"]);
    let random = SystemRandom::new();
    let cipher = cms::ContentCipher::Aes128Cbc;
    let envelope = cms::encrypt(&csr, &scep.ra, cipher, &random).unwrap();
    let printable = |text: &str| Writer::encode(|w| w.tlv(0x13, text.as_bytes()));
    let arc = |last: u32| {
        let text = format!("2.16.840.1.113733.1.9.{last}");
        text.parse().unwrap()
    };
    for kind in ["18", "0", "3", "1", "4", "23", "019", "19 ", ""] {
        let attributes = [
            (arc(2), printable(kind)),
            (arc(7), printable("T1")),
            (arc(5), Writer::encode(|w| w.octet_string(&[7; 16]))),
        ];
        let draft = Draft {
            content_type: &oid::CMS_DATA,
            content: &envelope,
            attributes: &attributes,
            signer: &device.certificate,
            chain: &[],
        };
        let message = cms::sign(&draft, &device.key).unwrap();
        let (status, reply) = scep.post(message).await;
        if kind == "3" {
            // A reply is known, and no request.
            refused(&scep.read(&reply, &device), "no request");
            continue;
        }
        assert_eq!(status, StatusCode::BAD_REQUEST, "{kind}");
        let text = String::from_utf8(reply).unwrap();
        assert!(text.contains("not known here"), "{text}");
    }
    // Nothing was asked for, and the password is as new.
    let page = scep
        .est
        .operate(Method::GET, "enrollments", Value::Null)
        .await;
    assert_eq!(page["items"], json!([]));
    leaf(
        &scep
            .enroll("T1", &password, &device, &["phone.example.org"])
            .await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_right_is_no_message() {
    let scep = Scep::start().await;
    let device = Device::new();
    let csr = device.csr(Some("x"), &["phone.example.org"]);
    let message = scep.message(MessageType::Enrollment, "T1", &csr, &device);
    // The signature, and what is signed.
    for at in [message.len() - 1, 300] {
        let mut changed = message.clone();
        changed[at] ^= 1;
        let (status, _) = scep.post(changed).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{at}");
    }
    let (status, _) = scep.post(Vec::new()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = scep.post(vec![0x30; 300_000]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_signed_with_another_key_than_its_csrs_is_refused() {
    let scep = Scep::start().await;
    let password = scep.password(json!({})).await;
    let (device, other) = (Device::new(), Device::new());
    let csr = device.csr(Some(&password), &["phone.example.org"]);
    let reply = scep.ask(MessageType::Enrollment, "T1", &csr, &other).await;
    refused(&reply, "not signed with the key of its CSR");
    let status = Some(PkiStatus::Failure(Some(FailInfo::BadMessageCheck)));
    assert_eq!(reply.0.status, status);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_without_an_rsa_key_is_told_that_it_needs_one() {
    let scep = Scep::start().await;
    let password = scep.password(json!({})).await;
    let device = Device::with(LocalKey::generate(KeyAlgorithm::EcP256).unwrap());
    let csr = device.csr(Some(&password), &["phone.example.org"]);
    let message = scep.message(MessageType::Enrollment, "T1", &csr, &device);
    let (status, reply) = scep.post(message).await;
    assert_eq!(status, StatusCode::OK);
    let reply = scep.read(&reply, &device);
    refused(&reply, "RSA");
    let status = Some(PkiStatus::Failure(Some(FailInfo::BadAlgorithm)));
    assert_eq!(reply.0.status, status);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_for_another_key_than_the_authoritys_is_not_read() {
    let scep = Scep::start().await;
    let password = scep.password(json!({})).await;
    let device = Device::new();
    let csr = device.csr(Some(&password), &["phone.example.org"]);
    let elsewhere = Scep::start().await;
    let message = elsewhere.message(MessageType::Enrollment, "T1", &csr, &device);
    let (_, reply) = scep.post(message).await;
    refused(
        &scep.read(&reply, &device),
        "not encrypted for this certificate",
    );
}
