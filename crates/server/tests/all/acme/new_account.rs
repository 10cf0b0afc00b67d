//! Accounts are made once, and by whom they may be (P8, P9).

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::acme::eab::EabUsage;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Answer, Client, Key, b64};

use super::support::{
    BindingKey, KeyTerms, assert_complete_refusal, binding_key, census, events, put_directory,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p08_a_key_has_one_account_however_often_it_asks() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let url = client.at("newAccount");
    let payload = json!({"termsOfServiceAgreed": true, "contact": ["mailto:a@example.org"]});
    let posts = (0..50).map(|_| client.post(&url, &payload));
    let answers: Vec<Answer> = futures::future::join_all(posts).await;
    let created = answers.iter().filter(|a| a.status == 201).count();
    let found = answers.iter().filter(|a| a.status == 200).count();
    assert_eq!((created, found), (1, 49));
    let first = answers[0].location();
    assert!(answers.iter().all(|answer| answer.location() == first));
    assert_eq!(census(&server).await.0, 1);
    assert_eq!(events(&server, "account.created").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p08_who_has_an_account_finds_it_whatever_else_the_request_says() {
    let server = TestServer::start().await;
    let key = binding_key(&server, KeyTerms::default()).await;
    let mut client = server.client().await;
    let created = key.register(&mut client).await;
    created.assert_status(201);
    client.kid = None;
    let stale = client.binding(key.id.as_str(), &key.hmac);
    for payload in [
        json!({}),
        json!({"termsOfServiceAgreed": false}),
        json!({"onlyReturnExisting": true}),
        json!({"contact": ["mailto:other@example.org"]}),
        json!({"contact": ["tel:1"]}),
        json!({"externalAccountBinding": stale}),
        json!({"externalAccountBinding": client.binding("eab_gone", &key.hmac)}),
    ] {
        let found = client.post(&client.at("newAccount"), &payload).await;
        assert_eq!(found.status, 200, "{payload}: {}", found.text);
        assert_eq!(found.location(), created.location());
        assert_eq!(found.json(), created.json());
    }
    assert_eq!(census(&server).await.0, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p08_a_single_use_binding_key_serves_one_client_that_asks_many_times_at_once() {
    let server = TestServer::start().await;
    let key = binding_key(&server, KeyTerms::default()).await;
    let client = server.client().await;
    let binding = client.binding(key.id.as_str(), &key.hmac);
    let payload = json!({"termsOfServiceAgreed": true, "externalAccountBinding": binding});
    let url = client.at("newAccount");
    let answers = futures::future::join_all((0..20).map(|_| client.post(&url, &payload))).await;
    for answer in &answers {
        assert!([200, 201].contains(&answer.status), "{}", answer.text);
    }
    let stored = server.lifecycle().eab_key(&key.id).await.unwrap().unwrap();
    assert_eq!(stored.uses, 1);
}

/// A binding of which every part may be wrong.
struct Binding<'a> {
    client: &'a Client,
    key: &'a BindingKey,
    header: Value,
    payload: Value,
}

impl<'a> Binding<'a> {
    fn of(client: &'a Client, key: &'a BindingKey) -> Self {
        Self {
            header: json!({
                "alg": "HS256", "kid": key.id.as_str(), "url": client.at("newAccount"),
            }),
            payload: client.key.jwk(),
            client,
            key,
        }
    }

    fn with(mut self, member: &str, value: Value) -> Self {
        self.header[member] = value;
        self
    }

    fn without(mut self, member: &str) -> Self {
        self.header.as_object_mut().unwrap().remove(member);
        self
    }

    fn over(mut self, payload: Value) -> Self {
        self.payload = payload;
        self
    }

    fn mac(&self, secret: &[u8]) -> Value {
        let protected = b64(self.header.to_string());
        let payload = b64(self.payload.to_string());
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let tag = hmac::sign(&key, format!("{protected}.{payload}").as_bytes());
        json!({"protected": protected, "payload": payload, "signature": b64(tag)})
    }

    fn sealed(&self) -> Value {
        self.mac(&URL_SAFE_NO_PAD.decode(&self.key.hmac).unwrap())
    }

    fn signed(&self) -> Value {
        let key = &self.client.key;
        key.jws(&self.header, self.payload.to_string().as_bytes())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p09_a_binding_that_is_wrong_in_any_part_makes_no_account() {
    let server = TestServer::start().await;
    put_directory(&server, "default", |spec| {
        spec.external_account_required = true
    })
    .await;
    let key = binding_key(&server, KeyTerms::default()).await;
    let client = server.client().await;
    let fine = || Binding::of(&client, &key);
    let new_order = json!(client.at("newOrder"));
    let stranger = binding_key(&server, KeyTerms::default()).await;
    let mut shortened = fine().sealed();
    shortened["signature"] = json!(&shortened["signature"].as_str().unwrap()[..22]);
    let mut unsigned = fine().sealed();
    unsigned["signature"] = json!("");
    let mut extra = fine().sealed();
    extra["header"] = json!({});
    let jwk = client.key.jwk();
    for (what, binding) in [
        ("wrong MAC key", fine().mac(&[7; 32])),
        ("empty MAC key", fine().mac(&[])),
        ("base64url text as MAC key", fine().mac(key.hmac.as_bytes())),
        (
            "another key's name",
            fine().with("kid", json!(stranger.id.as_str())).sealed(),
        ),
        (
            "unknown name",
            fine()
                .with("kid", json!("eab_0000000000000000000000000a"))
                .sealed(),
        ),
        (
            "name that is no id",
            fine().with("kid", json!("../../x")).sealed(),
        ),
        ("no name", fine().without("kid").sealed()),
        ("other url", fine().with("url", new_order).sealed()),
        ("no url", fine().without("url").sealed()),
        (
            "nonce inside",
            fine().with("nonce", json!(client.nonce().await)).sealed(),
        ),
        ("algorithm none", fine().with("alg", json!("none")).sealed()),
        (
            "algorithm RS256",
            fine().with("alg", json!("RS256")).sealed(),
        ),
        (
            "signed by the account key",
            fine().with("alg", json!("ES256")).signed(),
        ),
        (
            "HS384 over an HS256 tag",
            fine().with("alg", json!("HS384")).sealed(),
        ),
        ("no algorithm", fine().without("alg").sealed()),
        ("jwk beside kid", fine().with("jwk", jwk).sealed()),
        (
            "critical extension",
            fine().with("crit", json!(["b64"])).sealed(),
        ),
        (
            "another account's key inside",
            fine().over(Key::p256().jwk()).sealed(),
        ),
        ("no key inside", fine().over(json!({})).sealed()),
        ("shortened MAC", shortened),
        ("no MAC", unsigned),
        ("unprotected header", extra),
        ("a text", json!("eab")),
        ("null", Value::Null),
        ("an empty object", json!({})),
    ] {
        let payload = json!({"termsOfServiceAgreed": true, "externalAccountBinding": binding});
        let answer = client.post(&client.at("newAccount"), &payload).await;
        assert!(
            (400..=403).contains(&answer.status),
            "{what}: {}",
            answer.text
        );
        assert_complete_refusal(&answer);
    }
    assert_eq!(census(&server).await, (0, 0, 0));
    // None of it used the key up.
    let mut client = client;
    key.register(&mut client).await.assert_status(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p09_a_single_use_key_binds_one_account() {
    let server = TestServer::start().await;
    for (usage, second) in [(EabUsage::Single, 403), (EabUsage::Multi, 201)] {
        let terms = KeyTerms {
            usage,
            ..KeyTerms::default()
        };
        let key = binding_key(&server, terms).await;
        let mut first = server.client().await;
        key.register(&mut first).await.assert_status(201);
        let mut other = server.client().await;
        let answer = key.register(&mut other).await;
        assert_eq!(answer.status, second, "{}", answer.text);
    }
    assert_eq!(census(&server).await.0, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p09_of_many_clients_at_once_a_single_use_key_binds_one() {
    let server = TestServer::start().await;
    let key = binding_key(&server, KeyTerms::default()).await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(server.client().await);
    }
    let answers = futures::future::join_all(clients.iter_mut().map(|c| key.register(c))).await;
    assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 1);
    assert_eq!(census(&server).await.0, 1);
}
