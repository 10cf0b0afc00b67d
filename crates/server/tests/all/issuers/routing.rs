//! Who of several issuers signs: preference, conditions, failover, breaker, quotas.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::Client;
use testkit::vault::{Fault, TOKEN, TestVault};

use super::{administrator, create, finalize, route_to};
use crate::enroll::Api;

/// Two issuers, `a` before `b`.
pub(super) struct Pair {
    pub(super) server: TestServer,
    pub(super) api: Api,
    pub(super) client: Client,
    pub(super) a: TestVault,
    pub(super) b: TestVault,
}

impl Pair {
    pub(super) async fn start() -> Self {
        let server = TestServer::start().await;
        let api = administrator(&server).await;
        let (a, b) = (TestVault::start().await, TestVault::start().await);
        for (name, url) in [("a", a.url()), ("b", b.url())] {
            vault(&api, name, &url).await;
        }
        route_to(&api, json!([prefer("a", 0), prefer("b", 1)])).await;
        let client = server.registered_client().await;
        Self {
            server,
            api,
            client,
            a,
            b,
        }
    }

    pub(super) async fn issue(&self, name: &str) {
        self.client.issue(&self.server, &[name]).await;
    }

    pub(super) fn signed(&self) -> (usize, usize) {
        (self.a.signed(), self.b.signed())
    }

    async fn live(&self, name: &str) -> Value {
        self.api.get(&format!("/api/v1/issuers/{name}")).await["live"].clone()
    }

    pub(super) async fn limit(&self, name: &str, limits: Value) {
        let path = format!("/api/v1/issuers/{name}/limits");
        let changed = self.api.call(Method::PUT, &path, Some(limits)).await;
        changed.expect(200);
    }

    pub(super) async fn until_valid(&self, url: &str) {
        self.server
            .run_jobs_until(async || {
                self.server.clock.advance(Duration::from_secs(30));
                self.client.get(url).await.json()["status"] == "valid"
            })
            .await;
    }
}

async fn vault(api: &Api, name: &str, url: &str) {
    let settings = json!({ "url": url, "role": "web" });
    create(api, name, "vault", settings, json!({ "token": TOKEN }))
        .await
        .expect(201);
}

pub(super) fn prefer(issuer: &str, tier: u32) -> Value {
    json!({ "issuer": issuer, "weight": 1, "tier": tier })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_was_asked_of_the_first_issuer_the_next_one_signs() {
    let pair = Pair::start().await;
    pair.issue("one.example.org").await;
    assert_eq!(pair.signed(), (1, 0), "the first tier signs");
    // Nobody listens there.
    vault(&pair.api, "gone", "http://127.0.0.1:9").await;
    route_to(&pair.api, json!([prefer("gone", 0), prefer("b", 1)])).await;
    let (url, _) = finalize(&pair.server, &pair.client, "two.example.org").await;
    pair.until_valid(&url).await;
    assert_eq!(pair.signed(), (1, 1));
    // Turned away at the door is not asked either.
    route_to(&pair.api, json!([prefer("a", 0), prefer("b", 1)])).await;
    pair.a.fails(Fault::Throttled);
    let (url, _) = finalize(&pair.server, &pair.client, "three.example.org").await;
    pair.until_valid(&url).await;
    assert_eq!(pair.signed(), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_may_have_been_signed_is_asked_of_no_other_issuer() {
    let pair = Pair::start().await;
    pair.a.fails(Fault::Broken);
    let (url, order) = finalize(&pair.server, &pair.client, "one.example.org").await;
    assert_eq!(order["status"], "processing");
    for _ in 0..5 {
        pair.server.clock.advance(Duration::from_secs(60));
        pair.server.run_jobs().await;
    }
    assert_eq!(pair.signed(), (0, 0), "`b` is fit and is not asked");
    pair.a.fails(Fault::None);
    pair.until_valid(&url).await;
    assert_eq!(pair.signed(), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_fails_again_and_again_is_left_alone_and_tried_again() {
    let pair = Pair::start().await;
    pair.a.fails(Fault::Broken);
    let (url, _) = finalize(&pair.server, &pair.client, "stuck.example.org").await;
    pair.server
        .run_jobs_until(async || {
            pair.server.clock.advance(Duration::from_secs(15));
            pair.live("a").await["failures_in_a_row"].as_u64() >= Some(5)
        })
        .await;
    let live = pair.live("a").await;
    assert_ne!(live["breaker"], "closed", "{live}");
    assert!(
        live["last_error"].as_str().unwrap().contains("500"),
        "{live}"
    );
    pair.issue("next.example.org").await;
    assert_eq!(pair.signed().1, 1, "others go to `b` at once");
    pair.a.fails(Fault::None);
    pair.until_valid(&url).await;
    pair.server
        .run_jobs_until(async || pair.live("a").await["breaker"] == "closed")
        .await;
    pair.issue("back.example.org").await;
    assert_eq!(pair.signed(), (2, 1));
    let shares = [pair.live("a").await, pair.live("b").await].map(|live| live["share"].as_f64());
    let sum: f64 = shares.into_iter().flatten().sum();
    assert!((sum - 1.0).abs() < 0.001, "{shares:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_on_names_decide_who_signs() {
    let pair = Pair::start().await;
    let intern = json!({
        "issuer": "a", "weight": 1, "when": { "names": [".intern.example.org"] },
    });
    route_to(&pair.api, json!([intern, prefer("b", 1)])).await;
    pair.issue("x.intern.example.org").await;
    pair.issue("www.example.org").await;
    assert_eq!(pair.signed(), (1, 1));
    let path = "/api/v1/profiles/default";
    let mut rules = pair.api.get(path).await["rules"].clone();
    rules["issuers"][0]["when"]["names"] = json!(["not a name"]);
    let refused = pair
        .api
        .call(Method::PUT, path, Some(rules))
        .await
        .expect(400);
    assert!(
        refused.to_string().contains("issuers[0].when.names[0]"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_whose_quota_is_used_up_signs_no_more_until_it_begins_anew() {
    let pair = Pair::start().await;
    pair.limit("a", json!({ "per_hour": 2 })).await;
    for name in ["one.example.org", "two.example.org", "three.example.org"] {
        pair.issue(name).await;
    }
    assert_eq!(pair.signed(), (2, 1), "the third goes to the next issuer");
    let usage = &pair.live("a").await["usage"][0];
    assert_eq!((&usage["used"], &usage["limit"]), (&json!(2), &json!(2)));
    pair.server.clock.advance(Duration::from_secs(3600));
    pair.issue("four.example.org").await;
    assert_eq!(pair.signed(), (3, 1));
}
