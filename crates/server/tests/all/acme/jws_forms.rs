//! Every form of a request that is not the one there is (P3).

use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Client, b64};

use super::support::{assert_complete_refusal, assert_refused, census};

const ORDER: &str = r#"{"identifiers":[{"type":"dns","value":"www.example.org"}]}"#;

/// One way to bend the protected header.
type Bend = (&'static str, fn(&mut Value, &Client));

const BENT_HEADERS: &[Bend] = &[
    ("jwk beside kid", |h, c| h["jwk"] = c.key.jwk()),
    ("neither jwk nor kid", |h, _| {
        drop(h.as_object_mut().unwrap().remove("kid"))
    }),
    ("jwk instead of kid", |h, c| {
        h.as_object_mut().unwrap().remove("kid");
        h["jwk"] = c.key.jwk();
    }),
    ("kid of another host", |h, _| {
        h["kid"] = json!(
            h["kid"]
                .as_str()
                .unwrap()
                .replace("localhost", "ca.example")
        );
    }),
    ("kid without host", |h, _| {
        let kid = h["kid"].as_str().unwrap();
        h["kid"] = json!(kid[kid.find("/acme").unwrap()..]);
    }),
    ("kid with a slash behind", |h, _| {
        h["kid"] = json!(format!("{}/", h["kid"].as_str().unwrap()))
    }),
    ("kid in capitals", |h, _| {
        h["kid"] = json!(h["kid"].as_str().unwrap().to_uppercase())
    }),
    ("kid that is the thumbprint", |h, c| {
        h["kid"] = json!(c.key.thumbprint())
    }),
    ("kid that is null", |h, _| h["kid"] = Value::Null),
    ("critical extension", |h, _| h["crit"] = json!(["exp"])),
    ("empty list of critical extensions", |h, _| {
        h["crit"] = json!([])
    }),
    ("unencoded payload", |h, _| {
        h["b64"] = json!(false);
        h["crit"] = json!(["b64"]);
    }),
    ("unencoded payload, not critical", |h, _| {
        h["b64"] = json!(false)
    }),
    ("no nonce", |h, _| {
        drop(h.as_object_mut().unwrap().remove("nonce"))
    }),
    ("empty nonce", |h, _| h["nonce"] = json!("")),
    ("nonce not in base64url", |h, _| h["nonce"] = json!("a+/=")),
    ("nonce that is a number", |h, _| h["nonce"] = json!(1)),
    ("nonce that was never issued", |h, _| {
        h["nonce"] = json!(b64([7; 24]))
    }),
    ("no url", |h, _| {
        drop(h.as_object_mut().unwrap().remove("url"))
    }),
    ("empty url", |h, _| h["url"] = json!("")),
    ("no algorithm", |h, _| {
        drop(h.as_object_mut().unwrap().remove("alg"))
    }),
    ("algorithm that is a list", |h, _| {
        h["alg"] = json!(["ES256"])
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p03_a_protected_header_of_any_other_form_is_refused() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let before = census(&server).await;
    let url = client.at("newOrder");
    for (what, bend) in BENT_HEADERS {
        let mut protected = client.header(&url).await;
        bend(&mut protected, &client);
        let answer = client
            .send(
                &url,
                client.key.jws(&protected, ORDER.as_bytes()).to_string(),
            )
            .await;
        assert!(
            (400..=403).contains(&answer.status),
            "{what}: {}",
            answer.text
        );
        assert_complete_refusal(&answer);
    }
    assert_eq!(census(&server).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p03_an_account_cannot_sign_for_another_or_for_a_new_one() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let other = server.registered_client().await;
    let before = census(&server).await;
    let url = client.at("newOrder");
    let mut protected = client.header(&url).await;
    protected["kid"] = json!(other.kid);
    let answer = client
        .send(
            &url,
            client.key.jws(&protected, ORDER.as_bytes()).to_string(),
        )
        .await;
    assert_refused(&answer, 400, "malformed");
    let url = client.at("newAccount");
    let answer = client
        .post(&url, &json!({"termsOfServiceAgreed": true}))
        .await;
    assert_refused(&answer, 400, "malformed");
    assert_eq!(census(&server).await, before);
}

/// Other serializations and spellings of a JWS that is right otherwise.
fn bent_bodies(jws: &Value) -> Vec<(&'static str, String)> {
    let part = |name: &str| jws[name].as_str().unwrap().to_owned();
    let (protected, payload, signature) = (part("protected"), part("payload"), part("signature"));
    let with = |name: &str, value: Value| {
        let mut bent = jws.clone();
        bent[name] = value;
        bent.to_string()
    };
    let single = json!({"protected": protected, "signature": signature});
    let general = json!({"payload": payload, "signatures": [single]});
    let double = json!({"payload": payload, "signatures": [single, single]});
    let twice = format!(
        r#"{{"protected":"{protected}","payload":"e30","payload":"{payload}","signature":"{signature}"}}"#
    );
    vec![
        ("unprotected header", with("header", json!({"typ": "JWT"}))),
        ("empty unprotected header", with("header", json!({}))),
        ("general serialization", general.to_string()),
        ("two signatures", double.to_string()),
        ("both serializations", with("signatures", json!([single]))),
        (
            "compact serialization",
            format!("{protected}.{payload}.{signature}"),
        ),
        ("a list", json!([protected, payload, signature]).to_string()),
        (
            "a JSON string",
            json!(format!("{protected}.{payload}.{signature}")).to_string(),
        ),
        ("nothing", String::new()),
        ("no JSON", "{".to_owned()),
        (
            "padded protected header",
            with("protected", json!(pad(&protected))),
        ),
        ("padded payload", with("payload", json!(pad(&payload)))),
        (
            "padded signature",
            with("signature", json!(format!("{signature}=="))),
        ),
        (
            "white space",
            with("payload", json!(format!("{payload}\n"))),
        ),
        (
            "standard alphabet",
            with("signature", json!(format!("+/{}", &signature[2..]))),
        ),
        (
            "shortened signature",
            with("signature", json!(&signature[..signature.len() - 4])),
        ),
        ("empty signature", with("signature", json!(""))),
        (
            "payload that is no text",
            with("payload", json!({"identifiers": []})),
        ),
        ("payload twice", twice),
        (
            "no payload",
            json!({"protected": protected, "signature": signature}).to_string(),
        ),
    ]
}

fn pad(text: &str) -> String {
    // Whole groups of four have no padding to be wrong with, so there is at least one sign of it.
    format!("{text}{}", "=".repeat(4 - text.len() % 4))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p03_every_other_serialization_of_a_jws_is_refused() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let before = census(&server).await;
    let url = client.at("newOrder");
    let count = bent_bodies(&client.signed(&url, ORDER.as_bytes()).await).len();
    for place in 0..count {
        let jws = client.signed(&url, ORDER.as_bytes()).await;
        let (what, body) = bent_bodies(&jws).swap_remove(place);
        let answer = client.send(&url, body).await;
        assert!(
            (400..=403).contains(&answer.status),
            "{what}: {}",
            answer.text
        );
        assert_complete_refusal(&answer);
    }
    assert_eq!(census(&server).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p03_a_member_that_is_there_twice_is_refused_wherever_it_is() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let before = census(&server).await;
    let url = client.at("newOrder");
    let header = client.header(&url).await.to_string();
    for (protected, payload) in [
        (
            header.replacen('{', r#"{"alg":"none","#, 1),
            ORDER.to_owned(),
        ),
        (
            header.replacen('{', r#"{"url":"https://ca.example/","#, 1),
            ORDER.to_owned(),
        ),
        (
            client.header(&url).await.to_string(),
            ORDER.replacen('{', r#"{"identifiers":[],"#, 1),
        ),
        (
            client.header(&url).await.to_string(),
            ORDER.replacen(r#"{"type""#, r#"{"value":"a.example","type""#, 1),
        ),
    ] {
        let input = format!("{}.{}", b64(&protected), b64(&payload));
        let body = json!({
            "protected": b64(&protected),
            "payload": b64(&payload),
            "signature": b64(client.key.sign(input.as_bytes())),
        });
        assert_refused(&client.send(&url, body.to_string()).await, 400, "malformed");
    }
    assert_eq!(census(&server).await, before);
}
