//! GetNextCACert (RFC 8894 section 4.7): the CA that comes after this one.

use pki::cms::SignedData;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::ca::TestCa;

use super::support::Scep;

#[tokio::test(flavor = "multi_thread")]
async fn the_next_ca_is_told_beforehand_signed_by_the_registration_authority() {
    let scep = Scep::start().await;
    let next = TestCa::new("Next CA");
    let issuer = json!({
        "name": "next", "kind": "est", "certificates": next.pem(),
        "settings": { "url": "https://est.example.org", "username": "front" },
        "secrets": { "password": "secret" },
    });
    scep.est.operate(Method::POST, "issuers", issuer).await;
    let path = "profiles/default";
    let shown = scep.est.operate(Method::GET, path, Value::Null).await;
    let mut rules = shown["rules"].clone();
    rules["issuers"] = json!([
        { "issuer": "issuing", "weight": 1 },
        { "issuer": "next", "weight": 1, "tier": 1 },
    ]);
    scep.est.operate(Method::PUT, path, rules).await;
    let url = format!("{}/scep/phones?operation=", scep.est.server.url());
    let told = async || {
        let capabilities = reqwest::get(format!("{url}GetCACaps")).await.unwrap();
        capabilities.text().await.unwrap().contains("GetNextCACert")
    };
    scep.est.server.run_jobs_until(told).await;
    let answer = reqwest::get(format!("{url}GetNextCACert")).await.unwrap();
    let kind = &answer.headers()["content-type"];
    assert_eq!(kind, "application/x-x509-next-ca-cert");
    let signed = SignedData::from_ber(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(signed.verified_signer().unwrap().certificate, scep.ra);
    let inner = SignedData::from_ber(&signed.content).unwrap();
    assert_eq!(inner.certificates, [next.der().to_vec()]);
}
