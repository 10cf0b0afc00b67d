//! `simplereenroll`: the holder of a certificate gets its successor (RFC 7030 section 4.2.2).

use pki::certificate::Certificate;
use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Est, Shows, csr, csr_with, new_key};

async fn enrolled(est: &Est, names: &[&str]) -> Certificate {
    let (secret, _) = est.password("default", json!({})).await;
    let shows = Shows::Password("", &secret);
    est.post("simpleenroll", &csr(names), shows)
        .await
        .certificate()
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_the_holder_of_a_certificate_gets_its_successor_and_no_other_names() {
    let est = Est::start().await;
    let old = enrolled(&est, &["a.example.org", "b.example.org"]).await;
    let holder = Shows::Certificate(&old);
    for names in [
        &["a.example.org"][..],
        &["a.example.org", "b.example.org", "c.example.org"],
        &["c.example.org"],
    ] {
        est.post("simplereenroll", &csr(names), holder)
            .await
            .refused(400, "have to be the same");
    }
    let other_subject = csr_with(&new_key(), "CN=x,O=y", &["a.example.org", "b.example.org"]);
    est.post("simplereenroll", &other_subject, holder)
        .await
        .refused(400, "have to be the same");
    let request = csr(&["b.example.org", "a.example.org"]);
    let new = est.post("simplereenroll", &request, holder).await;
    let new = new.certificate();
    let again = est.post("simplereenroll", &request, holder).await;
    assert_eq!(again.certificate(), new);
    let (before, after) = (est.inventory(&old).await, est.inventory(&new).await);
    assert_eq!(before["replaced_by"], after["id"]);
    assert_eq!(after["replaces"], before["id"]);
    // Who lost the new key renews once more with the old certificate.
    let once_more = csr(&["a.example.org", "b.example.org"]);
    est.post("simplereenroll", &once_more, holder)
        .await
        .certificate();
}

#[tokio::test(flavor = "multi_thread")]
async fn a05_only_a_living_certificate_of_this_server_renews_itself() {
    let est = Est::start().await;
    let old = enrolled(&est, &["a.example.org"]).await;
    let request = csr(&["a.example.org"]);
    est.post("simplereenroll", &request, Shows::Nothing)
        .await
        .refused(403, "handshake");
    let (secret, _) = est.password("default", json!({})).await;
    est.post("simplereenroll", &request, Shows::Password("", &secret))
        .await
        .refused(403, "handshake");
    // The same names by another CA.
    let foreign = rcgen::generate_simple_self_signed(vec!["a.example.org".to_owned()]).unwrap();
    let foreign = Certificate::from_der(foreign.cert.der()).unwrap();
    est.post("simplereenroll", &request, Shows::Certificate(&foreign))
        .await
        .refused(401, "not issued by a CA");
    let id = est.inventory(&old).await["id"].as_str().unwrap().to_owned();
    let path = format!("certificates/{id}/revoke");
    est.operate(Method::POST, &path, json!({ "reason": "superseded" }))
        .await;
    est.post("simplereenroll", &request, Shows::Certificate(&old))
        .await
        .refused(401, "revoked");
    let expired = enrolled(&est, &["b.example.org"]).await;
    let life = expired.not_after.since(expired.not_before);
    est.server.clock.advance(life);
    est.post(
        "simplereenroll",
        &csr(&["b.example.org"]),
        Shows::Certificate(&expired),
    )
    .await
    .refused(401, "expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_one_profile_opens_no_other_and_of_acme_nothing() {
    let est = Est::start().await;
    let old = enrolled(&est, &["a.example.org"]).await;
    est.label("short", json!({ "profile": "short-lived" }))
        .await;
    let request = csr(&["a.example.org"]);
    est.post("short/simplereenroll", &request, Shows::Certificate(&old))
        .await
        .refused(403, "another profile");

    let client = est.server.registered_client().await;
    let issued = client.issue(&est.server, &["acme.example.org"]).await;
    let acme = Certificate::from_der(&issued.chain[0]).unwrap();
    let request = csr(&["acme.example.org"]);
    est.post("simplereenroll", &request, Shows::Certificate(&acme))
        .await
        .refused(403, "ACME");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_certificate_opens_beside_its_renewal_the_label_says() {
    let est = Est::start().await;
    let old = enrolled(&est, &["a.example.org"]).await;
    let holder = Shows::Certificate(&old);
    let (same, other) = (csr(&["a.example.org"]), csr(&["c.example.org"]));
    est.post("simpleenroll", &same, holder).await.certificate();
    est.post("simpleenroll", &other, holder)
        .await
        .refused(400, "have to be the same");
    est.label("default", json!({ "certificates": "any-names" }))
        .await;
    est.post("simpleenroll", &other, holder).await.certificate();
    let rules = json!({ "certificates": "off", "passwords": false });
    est.label("default", rules).await;
    est.post("simpleenroll", &csr(&["a.example.org"]), holder)
        .await
        .refused(403, "certificate");
    // Renewal is what the certificate is for.
    est.post("simplereenroll", &csr(&["a.example.org"]), holder)
        .await
        .certificate();
    let labels = est.operate(Method::GET, "est/labels", Value::Null).await;
    assert_eq!(labels["items"][0]["rules"]["certificates"], "off");
}
