//! First certificates: PKCSReq, CertPoll, and what a challenge password opens.

use pki::key::SigningKey;
use protocols::scep::PkiStatus;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::support::{Device, Scep, leaf, refused};

#[tokio::test(flavor = "multi_thread")]
async fn p14_capabilities_name_what_is_strong_and_nothing_else() {
    let scep = Scep::start().await;
    let (status, text) = scep.get("operation=GetCACaps").await;
    assert_eq!(status, StatusCode::OK);
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "AES",
            "POSTPKIOperation",
            "Renewal",
            "SCEPStandard",
            "SHA-256",
            "SHA-384",
            "SHA-512"
        ]
    );
    assert!(scep.ra.is_signed_by(&scep.ca));
    let (status, _) = scep.get("operation=GetNextCACert").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = scep.get("operation=Other").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = scep.get("").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let url = format!("{}/scep/none?operation=GetCACaps", scep.est.server.url());
    assert_eq!(reqwest::get(url).await.unwrap().status().as_u16(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_one_time_challenge_enrolls_one_device_and_a_transaction_is_one_enrollment() {
    let scep = Scep::start().await;
    let password = scep.password(json!({ "max_uses": 1 })).await;
    let device = Device::new();
    let names = &["phone.example.org"];
    let first = leaf(&scep.enroll("T1", &password, &device, names).await);
    assert_eq!(first.public_key, *device.key.public_key());
    assert!(first.is_signed_by(&scep.ca));
    let again = leaf(&scep.enroll("T1", &password, &device, names).await);
    assert_eq!(again, first);
    assert_eq!(leaf(&scep.poll("T1", &device).await), first);
    let stranger = Device::new();
    let second = scep.enroll("T1", &password, &stranger, names).await;
    refused(&second, "as often as it may be");
    refused(&scep.poll("T1", &stranger).await, "nothing was asked for");
    let entry = scep.est.inventory(&first).await;
    assert_eq!(entry["profile"], "default");
    let path = "audit?name=enrollment.requested";
    let page = scep.est.operate(Method::GET, path, Value::Null).await;
    assert_eq!(page["items"][0]["data"]["protocol"], "scep");
    assert!(!page.to_string().contains(&password));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_may_come_in_the_query_of_a_get() {
    let scep = Scep::start().await;
    let password = scep.password(json!({})).await;
    let device = Device::new();
    let csr = device.csr(Some(&password), &["phone.example.org"]);
    let kind = protocols::scep::MessageType::Enrollment;
    let message = scep.message(kind, "T1", &csr, &device);
    let (status, reply) = scep.get_message(&message).await;
    assert_eq!(status, StatusCode::OK);
    leaf(&scep.read(&reply, &device));
    let (status, _) = scep.get("operation=PKIOperation&message=%2A%2A").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_right_password_for_this_service_and_these_names_gets_nothing() {
    let scep = Scep::start().await;
    let device = Device::new();
    let names = &["phone.example.org"];
    for password in ["", "wrong"] {
        let reply = scep.enroll("T1", password, &device, names).await;
        refused(&reply, "challenge password is not right");
    }
    let (label, _) = scep.est.password("default", json!({})).await;
    let reply = scep.enroll("T1", &label, &device, names).await;
    refused(&reply, "challenge password is not right");
    let rules = json!({ "allowed_names": [".phones.example.org"] });
    let password = scep.password(rules).await;
    let reply = scep.enroll("T1", &password, &device, names).await;
    refused(&reply, "not for `phone.example.org`");
    let reply = scep.enroll("T2", &password, &device, &["*.com"]).await;
    refused(&reply, "*.com");
    let inside = &["a.phones.example.org"];
    leaf(&scep.enroll("T3", &password, &device, inside).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_to_wait_for_people_polls() {
    let scep = Scep::start().await;
    scep.est.guarded_profile().await;
    let rules = json!({ "profile": "guarded" });
    scep.est
        .operate(Method::PUT, "scep/services/phones", rules)
        .await;
    let password = scep.password(json!({ "max_uses": 1 })).await;
    let device = Device::new();
    let names = &["phone.example.org"];
    for _ in 0..2 {
        let (reply, _) = scep.enroll("T1", &password, &device, names).await;
        assert_eq!(reply.status, Some(PkiStatus::Pending));
        let (reply, _) = scep.poll("T1", &device).await;
        assert_eq!(reply.status, Some(PkiStatus::Pending));
    }
    assert_eq!(scep.est.decide("approve", json!({})).await, StatusCode::OK);
    scep.est
        .server
        .run_jobs_until(async || {
            scep.poll("T1", &device).await.0.status == Some(PkiStatus::Success)
        })
        .await;
    leaf(&scep.poll("T1", &device).await);
}
