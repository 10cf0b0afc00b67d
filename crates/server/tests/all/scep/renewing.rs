//! What the holder of a certificate may: RenewalReq, GetCert, GetCRL.

use pki::crl::Crl;
use protocols::scep::payload::IssuerAndSerial;
use protocols::scep::{FailInfo, MessageType, PkiStatus};
use reqwest::Method;
use serde_json::json;

use super::support::{Device, Scep, leaf, refused};

async fn enrolled(scep: &Scep, name: &str) -> Device {
    let password = scep.password(json!({})).await;
    let device = Device::new();
    let certificate = leaf(&scep.enroll(name, &password, &device, &[name]).await);
    Device {
        certificate,
        ..device
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_certificate_renews_itself_with_a_new_key_and_the_same_names_only() {
    let scep = Scep::start().await;
    let device = enrolled(&scep, "a.example.org").await;
    let next = Device::new();
    let other = next.csr(None, &["b.example.org"]);
    let reply = scep.ask(MessageType::Renewal, "R1", &other, &device).await;
    refused(&reply, "have to be the same");
    let same = next.csr(None, &["a.example.org"]);
    let renewed = leaf(&scep.ask(MessageType::Renewal, "R2", &same, &device).await);
    let before = scep.est.inventory(&device.certificate).await;
    let after = scep.est.inventory(&renewed).await;
    assert_eq!(before["replaced_by"], after["id"]);
    // Who has no certificate of ours renews nothing.
    let stranger = Device::new();
    let reply = scep.ask(MessageType::Renewal, "R3", &same, &stranger).await;
    refused(&reply, "not issued by a CA");
    let rules = json!({ "renewal": false });
    scep.est
        .operate(Method::PUT, "scep/services/phones", rules)
        .await;
    let reply = scep.ask(MessageType::Renewal, "R4", &same, &device).await;
    refused(&reply, "do not renew themselves");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_renews_nothing() {
    let scep = Scep::start().await;
    let device = enrolled(&scep, "a.example.org").await;
    let entry = scep.est.inventory(&device.certificate).await;
    let path = format!("certificates/{}/revoke", entry["id"].as_str().unwrap());
    scep.est
        .operate(Method::POST, &path, json!({ "reason": "keyCompromise" }))
        .await;
    let csr = Device::new().csr(None, &["a.example.org"]);
    let reply = scep.ask(MessageType::Renewal, "R1", &csr, &device).await;
    refused(&reply, "revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_and_revocation_lists_are_found_by_issuer_and_serial() {
    let scep = Scep::start().await;
    let device = enrolled(&scep, "a.example.org").await;
    let wanted = IssuerAndSerial {
        issuer: device.certificate.issuer_der.clone(),
        serial: device.certificate.serial.clone(),
    };
    let kind = MessageType::GetCertificate;
    let found = scep.ask(kind, "G1", &wanted.to_der(), &device).await;
    assert_eq!(leaf(&found), device.certificate);
    let (_, bundle) = scep
        .ask(MessageType::GetCrl, "G2", &wanted.to_der(), &device)
        .await;
    let crl = Crl::from_der(&bundle.unwrap().crls[0]).unwrap();
    assert!(crl.is_signed_with(&scep.ca.public_key));
    let none = IssuerAndSerial {
        serial: pki::serial::Serial::from_be_octets(&[1]).unwrap(),
        ..wanted.clone()
    };
    let (reply, _) = scep.ask(kind, "G3", &none.to_der(), &device).await;
    let status = Some(PkiStatus::Failure(Some(FailInfo::BadCertificateId)));
    assert_eq!(reply.status, status);
    // Only who holds a certificate looks any up.
    let stranger = Device::new();
    let reply = scep.ask(kind, "G4", &wanted.to_der(), &stranger).await;
    refused(&reply, "not issued by a CA");
}
