//! `serverkeygen`: RFC 7030 section 4.4.

use pki::certificate::Certificate;
use pki::cms::SignedData;
use pki::key::{LocalKey, SigningKey};
use protocols::est::key_answer::parts;
use serde_json::json;

use super::support::{Est, Shows, csr};

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_key_made_here_fits_its_certificate_and_leaves_once() {
    let est = Est::start().await;
    let (secret, _) = est.password("default", json!({ "max_uses": 1 })).await;
    let request = csr(&["sensor.example.org"]);
    let shows = Shows::Password("", &secret);
    est.post("serverkeygen", &request, shows)
        .await
        .refused(404, "makes no keys");
    est.label("default", json!({ "server_keys": true })).await;
    let answer = est.post("serverkeygen", &request, shows).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    let parts = parts(&answer.content_type, &answer.body).unwrap();
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[0].0, "application/pkcs8");
    let key = LocalKey::from_pkcs8(&parts[0].1).unwrap();
    let bundle = SignedData::from_ber(&parts[1].1).unwrap();
    let certificate = Certificate::from_der(&bundle.certificates[0]).unwrap();
    assert_eq!(certificate.public_key, *key.public_key());
    assert_eq!(
        certificate.names[0].to_string(),
        pki::name::GeneralName::Dns("sensor.example.org".to_owned()).to_string()
    );
    est.post("serverkeygen", &request, shows)
        .await
        .refused(409, "only once");
}
