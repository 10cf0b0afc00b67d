//! Deferred work: whose it is, what does not hold it up, and what becomes of it when it fails.

use std::time::Duration;

use domain::role::Role;
use serde_json::Value;
use testkit::acme::Client;
use testkit::issuer::Behaviour;
use testkit::{IssuerDouble, TestServer};

use crate::enroll::Api;
use crate::issuance_rules::finalize;
use crate::pki_frontend::{fetch_crl, lists, revoke};

/// Longer than a lease.
const A_WHILE: Duration = Duration::from_secs(61);
const MOST_OF_A_LEASE: Duration = Duration::from_secs(50);
/// The longest pause between two tries of a job.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// An enrollment whose first try died with its process; its job is held until the lease ends.
async fn died(name: &str) -> (IssuerDouble, TestServer, Client, String) {
    let double = IssuerDouble::default();
    let server = TestServer::start_with_issuers(&double).await;
    let client = server.registered_client().await;
    double.does(Behaviour::Die);
    let (url, answer) = finalize(&server, &client, name).await;
    assert_eq!(answer.json()["status"], "processing", "{}", answer.text);
    (double, server, client, url)
}

async fn status(client: &Client, url: &str) -> Value {
    client.get(url).await.json()["status"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_left_is_taken_up_when_its_lease_ends_and_not_before() {
    let (double, server, client, url) = died("left.example.org").await;
    double.does(Behaviour::Honest);
    server.clock.advance(MOST_OF_A_LEASE);
    server.run_jobs().await;
    assert_eq!(double.times_asked(), 1, "the lease still holds");
    server.clock.advance(A_WHILE);
    server
        .run_jobs_until(async || status(&client, &url).await == "valid")
        .await;
    assert_eq!(double.times_asked(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_work_is_held_for_as_long_as_it_takes_and_nobody_begins_it_anew() {
    let double = IssuerDouble::default();
    let server = TestServer::start_with_issuers(&double).await;
    // On a shared database another node looks for work as well.
    let node = server.second_node().await;
    let client = server.registered_client().await;
    double.does(Behaviour::Hang);
    let (url, answer) = finalize(&server, &client, "slow.example.org").await;
    assert_eq!(answer.json()["status"], "processing", "{}", answer.text);
    // Each time the lease was seen to be extended, most of it goes by: without that it would be over
    // after the second.
    for extended in 1..=2 {
        until_extended(&server, extended).await;
        server.clock.advance(MOST_OF_A_LEASE);
        server.run_jobs().await;
        if let Some(node) = &node {
            node.lifecycle.work_once().await.unwrap();
        }
    }
    assert_eq!(double.times_asked(), 1);
    assert_eq!(status(&client, &url).await, "processing");
    double.does(Behaviour::Honest);
    server
        .run_jobs_until(async || status(&client, &url).await == "valid")
        .await;
    assert_eq!(double.times_asked(), 1);
    if let Some(node) = node {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ca_that_says_nothing_holds_up_no_other_job() {
    let double = IssuerDouble::default();
    let server = TestServer::start_with_issuers(&double).await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["revoked.example.org"]).await;
    double.does(Behaviour::Die);
    let (url, _) = finalize(&server, &client, "silent.example.org").await;
    double.does(Behaviour::Hang);
    server.clock.advance(A_WHILE);
    // Asked before, by the one that died, and now by a job that gets no answer.
    double.until_asked(3).await;
    revoke(&client, &issued).await;
    let listed = async {
        while !lists(&fetch_crl(&server).await, &issued.leaf().serial) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), listed).await;
    in_time.expect("the CRL is made while the CA says nothing");
    assert_eq!(status(&client, &url).await, "processing");
    double.does(Behaviour::Honest);
    server
        .run_jobs_until(async || status(&client, &url).await == "valid")
        .await;
}

/// The sum of a counter's lines that say all of `labels`.
async fn counted(server: &TestServer, name: &str, labels: &[&str]) -> u64 {
    let page = server.metrics().await;
    let wanted =
        |line: &&str| line.starts_with(name) && labels.iter().all(|label| line.contains(label));
    let counts = page
        .lines()
        .filter(wanted)
        .filter_map(|line| line.rsplit_once(' '));
    counts.map(|(_, count)| count.parse::<u64>().unwrap()).sum()
}

/// How often jobs of a kind failed.
async fn failures(server: &TestServer, kind: &str) -> u64 {
    let kind = format!("kind=\"{kind}\"");
    let labels = [kind.as_str(), "outcome=\"failed\""];
    counted(server, "certwright_job_duration_seconds_count", &labels).await
}

/// Waits until leases were extended so often.
async fn until_extended(server: &TestServer, times: u64) {
    let extended = async {
        while counted(
            server,
            "certwright_store_seconds_count",
            &["name=\"job.hold\""],
        )
        .await
            < times
        {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(120), extended).await;
    in_time.expect("the lease of slow work is extended");
}

async fn told(api: &Api, name: &str) -> Vec<Value> {
    let body = api.get(&format!("/api/v1/audit?name={name}")).await;
    body["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_keeps_failing_is_tried_every_quarter_of_an_hour_and_told_of_once() {
    let double = IssuerDouble::default();
    let server = TestServer::start_with_issuers(&double).await;
    let api = Api::of(&server, Role::Administrator).await;
    server.run_jobs().await;
    double.signer_is_down(true);
    // A CRL is made twice a day.
    server.clock.advance(Duration::from_secs(13 * 60 * 60));
    let failed = async |times: u64| {
        server
            .run_jobs_until(async || failures(&server, "refresh-crl").await >= times)
            .await;
        failures(&server, "refresh-crl").await
    };
    assert_eq!(failed(2).await, 2, "of the root and of the issuing CA");
    for round in 2..=12 {
        assert!(round > 3 || told(&api, "job.failing").await.is_empty());
        server.clock.advance(LONGEST_PAUSE);
        assert_eq!(failed(2 * round).await, 2 * round);
    }
    server.clock.advance(LONGEST_PAUSE - Duration::from_secs(1));
    server.run_jobs().await;
    assert_eq!(failed(24).await, 24, "the pause is a quarter of an hour");
    let failing = told(&api, "job.failing").await;
    assert_eq!(failing.len(), 2, "{failing:?}");
    for event in &failing {
        assert_eq!(event["data"]["kind"], "refresh-crl", "{event}");
        assert_eq!(event["data"]["failures"], 3, "{event}");
        let error = event["data"]["error"].as_str().unwrap();
        assert!(error.contains("the signing device refused"), "{error}");
    }
    assert!(told(&api, "job.recovered").await.is_empty());
    double.signer_is_down(false);
    server.clock.advance(LONGEST_PAUSE);
    server
        .run_jobs_until(async || told(&api, "job.recovered").await.len() == 2)
        .await;
    assert_eq!(told(&api, "job.failing").await.len(), 2);
}
