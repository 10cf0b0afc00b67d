//! What is offered, what is enrolled, what waits: RFC 7030 sections 4.1, 4.2 and 4.5.

use pki::certificate::Certificate;
use protocols::est::body;
use protocols::est::csr_attributes::CsrAttributes;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::support::{Est, Shows, answer, csr, csr_with, new_key};

#[tokio::test(flavor = "multi_thread")]
async fn p14_ca_certificates_reach_from_the_issuing_ca_to_the_root() {
    let est = Est::start().await;
    for path in ["cacerts", "default/cacerts"] {
        let certificates = est.get(path).await.certificates();
        let certificates: Vec<_> = certificates
            .iter()
            .map(|der| Certificate::from_der(der).unwrap())
            .collect();
        assert_eq!(certificates.len(), 2);
        assert!(certificates[0].is_signed_by(&certificates[1]));
        assert!(certificates[1].is_signed_by(&certificates[1]));
    }
    assert_eq!(est.get("other/cacerts").await.status, StatusCode::NOT_FOUND);
    assert_eq!(est.get("../cacerts").await.status, StatusCode::NOT_FOUND);
    assert_eq!(est.get("fullcmc").await.status, StatusCode::NOT_FOUND);
    let enroll = est.get("simpleenroll").await;
    assert_eq!(enroll.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn csr_attributes_name_the_key_and_the_purposes_of_the_profile() {
    let est = Est::start().await;
    let told = est.get("csrattrs").await;
    assert_eq!(told.content_type, "application/csrattrs");
    let der = body::decode(told.body.as_bytes()).unwrap();
    // Key, purposes, and both as a template.
    assert_eq!(CsrAttributes::count(&der), Ok(3));
    est.label("tied", json!({ "channel_binding": "required" }))
        .await;
    let told = est.get("tied/csrattrs").await;
    let der = body::decode(told.body.as_bytes()).unwrap();
    assert_eq!(CsrAttributes::count(&der), Ok(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_password_gets_a_certificate_and_the_same_request_the_same_one() {
    let est = Est::start().await;
    let (secret, id) = est.password("default", json!({ "max_uses": 1 })).await;
    let key = new_key();
    let request = csr_with(&key, "", &["printer.example.org"]);
    let shows = Shows::Password("anybody", &secret);
    let first = est.post("simpleenroll", &request, shows).await;
    let certificate = first.certificate();
    assert_eq!(
        certificate.public_key,
        *pki::key::SigningKey::public_key(&key)
    );
    // A lost answer costs nothing, and no use of the password.
    let again = est.post("default/simpleenroll", &request, shows).await;
    assert_eq!(again.certificate(), certificate);
    let other = est
        .post("simpleenroll", &csr(&["other.example.org"]), shows)
        .await;
    other.refused(401, "as often as it may be");

    let entry = est.inventory(&certificate).await;
    assert_eq!(entry["profile"], "default");
    let password = est
        .operate(
            Method::GET,
            &format!("enrollment-passwords/{id}"),
            Value::Null,
        )
        .await;
    assert_eq!(password["uses"], 1);
    assert_eq!(password["status"], "used");
    let events = est
        .operate(Method::GET, "audit?name=enrollment.requested", Value::Null)
        .await;
    let event = &events["items"][0];
    assert_eq!(event["actor"]["kind"], "client");
    assert_eq!(event["actor"]["id"], id);
    assert_eq!(event["data"]["protocol"], "est");
    assert!(!events.to_string().contains(&secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_certificate_is_not_given_for_ever() {
    let est = Est::start().await;
    let (secret, _) = est.password("default", json!({})).await;
    let request = csr(&["printer.example.org"]);
    let shows = Shows::Password("", &secret);
    let first = est
        .post("simpleenroll", &request, shows)
        .await
        .certificate();
    let half = first.not_after.since(first.not_before) / 2;
    est.server.clock.advance(half);
    let second = est
        .post("simpleenroll", &request, shows)
        .await
        .certificate();
    assert_ne!(second.serial, first.serial);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_of_the_same_request_at_once_are_one_enrollment() {
    let est = Est::start().await;
    let (secret, id) = est.password("default", json!({ "max_uses": 1 })).await;
    let request = csr(&["printer.example.org"]);
    let answers = futures::future::join_all(
        (0..20).map(|_| est.post("simpleenroll", &request, Shows::Password("", &secret))),
    )
    .await;
    for answer in &answers {
        // Who came in between is told to come back.
        let known = [StatusCode::OK, StatusCode::ACCEPTED].contains(&answer.status);
        assert!(known, "{} {}", answer.status, answer.body);
    }
    let settled = est
        .post("simpleenroll", &request, Shows::Password("", &secret))
        .await;
    let certificate = settled.certificate();
    for answer in answers.iter().filter(|a| a.status == StatusCode::OK) {
        assert_eq!(answer.certificate(), certificate);
    }
    let path = format!("enrollment-passwords/{id}");
    let password = est.operate(Method::GET, &path, Value::Null).await;
    assert_eq!(password["uses"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_rules_refuse_is_told_line_by_line() {
    let est = Est::start().await;
    let (secret, _) = est.password("default", json!({ "max_uses": 1 })).await;
    let shows = Shows::Password("", &secret);
    let refused = est
        .post("simpleenroll", &csr(&["*.com", "a_b.example.org"]), shows)
        .await;
    refused.refused(400, "*.com");
    assert!(refused.body.contains("a_b.example.org"), "{}", refused.body);
    assert!(refused.content_type.starts_with("text/plain"));
    // A refusal costs no use.
    let taken = est
        .post("simpleenroll", &csr(&["a.example.org"]), shows)
        .await;
    taken.certificate();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_csr_is_refused_as_such() {
    let est = Est::start().await;
    let (secret, _) = est.password("default", json!({})).await;
    let shows = Shows::Password("", &secret);
    est.post("simpleenroll", b"\x30\x00", shows)
        .await
        .refused(400, "CSR");
    let mut forged = csr(&["a.example.org"]);
    *forged.last_mut().unwrap() ^= 1;
    est.post("simpleenroll", &forged, shows)
        .await
        .refused(400, "signature");
    // RFC 8951: what the body is says its type, not a Content-Transfer-Encoding.
    let request = csr(&["a.example.org"]);
    let pem = pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &request);
    let sent = est
        .request("simpleenroll", shows)
        .header("Content-Type", "application/pkcs10")
        .header("Content-Transfer-Encoding", "binary");
    answer(sent.body(pem)).await.certificate();
    let form = est
        .request("simpleenroll", shows)
        .header("Content-Type", "text/plain")
        .body("MAA=");
    answer(form).await.refused(415, "application/pkcs10");
    let large = est
        .request("simpleenroll", shows)
        .header("Content-Type", "application/pkcs10")
        .body("A".repeat(200_000));
    assert_eq!(answer(large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_to_wait_for_people_repeats_the_request() {
    let est = Est::start().await;
    est.guarded_profile().await;
    est.label("guarded", json!({ "profile": "guarded" })).await;
    let (secret, _) = est.password("guarded", json!({ "max_uses": 1 })).await;
    let request = csr(&["printer.example.org"]);
    let shows = Shows::Password("", &secret);
    for _ in 0..3 {
        let waits = est.post("guarded/simpleenroll", &request, shows).await;
        waits.refused(202, "same request again");
        assert!(waits.retry_after.unwrap() >= 1);
    }
    assert_eq!(est.decide("approve", json!({})).await, StatusCode::OK);
    est.server
        .run_jobs_until(async || {
            let answer = est.post("guarded/simpleenroll", &request, shows).await;
            answer.status == StatusCode::OK
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_denied_is_told_why_and_asks_nobody_again_at_once() {
    let est = Est::start().await;
    est.guarded_profile().await;
    est.label("guarded", json!({ "profile": "guarded" })).await;
    let (secret, _) = est.password("guarded", json!({})).await;
    let request = csr(&["printer.example.org"]);
    let shows = Shows::Password("", &secret);
    est.post("guarded/simpleenroll", &request, shows)
        .await
        .refused(202, "people");
    let reason = json!({ "reason": "no such printer" });
    assert_eq!(est.decide("deny", reason).await, StatusCode::OK);
    for _ in 0..2 {
        est.post("guarded/simpleenroll", &request, shows)
            .await
            .refused(403, "no such printer");
    }
    est.server
        .clock
        .advance(std::time::Duration::from_secs(25 * 60 * 60));
    est.post("guarded/simpleenroll", &request, shows)
        .await
        .refused(202, "people");
}
