//! An ACME CA that sets limits, and one that points elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::service::{Asked, TestService, Told};

use super::Desk;

/// A CA with accounts, which answers newOrder as the test says.
struct Grumpy {
    service: TestService,
    orders: Arc<AtomicUsize>,
}

impl Grumpy {
    async fn start(order_host: Option<&'static str>) -> Self {
        let orders = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&orders);
        let handler = move |asked: Asked| {
            let base = format!("https://{}", asked.headers["host"].to_str().unwrap());
            match asked.path.as_str() {
                "/directory" => Told::json(200, &directory(&base, order_host)),
                "/account" => Told::json(201, &json!({"status": "valid"}))
                    .with("location", format!("{base}/account/1")),
                "/order" => {
                    counted.fetch_add(1, Ordering::SeqCst);
                    Told::json(
                        429,
                        &json!({
                            "type": "urn:ietf:params:acme:error:rateLimited",
                            "detail": "too many certificates for limited.example.org",
                        }),
                    )
                    .with("retry-after", "7200")
                }
                _ => Told::json(200, &json!({})),
            }
            .with("replay-nonce", "bm9uY2U")
        };
        Self {
            service: TestService::start(None, Arc::new(handler)).await,
            orders,
        }
    }

    fn settings(&self) -> Value {
        json!({
            "directory_url": format!("{}/directory", self.service.url()),
            "trust_anchors": self.service.certificate,
            "solver": {"challenge": "http-01"},
        })
    }
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
    desk.server.clock.advance(Duration::from_secs(2 * 3600));
    let again = async || ca.orders.load(Ordering::SeqCst) > 1;
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
