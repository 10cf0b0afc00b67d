//! The directory (RFC 8555 section 7.1.1).

use domain::acme::directory::Caa;
use serde_json::Value;
use testkit::TestServer;
use testkit::acme::Client;

use super::super::support::put_directory;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_1_1_the_directory_lists_every_resource_by_its_whole_url() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    for resource in [
        "newNonce",
        "newAccount",
        "newOrder",
        "newAuthz",
        "revokeCert",
        "keyChange",
        "renewalInfo",
    ] {
        assert!(client.at(resource).starts_with(&server.url()), "{resource}");
    }
    let url = server.directory_url("default");
    let response = client.http.get(&url).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.headers().get("link").is_none());
    let asked: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    // A client that signs everything may sign this, too.
    let signed = client.get(&url).await;
    signed.assert_status(200);
    assert_eq!(signed.json(), asked);
    assert!(signed.header("replay-nonce").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_1_1_the_directory_tells_what_clients_have_to_know() {
    let server = TestServer::start().await;
    put_directory(&server, "default", |spec| {
        spec.terms_of_service = Some("https://ca.test/terms/2".to_owned());
        spec.website = Some("https://ca.test/".to_owned());
        spec.caa = Caa::Enforced;
        spec.caa_identities = vec!["ca.test".to_owned()];
        spec.external_account_required = true;
        spec.pre_authorization = false;
    })
    .await;
    let client = Client::new(&server.directory_url("default")).await;
    let meta = &client.directory["meta"];
    assert_eq!(meta["termsOfService"], "https://ca.test/terms/2");
    assert_eq!(meta["website"], "https://ca.test/");
    assert_eq!(meta["caaIdentities"], serde_json::json!(["ca.test"]));
    assert_eq!(meta["externalAccountRequired"], true);
    assert_eq!(meta["issuerDomainNames"], serde_json::json!(["ca.test"]));
    assert!(
        meta["accountHashPrefix"]
            .as_str()
            .unwrap()
            .starts_with(&server.url())
    );
    let profiles = meta["profiles"].as_object().unwrap();
    assert!(profiles.contains_key("default") && profiles.contains_key("short-lived"));
    assert!(
        profiles
            .values()
            .all(|text| !text.as_str().unwrap().is_empty())
    );
    assert!(client.directory.get("newAuthz").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_1_1_each_directory_has_urls_of_its_own() {
    let server = TestServer::start().await;
    put_directory(&server, "other", |_| {}).await;
    let first = server.client().await;
    let second = Client::new(&server.directory_url("other")).await;
    for resource in ["newNonce", "newAccount", "newOrder"] {
        assert_ne!(first.at(resource), second.at(resource));
    }
}
