//! Directories that trust a binding instead of a challenge.

use domain::acme::directory::DirectorySpec;
use domain::acme::eab::EabUsage;
use lifecycle::actor::Caller;
use lifecycle::operator::Expected;
use serde_json::json;
use testkit::TestServer;
use testkit::acme::Client;

use super::super::support::{
    KeyTerms, assert_refused, binding_key, first_authorization, put_directory,
};

async fn server_that_trusts() -> TestServer {
    let server = TestServer::start().await;
    put_directory(&server, "inside", |spec| {
        spec.trusted = true;
        spec.external_account_required = true;
    })
    .await;
    server
}

async fn bound(server: &TestServer, names: &[&str]) -> Client {
    let terms = KeyTerms {
        names,
        directory: Some("inside"),
        usage: EabUsage::Single,
        ..KeyTerms::default()
    };
    let key = binding_key(server, terms).await;
    let mut client = Client::new(&server.directory_url("inside")).await;
    key.register(&mut client).await.assert_status(201);
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trusted_names_of_the_binding_need_no_challenge() {
    let server = server_that_trusts().await;
    let client = bound(&server, &[".example.org", "192.0.2.0/24"]).await;
    let names = ["a.example.org", "*.b.example.org", "192.0.2.1"];
    let order = client.new_order(&names).await;
    order.assert_status(201);
    assert_eq!(order.json()["status"], "ready");
    let authorization = client.get(first_authorization(&order.json())).await.json();
    assert_eq!(authorization["status"], "valid");
    assert_eq!(authorization["challenges"], json!([]));
    let issued = client.issue(&server, &names).await;
    assert_eq!(issued.leaf().names.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trusted_no_name_beyond_the_binding_is_ordered() {
    let server = server_that_trusts().await;
    for names in [&[".example.org"][..], &[]] {
        let client = bound(&server, names).await;
        let answer = client.new_order(&["www.example.net"]).await;
        assert_refused(&answer, 400, "rejectedIdentifier");
        let mixed = client
            .new_order(&["a.example.org", "www.example.net"])
            .await;
        assert_refused(&mixed, 400, "rejectedIdentifier");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trusted_nobody_comes_in_without_a_binding() {
    let server = server_that_trusts().await;
    let mut client = Client::new(&server.directory_url("inside")).await;
    assert_refused(&client.register().await, 403, "externalAccountRequired");
    let spec = DirectorySpec {
        trusted: true,
        ..DirectorySpec::default()
    };
    let caller = Caller::system();
    let put = server.lifecycle().replace_directory(
        "open".to_owned(),
        spec,
        None,
        Expected::Anything,
        &caller,
    );
    put.await.unwrap_err();
    // Nor does who had an account before the directory began to trust.
    put_directory(&server, "later", |_| {}).await;
    let early = super::super::support::registered_in(&server, "later").await;
    put_directory(&server, "later", |spec| {
        spec.trusted = true;
        spec.external_account_required = true;
    })
    .await;
    let answer = early.new_order(&["www.example.org"]).await;
    assert_refused(&answer, 400, "rejectedIdentifier");
}
