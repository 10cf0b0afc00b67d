//! What a CA issued elsewhere, and how issuers are.

use std::time::Duration;

use serde_json::json;
use testkit::TestServer;
use testkit::vault::{Fault, TOKEN, TestVault};

use super::{administrator, create, events};
use crate::enroll::Api;

async fn with_vault() -> (TestServer, TestVault, Api) {
    let (server, vault) = (TestServer::start().await, TestVault::start().await);
    let api = administrator(&server).await;
    let settings = json!({ "url": vault.url(), "role": "web" });
    create(&api, "vault", "vault", settings, json!({ "token": TOKEN }))
        .await
        .expect(201);
    (server, vault, api)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_ca_issued_and_revoked_elsewhere_shows_up_here() {
    let (server, vault, api) = with_vault().await;
    let der = vault.issue_to_somebody_else("shadow.example.org");
    let sync = "/api/v1/issuers/vault/sync";
    api.post(sync, json!({})).await.expect(202);
    let list = "/api/v1/certificates?name=shadow.example.org";
    server
        .run_jobs_until(async || !api.get(list).await["items"].as_array().unwrap().is_empty())
        .await;
    let found = api.get(list).await["items"][0].clone();
    assert_eq!(found["origin"], "discovered", "{found}");
    assert_eq!(found["issuer"], "vault");
    assert_eq!(events(&api, "certificate.discovered").await.len(), 1);

    vault.revoke(&der, 1_790_000_000);
    api.post(sync, json!({})).await.expect(202);
    server
        .run_jobs_until(async || events(&api, "certificate.revoked_elsewhere").await.len() == 1)
        .await;
    assert_eq!(api.get(list).await["items"][0]["status"], "revoked");
    server
        .run_jobs_until(async || {
            let report = &api.get("/api/v1/issuers/vault").await["sync"];
            (&report["listed"], &report["revoked"]) == (&json!(1), &json!(1))
        })
        .await;
    // A CA of our own has nothing to be looked through.
    let ours = "/api/v1/issuers/issuing/sync";
    api.post(ours, json!({})).await.expect(409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_does_not_work_is_told_of_once_and_again_when_it_does() {
    let (server, vault, api) = with_vault().await;
    let healthy = async || api.get("/api/v1/issuers/vault").await["health"]["healthy"].as_bool();
    let turn = || server.clock.advance(Duration::from_secs(16 * 60));
    turn();
    server
        .run_jobs_until(async || healthy().await == Some(true))
        .await;
    vault.fails(Fault::Broken);
    for _ in 0..3 {
        turn();
        server
            .run_jobs_until(async || healthy().await == Some(false))
            .await;
    }
    let told = events(&api, "issuer.unhealthy").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].to_string().contains("sealed") || told[0].to_string().contains("reach"));
    vault.fails(Fault::None);
    turn();
    server
        .run_jobs_until(async || healthy().await == Some(true))
        .await;
    assert_eq!(events(&api, "issuer.recovered").await.len(), 1);
}
