//! What the server does by itself, month after month.

use std::time::Duration;

use testkit::TestServer;

/// What comes back by itself on every server.
const PERIODIC: [&str; 6] = [
    "clean-up",
    "close-incidents",
    "refresh-crl",
    "sign-checkpoint",
    "watch-expiry",
    "watch-issuers",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn months_go_by_and_what_expired_is_gone_and_no_job_fails() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    client.issue(&server, &["kept.example.org"]).await;
    let (order, _) = client.ready_order(&server, &["left.example.org"]).await;
    client.get(&order).await.assert_status(200);
    // An order ends after a week and is kept for ninety days.
    for _ in 0..14 {
        server.clock.advance(Duration::from_secs(7 * 24 * 60 * 60));
        server.run_jobs().await;
    }
    client.get(&order).await.assert_status(404);
    let page = server.metrics().await;
    let counts: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with("certwright_job_duration_seconds_count"))
        .collect();
    let failed = counts.iter().filter(|line| line.contains("failed"));
    assert_eq!(failed.count(), 0, "{counts:#?}");
    for kind in PERIODIC {
        let done = |line: &&str| line.contains(&format!("kind=\"{kind}\""));
        assert!(counts.iter().any(done), "{kind}: {counts:#?}");
    }
}
