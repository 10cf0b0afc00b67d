//! A CA elsewhere that says when to renew (RFC 9773): its window becomes ours, and it learns what an order
//! replaces.

use std::time::Duration;

use domain::clock::Clock;
use pki::key::{KeyAlgorithm, LocalKey};
use pki::time::Timestamp;
use serde_json::json;
use testkit::acme::{Client, Issued, csr_for};
use testkit::acme_ca::{TestAcmeCa, name_of};

use super::Desk;

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn start() -> (Desk, TestAcmeCa, Client) {
    let (desk, ca) = (Desk::start().await, TestAcmeCa::start().await);
    ca.tells_windows();
    desk.configure("acme", ca.settings(), json!({})).await;
    desk.route_to("acme").await;
    let client = desk.server.registered_client().await;
    (desk, ca, client)
}

/// A certificate by ACME, of a CA that signs at the second look.
async fn issue(desk: &Desk, client: &Client, name: &str, replaces: Option<&Issued>) -> Issued {
    let extra = match replaces {
        Some(issued) => json!({ "replaces": issued.cert_id() }),
        None => json!({}),
    };
    let made = client.new_order_with(&[name], extra).await;
    made.assert_status(201);
    let (url, order) = (made.location(), made.json());
    client.authorize(&desk.server, &order).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let answer = client.finalize(&order, &csr_for(&[name], &key)).await;
    answer.assert_status(200);
    let order = desk.decided(client, &url).await;
    assert_eq!(order["status"], "valid", "{order}");
    let certificate_url = order["certificate"].as_str().unwrap().to_owned();
    let pem = client.get(&certificate_url).await.text;
    Issued {
        key,
        chain: pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap(),
        pem,
        order_url: url,
        certificate_url,
    }
}

/// What our own renewal information says of a certificate.
async fn window(client: &Client, issued: &Issued) -> (Timestamp, Timestamp) {
    let url = format!("{}/{}", client.at("renewalInfo"), issued.cert_id());
    let answer = client.http.get(url).send().await.unwrap();
    let info: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let at = |name: &str| serde_json::from_value(info["suggestedWindow"][name].clone()).unwrap();
    (at("start"), at("end"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_that_the_ca_pulls_forward_reaches_the_client_and_the_ca_learns_what_is_replaced()
{
    let (desk, ca, client) = start().await;
    let first = issue(&desk, &client, "w.example.org", None).await;
    let own = window(&client, &first).await;
    // A window behind ours changes nothing.
    let later = own.0 + HOUR * 24;
    ca.renew_between(&first.chain[0], later, later + HOUR);
    let asked = async || ca.asked_for_windows() > 0;
    desk.server.clock.advance(HOUR);
    desk.server.run_jobs_until(asked).await;
    assert_eq!(window(&client, &first).await, own);

    // One before ours does, once the CA wants to be asked again.
    let now = desk.server.clock.now().floor_to_second();
    ca.renew_between(&first.chain[0], now, now + HOUR);
    desk.server.clock.advance(HOUR * 7);
    let is_pulled = async || window(&client, &first).await == (now, now + HOUR);
    desk.server.run_jobs_until(is_pulled).await;
    let events = desk
        .api
        .get("/api/v1/audit?name=certificate.renewal_advised");
    let events = events.await;
    assert_eq!(events["items"].as_array().unwrap().len(), 2, "{events}");

    let second = issue(&desk, &client, "w.example.org", Some(&first)).await;
    assert_eq!(ca.replaced(), [None, Some(name_of(&first.chain[0]))]);
    // What has a successor is not to be renewed again.
    assert_eq!(window(&client, &first).await, own);
    assert_ne!(second.chain[0], first.chain[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_made_without_a_predecessor_that_the_ca_does_not_take() {
    let (desk, ca, client) = start().await;
    let first = issue(&desk, &client, "p.example.org", None).await;
    ca.knows_no_predecessors();
    issue(&desk, &client, "p.example.org", Some(&first)).await;
    assert_eq!(ca.replaced(), [None, None]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_issuer_signed_is_no_predecessor_at_the_ca() {
    let (desk, ca, client) = start().await;
    desk.route_to("issuing").await;
    let first = client.issue(&desk.server, &["o.example.org"]).await;
    desk.route_to("acme").await;
    issue(&desk, &client, "o.example.org", Some(&first)).await;
    assert_eq!(ca.replaced(), [None]);
}
