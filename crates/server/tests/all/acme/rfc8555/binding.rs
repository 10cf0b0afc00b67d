//! External account bindings as things that are managed (RFC 8555 section 7.3.4).

use std::time::Duration;

use domain::acme::eab::EabUsage;
use lifecycle::actor::Caller;
use serde_json::json;
use testkit::TestServer;
use testkit::acme::Client;

use super::super::support::{
    BindingKey, KeyTerms, assert_refused, binding_key, census, put_directory,
};

async fn client_of(server: &TestServer, key: &BindingKey) -> Client {
    let mut client = server.client().await;
    key.register(&mut client).await.assert_status(201);
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_4_a_directory_may_ask_for_a_binding() {
    let server = TestServer::start().await;
    put_directory(&server, "default", |spec| {
        spec.external_account_required = true
    })
    .await;
    let mut client = server.client().await;
    let refused = client.register().await;
    assert_refused(&refused, 403, "externalAccountRequired");
    assert_eq!(census(&server).await.0, 0);
    let key = binding_key(&server, KeyTerms::default()).await;
    let binding = client.binding(key.id.as_str(), &key.hmac);
    let made = client
        .register_with(json!({"termsOfServiceAgreed": true, "externalAccountBinding": binding}))
        .await;
    made.assert_status(201);
    // The account shows by what it was bound.
    assert_eq!(made.json()["externalAccountBinding"], binding);
    client
        .new_order(&["www.example.org"])
        .await
        .assert_status(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_4_where_no_binding_is_asked_for_one_that_is_sent_still_counts() {
    let server = TestServer::start().await;
    let key = binding_key(&server, KeyTerms::default()).await;
    let client = client_of(&server, &key).await;
    let account = client.get(client.kid.as_deref().unwrap()).await.json();
    assert!(account["externalAccountBinding"].is_object());
    let mut other = server.client().await;
    let wrong = BindingKey {
        id: key.id.clone(),
        hmac: testkit::acme::b64([1; 32]),
    };
    assert_refused(&wrong.register(&mut other).await, 403, "unauthorized");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_4_a_key_is_for_its_names_only() {
    let server = TestServer::start().await;
    let terms = KeyTerms {
        names: &[".team.example.org", "one.example.org", "192.0.2.0/24"],
        ..KeyTerms::default()
    };
    let client = client_of(&server, &binding_key(&server, terms).await).await;
    for name in [
        "a.team.example.org",
        "*.team.example.org",
        "one.example.org",
        "192.0.2.7",
    ] {
        client.new_order(&[name]).await.assert_status(201);
    }
    for name in [
        "team.example.org",
        "two.example.org",
        "a.one.example.org",
        "*.one.example.org",
        "ateam.example.org",
        "198.51.100.1",
    ] {
        let answer = client.new_order(&["one.example.org", name]).await;
        assert_refused(&answer, 400, "rejectedIdentifier");
        let problems = answer.json()["subproblems"].clone();
        assert_eq!(problems.as_array().unwrap().len(), 1, "{problems}");
        assert_eq!(problems[0]["identifier"]["value"], name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_4_a_key_is_for_its_directory_only() {
    let server = TestServer::start().await;
    put_directory(&server, "other", |_| {}).await;
    let terms = KeyTerms {
        directory: Some("other"),
        ..KeyTerms::default()
    };
    let key = binding_key(&server, terms).await;
    let mut here = server.client().await;
    assert_refused(&key.register(&mut here).await, 403, "unauthorized");
    let mut there = Client::new(&server.directory_url("other")).await;
    key.register(&mut there).await.assert_status(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_4_a_key_expires() {
    let server = TestServer::start().await;
    let terms = KeyTerms {
        usage: EabUsage::Multi,
        lifetime: Some(Duration::from_secs(3600)),
        ..KeyTerms::default()
    };
    let key = binding_key(&server, terms).await;
    let early = client_of(&server, &key).await;
    server.clock.advance(Duration::from_secs(3600));
    let mut late = server.client().await;
    assert_refused(&key.register(&mut late).await, 403, "unauthorized");
    // Who came in time stays.
    early
        .new_order(&["www.example.org"])
        .await
        .assert_status(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_4_the_use_of_a_key_is_noted() {
    let server = TestServer::start().await;
    let terms = KeyTerms {
        usage: EabUsage::Multi,
        ..KeyTerms::default()
    };
    let key = binding_key(&server, terms).await;
    let stored = server.lifecycle().eab_key(&key.id).await.unwrap().unwrap();
    assert_eq!((stored.uses, stored.last_used_at), (0, None));
    client_of(&server, &key).await;
    server.clock.advance(Duration::from_secs(60));
    client_of(&server, &key).await;
    let stored = server.lifecycle().eab_key(&key.id).await.unwrap().unwrap();
    let now = domain::clock::Clock::now(&server.clock);
    assert_eq!((stored.uses, stored.last_used_at), (2, Some(now)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_4_a_revoked_key_binds_nobody_and_its_accounts_end_if_so_wanted() {
    let server = TestServer::start().await;
    for cascade in [false, true] {
        let terms = KeyTerms {
            usage: EabUsage::Multi,
            ..KeyTerms::default()
        };
        let key = binding_key(&server, terms).await;
        let clients = [
            client_of(&server, &key).await,
            client_of(&server, &key).await,
        ];
        let bystander = server.registered_client().await;
        let caller = Caller::system();
        let ended = server.lifecycle().revoke_eab_key(&key.id, cascade, &caller);
        let expected = if cascade { 2 } else { 0 };
        assert_eq!(ended.await.unwrap(), Some(expected));
        let mut late = server.client().await;
        assert_refused(&key.register(&mut late).await, 403, "unauthorized");
        for client in &clients {
            let answer = client.new_order(&["www.example.org"]).await;
            match cascade {
                true => assert_refused(&answer, 401, "unauthorized"),
                false => drop(answer.assert_status(201)),
            }
        }
        bystander
            .new_order(&["www.example.org"])
            .await
            .assert_status(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_4_the_secret_is_not_in_the_database_as_it_was_given_out() {
    let server = TestServer::start().await;
    let key = binding_key(&server, KeyTerms::default()).await;
    client_of(&server, &key).await;
    let stored = server.lifecycle().eab_key(&key.id).await.unwrap().unwrap();
    assert!(!stored.sealed_hmac.contains(&key.hmac));
}
