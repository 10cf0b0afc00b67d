//! `serverkeygen`: RFC 7030 section 4.4.

use pki::asn1::Writer;
use pki::certificate::Certificate;
use pki::cms::SignedData;
use pki::key::{LocalKey, SigningKey};
use pki::oid;
use protocols::est::key_answer::parts;
use serde_json::json;

use super::support::{Est, Shows, csr, new_key};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_to_be_encrypted_once_more_is_refused_in_words() {
    let est = Est::start().await;
    est.label("default", json!({ "server_keys": true })).await;
    let (secret, _) = est.password("default", json!({})).await;
    for kind in [oid::DECRYPT_KEY_ID, oid::ASYMMETRIC_DECRYPT_KEY_ID] {
        let key = new_key();
        let info = Writer::encode(|w| {
            w.sequence(|w| {
                w.small(0);
                w.sequence(|_| ());
                w.raw(key.public_key().spki_der());
                w.constructed(0, |w| {
                    w.sequence(|w| {
                        w.oid(&kind);
                        w.set(|w| w.octet_string(b"some key"));
                    });
                });
            });
        });
        let request = pki::certificate::sign(&info, &key).unwrap();
        est.post("serverkeygen", &request, Shows::Password("", &secret))
            .await
            .refused(400, "protected by TLS alone");
    }
}
