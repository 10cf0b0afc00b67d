//! Whoever waits for a CA elsewhere that has taken a request is told what happens.

use serde_json::{Value, json};
use testkit::adcs::FakeAdcs;
use testkit::peer::Fault;

use super::Desk;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_look_at_a_request_over_there_met_with_is_told_with_the_time_of_the_next() {
    let (desk, ca) = (Desk::start().await, FakeAdcs::start("a password").await);
    let secrets = json!({"password": "a password"});
    desk.configure("adcs", ca.settings("ntlm"), secrets).await;
    desk.route_to("adcs").await;
    ca.peer.fails(Fault::Waiting);
    let place = desk.ask(&["slow.example.org"]).await;
    desk.reaches(&place, "awaiting-issuer").await;
    let state = desk.state(&place).await;
    assert_eq!(state["reason"], Value::Null, "{state}");
    ca.peer.fails(Fault::Broken);
    let told = async || desk.state(&place).await["reason"].is_string();
    assert!(
        desk.tick_until(5, told).await,
        "{}",
        desk.state(&place).await
    );
    let state = desk.state(&place).await;
    assert_eq!(state["status"], "awaiting-issuer", "{state}");
    assert!(state["reason"].as_str().unwrap().contains("500"), "{state}");
    let next: pki::time::Timestamp = state["poll_at"].as_str().unwrap().parse().unwrap();
    assert!(
        next > state["updated_at"].as_str().unwrap().parse().unwrap(),
        "{state}"
    );
    // A look that is answered leaves nothing to explain.
    ca.peer.fails(Fault::Waiting);
    let answered = async || desk.state(&place).await["reason"].is_null();
    assert!(
        desk.tick_until(5, answered).await,
        "{}",
        desk.state(&place).await
    );
    ca.peer.fails(Fault::None);
    let state = desk.settle(&place, 60).await;
    assert_eq!(state["status"], "issued", "{state}");
}
