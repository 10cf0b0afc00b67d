//! Signatures that are none, or are for something else (P1, P2, P4, P7).

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Answer, Client, Key, b64};

use super::support::{assert_complete_refusal, assert_refused, census};

const ORDER: &str = r#"{"identifiers":[{"type":"dns","value":"www.example.org"}]}"#;

/// A JWS whose three parts a test may bend before it is sent.
struct Forgery {
    protected: Value,
    payload: String,
}

impl Forgery {
    async fn of(client: &Client, url: &str) -> Self {
        Self {
            protected: client.header(url).await,
            payload: ORDER.to_owned(),
        }
    }

    fn sign(&self, key: &Key) -> Value {
        key.jws(&self.protected, self.payload.as_bytes())
    }

    fn mac(&self, algorithm: hmac::Algorithm, secret: &[u8]) -> Value {
        let protected = b64(self.protected.to_string());
        let payload = b64(&self.payload);
        let input = format!("{protected}.{payload}");
        let tag = hmac::sign(&hmac::Key::new(algorithm, secret), input.as_bytes());
        json!({"protected": protected, "payload": payload, "signature": b64(tag)})
    }
}

#[track_caller]
fn assert_algorithm_refused(answer: &Answer, what: &str) {
    assert_complete_refusal(answer);
    assert_eq!(answer.status, 400, "{what}: {}", answer.text);
    let kind = answer.problem();
    assert!(
        ["badSignatureAlgorithm", "badPublicKey"].contains(&kind.as_str()),
        "{what}: {}",
        answer.text
    );
    if kind == "badSignatureAlgorithm" {
        let algorithms = &answer.json()["algorithms"];
        let listed = algorithms.as_array().unwrap();
        assert!(listed.contains(&json!("ES256")), "{what}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p01_an_algorithm_that_is_none_a_mac_or_another_keys_is_refused() {
    let server = TestServer::start().await;
    let stranger = server.client().await;
    let holder = server.registered_client().await;
    let before = census(&server).await;
    for alg in [
        "none", "None", "nOnE", "", "HS256", "HS384", "HS512", "ES384", "ES512", "RS256", "PS256",
        "ES256K", "EdDSA", "es256",
    ] {
        for (client, resource) in [(&stranger, "newAccount"), (&holder, "newOrder")] {
            let mut forgery = Forgery::of(client, &client.at(resource)).await;
            forgery.protected["alg"] = json!(alg);
            let signed = forgery.sign(&client.key);
            let mut unsigned = signed.clone();
            unsigned["signature"] = json!("");
            let answer = client.send(&client.at(resource), signed.to_string()).await;
            assert_algorithm_refused(&answer, alg);
            let mut again = Forgery::of(client, &client.at(resource)).await;
            again.protected["alg"] = json!(alg);
            unsigned["protected"] = json!(b64(again.protected.to_string()));
            let answer = client
                .send(&client.at(resource), unsigned.to_string())
                .await;
            assert_algorithm_refused(&answer, alg);
        }
    }
    assert_eq!(census(&server).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p01_an_algorithm_has_to_fit_the_curve_of_the_key() {
    let server = TestServer::start().await;
    let before = census(&server).await;
    for (key, alg) in [
        (Key::p384(), "ES256"),
        (Key::p256(), "ES384"),
        (Key::ed25519(), "ES256"),
        (Key::p256(), "EdDSA"),
    ] {
        let client = Client::with_key(&server.directory_url("default"), key).await;
        let url = client.at("newAccount");
        let mut forgery = Forgery::of(&client, &url).await;
        forgery.protected["alg"] = json!(alg);
        let answer = client
            .send(&url, forgery.sign(&client.key).to_string())
            .await;
        assert_algorithm_refused(&answer, alg);
    }
    assert_eq!(census(&server).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p02_a_mac_keyed_with_a_public_key_is_refused() {
    let server = TestServer::start().await;
    let stranger = server.client().await;
    let client = server.registered_client().await;
    let before = census(&server).await;
    let root = std::fs::read(server.data.path().join("root.pem")).unwrap();
    let root_der = pki::pem::decode_all(pki::pem::CERTIFICATE, &root).unwrap();
    let root_key = pki::certificate::Certificate::from_der(&root_der[0]).unwrap();
    for (by, url) in [
        (&stranger, client.at("newAccount")),
        (&client, client.at("newOrder")),
    ] {
        let jwk = by.key.jwk();
        let parsed = protocols::acme::jwk::Jwk::parse(jwk.to_string().as_bytes()).unwrap();
        let spki = parsed.to_spki_der();
        let secrets = [
            root.clone(),
            root_der[0].clone(),
            root_key.public_key.spki_der().to_vec(),
            pki::pem::encode("PUBLIC KEY", &spki).into_bytes(),
            spki,
            jwk.to_string().into_bytes(),
            parsed.thumbprint().to_string().into_bytes(),
            Vec::new(),
        ];
        for secret in &secrets {
            for (name, algorithm) in [
                ("HS256", hmac::HMAC_SHA256),
                ("HS384", hmac::HMAC_SHA384),
                ("HS512", hmac::HMAC_SHA512),
                ("ES256", hmac::HMAC_SHA256),
            ] {
                let mut forgery = Forgery::of(by, &url).await;
                forgery.protected["alg"] = json!(name);
                let answer = by
                    .send(&url, forgery.mac(algorithm, secret).to_string())
                    .await;
                assert_complete_refusal(&answer);
                assert_eq!(answer.status, 400, "{name}: {}", answer.text);
            }
        }
    }
    assert_eq!(census(&server).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p04_a_request_signed_for_another_url_is_refused() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    super::support::put_directory(&server, "other", |_| {}).await;
    let before = census(&server).await;
    let url = client.at("newOrder");
    for signed in [
        client.at("newAuthz"),
        client.at("keyChange"),
        client.kid.clone().unwrap(),
        url.replace("/acme/default/", "/acme/other/"),
        url.replace("/acme/", "/ACME/"),
        url.replace("new-order", "New-Order"),
        url.replace("new-order", "new%2Dorder"),
        url.replace("/acme/", "//acme/"),
        url.replace("/default/", "/./default/"),
        format!("{url}/"),
        format!("{url}?"),
        format!("{url}?x=1"),
        format!("{url}#top"),
        format!(" {url}"),
        url.replace("localhost", "127.0.0.1"),
        url.replace("localhost", "LOCALHOST"),
        url.replace("localhost", "localhost."),
        url.replace("http://", "https://"),
        url.replace("http://", "HTTP://"),
        url.replace("http://", "http://user@"),
        url[url.find("/acme").unwrap()..].to_owned(),
    ] {
        assert_ne!(signed, url);
        let jws = client.signed(&signed, ORDER.as_bytes()).await;
        let answer = client.send(&url, jws.to_string()).await;
        assert_refused(&answer, 403, "unauthorized");
    }
    assert_eq!(census(&server).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p04_a_captured_request_works_at_no_other_spelling_of_its_url() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let before = census(&server).await;
    let url = client.at("newOrder");
    for elsewhere in [
        format!("{url}?"),
        format!("{url}?x=1"),
        format!("{url}/"),
        url.replace("new-order", "new%2Dorder"),
        url.replace("localhost", "127.0.0.1"),
        client.at("newAuthz"),
    ] {
        let mut protected = client.header(&url).await;
        if elsewhere.contains("127.0.0.1") {
            // Signed for what is dialled, which leads to us and yet is not our name.
            protected["url"] = json!(elsewhere);
        }
        let jws = client.key.jws(&protected, ORDER.as_bytes());
        let answer = client.send(&elsewhere, jws.to_string()).await;
        assert!(
            [403, 404].contains(&answer.status),
            "{elsewhere}: {}",
            answer.text
        );
        assert_complete_refusal(&answer);
    }
    assert_eq!(census(&server).await, before);
}

/// Every resource an issued certificate leaves behind.
async fn resources(server: &TestServer, client: &Client) -> Vec<String> {
    let issued = client.issue(server, &["www.example.org"]).await;
    let order = client.get(&issued.order_url).await.json();
    let authorization = super::support::first_authorization(&order).to_owned();
    let challenge = client.challenge(&authorization, "http-01").await;
    vec![
        client.kid.clone().unwrap(),
        format!("{}/orders", client.kid.as_deref().unwrap()),
        issued.order_url,
        authorization,
        challenge["url"].as_str().unwrap().to_owned(),
        issued.certificate_url,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p07_resources_are_not_for_get() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let mut urls = resources(&server, &client).await;
    for name in [
        "newAccount",
        "newOrder",
        "newAuthz",
        "revokeCert",
        "keyChange",
    ] {
        urls.push(client.at(name));
    }
    for url in &urls {
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH"] {
            let method = method.parse::<reqwest::Method>().unwrap();
            let response = client
                .http
                .request(method.clone(), url)
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), 405, "{method} {url}");
            let text = response.text().await.unwrap();
            if method != reqwest::Method::HEAD {
                let body: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(
                    body["type"], "urn:ietf:params:acme:error:malformed",
                    "{url}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p07_an_empty_object_is_not_post_as_get() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let urls = resources(&server, &client).await;
    let (account, rest) = urls.split_first().unwrap();
    for url in rest {
        client.get(url).await.assert_status(200);
        if !url.contains("/challenge/") {
            assert_refused(&client.post(url, &json!({})).await, 400, "malformed");
        }
    }
    // An update of an account that changes nothing is one, too.
    client.post(account, &json!({})).await.assert_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s6_2_a_key_that_is_none_or_too_weak_opens_no_account() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let url = client.at("newAccount");
    let good = client.key.jwk();
    let with = |member: &str, value: Value| {
        let mut bent = good.clone();
        bent[member] = value;
        bent
    };
    let rsa = |octets: usize, exponent: &[u8]| json!({"kty": "RSA", "n": b64(vec![0xb7; octets]), "e": b64(exponent)});
    for (what, alg, jwk) in [
        ("RSA of 1024 bits", "RS256", rsa(128, &[1, 0, 1])),
        ("RSA of 16384 bits", "RS256", rsa(2048, &[1, 0, 1])),
        ("RSA with exponent 1", "RS256", rsa(256, &[1])),
        ("RSA with an even exponent", "RS256", rsa(256, &[1, 0, 0])),
        ("point off the curve", "ES256", with("x", good["y"].clone())),
        (
            "coordinates too short",
            "ES256",
            with("x", json!(b64([1; 31]))),
        ),
        ("another curve's name", "ES256", with("crv", json!("P-384"))),
        ("unknown curve", "ES256", with("crv", json!("secp256k1"))),
        ("unknown kind", "ES256", with("kty", json!("XY"))),
        (
            "a secret",
            "HS256",
            json!({"kty": "oct", "k": b64([7; 32])}),
        ),
        ("a private key", "ES256", with("d", json!(b64([7; 32])))),
        ("no kind", "ES256", json!({"x": good["x"], "y": good["y"]})),
    ] {
        let mut forgery = Forgery::of(&client, &url).await;
        forgery.protected["alg"] = json!(alg);
        forgery.protected["jwk"] = jwk;
        forgery.payload = json!({"termsOfServiceAgreed": true}).to_string();
        let answer = client
            .send(&url, forgery.sign(&client.key).to_string())
            .await;
        assert_complete_refusal(&answer);
        assert_eq!(answer.status, 400, "{what}: {}", answer.text);
        assert_ne!(answer.problem(), "serverInternal", "{what}");
    }
    assert_eq!(census(&server).await.0, 0);
}
