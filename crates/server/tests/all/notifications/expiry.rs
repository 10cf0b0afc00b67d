//! S11: a notice for a certificate, a threshold and a channel is sent once; what is renewed sends none.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::receiver::Receiver;

use super::{Api, received, settle};
use crate::pki_frontend::revoke;

const DAY: Duration = Duration::from_secs(24 * 3600);
const NOTICES: [&str; 3] = [
    "certificate.expiring",
    "certificate.expired",
    "renewal.overdue",
];

/// A server whose certificates live a hundred days, and a receiver of all notices.
async fn start(on_postgres: bool) -> (TestServer, Api, Receiver) {
    let server = match on_postgres {
        true => TestServer::start_on_postgres().await,
        false => TestServer::start().await,
    };
    let (api, receiver) = (Api::of(&server).await, Receiver::start().await);
    let mut profile = api.get(&server, "profiles/default").await["rules"].clone();
    profile["validity_seconds"] = json!(100 * DAY.as_secs());
    api.put(&server, "profiles/default", profile).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    api.subscribe(&server, "hook", &receiver, &NOTICES).await;
    (server, api, receiver)
}

/// Goes on by days, a look at every one of them.
async fn pass(server: &TestServer, days: u32) {
    for _ in 0..days {
        server.clock.advance(DAY);
        settle_quickly(server).await;
    }
}

async fn settle_quickly(server: &TestServer) {
    server.run_jobs().await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    server.run_jobs().await;
}

fn told(receiver: &Receiver) -> Vec<(String, u64)> {
    receiver
        .posts()
        .iter()
        .map(|post| {
            let event = post.json();
            let name = event["name"].as_str().unwrap().to_owned();
            (name, event["data"]["threshold"].as_u64().unwrap())
        })
        .collect()
}

fn notice(name: &str, threshold: u64) -> (String, u64) {
    (name.to_owned(), threshold)
}

async fn alerts(server: &TestServer, api: &Api, state: &str) -> Vec<Value> {
    let page = api.get(server, &format!("alerts?state={state}")).await;
    page["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s11_each_threshold_is_told_once_across_restarts_and_clocks() {
    let (mut server, api, receiver) = start(false).await;
    let client = server.registered_client().await;
    client.issue(&server, &["ends.example.org"]).await;
    // The renewal window is around day 67, and there is some grace.
    pass(&server, 70).await;
    assert_eq!(told(&receiver), []);
    pass(&server, 5).await;
    assert_eq!(told(&receiver), [notice("renewal.overdue", 33)]);
    server.crash_and_restart().await;
    pass(&server, 2).await;
    server.clock.jump(-20 * 24 * 3600);
    settle(&server).await;
    server.clock.jump(20 * 24 * 3600);
    settle(&server).await;
    assert_eq!(told(&receiver).len(), 1);
    let open = alerts(&server, &api, "open").await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0]["names"], json!(["ends.example.org"]));
    pass(&server, 25).await;
    settle(&server).await;
    assert_eq!(
        told(&receiver),
        [
            notice("renewal.overdue", 33),
            notice("certificate.expiring", 15),
            notice("certificate.expiring", 5),
            notice("certificate.expired", 0),
        ]
    );
    // One incident, from the first notice on.
    let open = alerts(&server, &api, "open").await;
    assert_eq!((open.len(), &open[0]["threshold"]), (1, &json!(0)));
    let opened = api.get(&server, "audit?name=incident.opened").await;
    assert_eq!(opened["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s11_two_nodes_tell_once() {
    let (server, _api, receiver) = start(true).await;
    let node = server.second_node().await.unwrap();
    let client = server.registered_client().await;
    for name in ["one.example.org", "two.example.org", "three.example.org"] {
        client.issue(&server, &[name]).await;
    }
    for _ in 0..76 {
        server.clock.advance(DAY);
        let lifecycle = node.lifecycle.clone();
        let other = tokio::spawn(async move { lifecycle.work_once().await });
        settle_quickly(&server).await;
        other.await.unwrap().unwrap();
    }
    received(&server, &receiver, 3).await;
    settle(&server).await;
    let overdue = notice("renewal.overdue", 33);
    assert_eq!(told(&receiver), [overdue.clone(), overdue.clone(), overdue]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s11_a_certificate_that_is_renewed_in_time_is_never_told_of() {
    let (server, api, receiver) = start(false).await;
    let client = server.registered_client().await;
    client.issue(&server, &["healthy.example.org"]).await;
    pass(&server, 67).await;
    // Without `replaces`, as clients do that know nothing of renewal information.
    client.issue(&server, &["healthy.example.org"]).await;
    pass(&server, 40).await;
    settle(&server).await;
    assert_eq!(told(&receiver), []);
    assert_eq!(alerts(&server, &api, "open").await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_closes_itself_on_renewal_and_on_revocation() {
    let (server, api, receiver) = start(false).await;
    let opened = Receiver::start().await;
    api.subscribe(&server, "incidents", &opened, &["incident.*"])
        .await;
    let client = server.registered_client().await;
    client.issue(&server, &["renewed.example.org"]).await;
    let revoked = client.issue(&server, &["revoked.example.org"]).await;
    pass(&server, 75).await;
    received(&server, &receiver, 2).await;
    let open = alerts(&server, &api, "open").await;
    assert_eq!(open.len(), 2);
    let id = open[0]["id"].as_str().unwrap();
    let path = format!("alerts/{id}/acknowledge");
    let note = json!({"note": "ticket 4711"});
    let (status, taken) = api
        .call(&server, Method::POST, &path, Some(note.clone()))
        .await;
    assert_eq!(status, StatusCode::OK, "{taken}");
    assert_eq!(taken["state"], "acknowledged");
    assert_eq!(taken["acknowledgement"]["note"], "ticket 4711");
    client.issue(&server, &["renewed.example.org"]).await;
    revoke(&client, &revoked).await;
    server
        .run_jobs_until(async || {
            server.clock.advance(Duration::from_secs(61));
            alerts(&server, &api, "closed").await.len() == 2
        })
        .await;
    let mut reasons: Vec<String> = alerts(&server, &api, "closed")
        .await
        .iter()
        .map(|alert| alert["closing_reason"].as_str().unwrap().to_owned())
        .collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["renewed", "revoked"]);
    let (status, _) = api.call(&server, Method::POST, &path, Some(note)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    received(&server, &opened, 5).await;
    let mut names = opened.names();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "incident.acknowledged",
            "incident.closed",
            "incident.closed",
            "incident.opened",
            "incident.opened",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_has_a_ladder_of_its_own() {
    let (server, api, receiver) = start(false).await;
    let rule = json!({
        "channels": ["hook"], "ladder": [20, 10],
        "events": ["certificate.expiring", "certificate.expired"],
    });
    api.put(&server, "notification-rules/hook", rule).await;
    let client = server.registered_client().await;
    client.issue(&server, &["ladder.example.org"]).await;
    pass(&server, 102).await;
    settle(&server).await;
    assert_eq!(
        told(&receiver),
        [
            notice("certificate.expiring", 20),
            notice("certificate.expiring", 10),
        ]
    );
}
