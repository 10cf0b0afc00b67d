//! An ACME CA that sets limits, and one that points elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pki::time::Timestamp;
use serde_json::{Value, json};
use testkit::service::{Asked, TestService, Told};

use super::{Desk, says};

/// A CA with accounts, which answers newOrder as the test says.
struct Grumpy {
    service: TestService,
    orders: Arc<AtomicUsize>,
    looks: Arc<AtomicUsize>,
}

/// What it has had enough of.
#[derive(Clone, Copy)]
enum Mood {
    TheseNames,
    Orders,
    /// It takes orders, but does not want to be asked after them.
    Looks,
}

impl Grumpy {
    async fn start(order_host: Option<&'static str>) -> Self {
        Self::in_mood(Mood::TheseNames, order_host).await
    }

    async fn in_mood(mood: Mood, order_host: Option<&'static str>) -> Self {
        let (orders, looks) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (counted, looked) = (Arc::clone(&orders), Arc::clone(&looks));
        let handler = move |asked: Asked| {
            let base = format!("https://{}", asked.headers["host"].to_str().unwrap());
            match asked.path.as_str() {
                "/directory" => Told::json(200, &directory(&base, order_host)),
                "/account" => Told::json(201, &json!({"status": "valid"}))
                    .with("location", format!("{base}/account/1")),
                "/order" => {
                    counted.fetch_add(1, Ordering::SeqCst);
                    match mood {
                        Mood::TheseNames => {
                            limited("too many certificates for limited.example.org", "7200")
                        }
                        Mood::Orders => limited("too many new orders from this account", "1800"),
                        Mood::Looks => Told::json(201, &json!({"status": "pending"}))
                            .with("location", format!("{base}/order/1")),
                    }
                }
                "/order/1" => {
                    looked.fetch_add(1, Ordering::SeqCst);
                    limited("too many requests", "1800")
                }
                _ => Told::json(200, &json!({})),
            }
            .with("replay-nonce", "bm9uY2U")
        };
        Self {
            service: TestService::start(None, Arc::new(handler)).await,
            orders,
            looks,
        }
    }

    fn orders(&self) -> usize {
        self.orders.load(Ordering::SeqCst)
    }

    fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }

    fn settings(&self) -> Value {
        json!({
            "directory_url": format!("{}/directory", self.service.url()),
            "trust_anchors": self.service.certificate,
            "solver": {"challenge": "http-01"},
        })
    }
}

fn limited(detail: &str, retry_after: &str) -> Told {
    let kind = "urn:ietf:params:acme:error:rateLimited";
    Told::json(429, &json!({"type": kind, "detail": detail})).with("retry-after", retry_after)
}

fn directory(base: &str, order_host: Option<&str>) -> Value {
    json!({
        "newNonce": format!("{base}/nonce"),
        "newAccount": format!("{base}/account"),
        "newOrder": format!("{}/order", order_host.unwrap_or(base)),
        "revokeCert": format!("{base}/revoke"),
        "keyChange": format!("{base}/key"),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_the_ca_is_kept_and_shown() {
    let (desk, ca) = (Desk::start().await, Grumpy::start(None).await);
    desk.configure("acme", ca.settings(), json!({})).await;
    desk.route_to("acme").await;
    let place = desk.ask(&["limited.example.org"]).await;
    let asked = async || ca.orders.load(Ordering::SeqCst) > 0;
    desk.server.run_jobs_until(asked).await;
    for _ in 0..20 {
        desk.tick(60).await;
    }
    // In twenty minutes the CA was asked once: it wanted to be left alone for two hours.
    assert_eq!(ca.orders.load(Ordering::SeqCst), 1);
    // Whoever waits is told why, and until when.
    let state = desk.state(&place).await;
    let status = state["status"].as_str().unwrap();
    assert!(["approved", "signing"].contains(&status), "{state}");
    let reason = state["reason"].as_str().unwrap();
    assert!(
        reason.contains("too many certificates for limited.example.org"),
        "{reason}"
    );
    assert!(reason.contains("the CA is asked again after"), "{reason}");
    let lines = desk.test("acme").await.1;
    assert!(
        says(&lines, "limits warning", "limited.example.org: "),
        "{lines:#?}"
    );
    let next: Timestamp = state["poll_at"].as_str().unwrap().parse().unwrap();
    let left = next.since(desk.server.lifecycle().now()).as_secs();
    assert!((3600..7200).contains(&left), "{left} s of two hours left");
    desk.server.clock.advance(Duration::from_secs(2 * 3600));
    let again = async || ca.orders.load(Ordering::SeqCst) > 1;
    desk.server.run_jobs_until(again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_on_all_orders_holds_the_others_back_too_and_over_a_restart() {
    let mut desk = Desk::start().await;
    let ca = Grumpy::in_mood(Mood::Orders, None).await;
    desk.configure("acme", ca.settings(), json!({})).await;
    desk.route_to("acme").await;
    let place = desk.ask(&["one.example.org"]).await;
    let told = async || desk.state(&place).await["reason"].is_string();
    assert!(
        desk.tick_until(1, told).await,
        "{}",
        desk.state(&place).await
    );
    desk.server.crash_and_restart().await;
    let place = desk.ask(&["two.example.org"]).await;
    let told = async || desk.state(&place).await["reason"].is_string();
    assert!(
        desk.tick_until(5, told).await,
        "{}",
        desk.state(&place).await
    );
    let state = desk.state(&place).await;
    assert!(
        state["reason"]
            .as_str()
            .unwrap()
            .contains("from this account"),
        "{state}"
    );
    assert_eq!(ca.orders(), 1, "nothing of the second reached the CA");
    let lines = desk.test("acme").await.1;
    assert!(
        says(&lines, "limits warning", "every order: "),
        "{lines:#?}"
    );
    desk.server.clock.advance(Duration::from_secs(1800));
    let again = async || ca.orders() > 1;
    desk.server.run_jobs_until(again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ca_that_wants_no_requests_for_a_while_is_asked_after_nothing_until_then() {
    let mut desk = Desk::start().await;
    let ca = Grumpy::in_mood(Mood::Looks, None).await;
    desk.configure("acme", ca.settings(), json!({})).await;
    desk.route_to("acme").await;
    let place = desk.ask(&["one.example.org"]).await;
    let told = async || desk.state(&place).await["reason"].is_string();
    assert!(
        desk.tick_until(1, told).await,
        "{}",
        desk.state(&place).await
    );
    let state = desk.state(&place).await;
    assert_eq!(state["status"], "awaiting-issuer", "{state}");
    let at = |name: &str| -> Timestamp { state[name].as_str().unwrap().parse().unwrap() };
    let wait = at("poll_at").since(at("updated_at")).as_secs();
    // Time may go by between the answer and its note.
    assert!((1790..=1800).contains(&wait), "{wait}: {state}");
    assert_eq!(ca.looks(), 1);
    desk.server.crash_and_restart().await;
    desk.ask(&["two.example.org"]).await;
    for _ in 0..5 {
        desk.tick(60).await;
    }
    assert_eq!((ca.orders(), ca.looks()), (1, 1));
    desk.server.clock.advance(Duration::from_secs(1800));
    let again = async || ca.looks() > 1;
    desk.server.run_jobs_until(again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n01_an_upstream_that_points_to_another_host_gets_nothing_sent_there() {
    let desk = Desk::start().await;
    let trap = Grumpy::start(None).await;
    let host: &'static str = Box::leak(trap.service.url().into_boxed_str());
    let ca = Grumpy::start(Some(host)).await;
    desk.configure("acme", ca.settings(), json!({})).await;
    desk.route_to("acme").await;
    let place = desk.ask(&["elsewhere.example.org"]).await;
    let state = desk.settle(&place, 5).await;
    assert_eq!(state["status"], "failed", "{state}");
    let reason = state["reason"].as_str().unwrap();
    assert!(reason.contains("not below its own host"), "{reason}");
    assert_eq!(trap.orders.load(Ordering::SeqCst), 0);
}
