//! What is not a maker's word, or not about this key, this device, this challenge.

use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use serde_json::json;
use testkit::TestServer;
use testkit::acme::Client;

use super::cbor;
use super::maker::{DeviceOrder, Maker, permanent, request, trusting};

/// The challenge ends invalid, for a reason with this text.
async fn refused(client: &Client, object: impl AsyncFnOnce(&DeviceOrder) -> Vec<u8>, text: &str) {
    let order = DeviceOrder::of(client, "devices", "permanent-identifier", "4711").await;
    let object = object(&order).await;
    let challenge = order.attest(client, &object).await;
    assert_eq!(challenge["status"], "invalid", "{text}: {challenge}");
    let problem = &challenge["error"];
    assert_eq!(
        problem["type"],
        "urn:ietf:params:acme:error:badAttestationStatement"
    );
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(text), "{text}: {detail}");
    let order = client.get(&order.url).await.json();
    assert_eq!(order["status"], "invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attestation_that_does_not_hold_is_refused_with_its_reason() {
    let server = TestServer::start().await;
    let (maker, stranger) = (Maker::new("Maker"), Maker::new("Maker"));
    trusting(&server, "device", "devices", &[("step", &maker)]).await;
    let client = server.registered_client().await;
    let client = &client;
    let device = maker.device(4711);
    let answer = |order: &DeviceOrder| device.step(&order.key_authorization(client));

    let stale = device.step("another token.and thumbprint");
    refused(client, async |_| stale, "signature is not valid").await;
    let other = maker.device(4712);
    let by_other = async |order: &DeviceOrder| other.step(&order.key_authorization(client));
    refused(client, by_other, "it names 4712").await;
    let foreign = stranger.device(4711);
    let by_foreign = async |order: &DeviceOrder| foreign.step(&order.key_authorization(client));
    refused(client, by_foreign, "no trusted root").await;
    let forged = async |order: &DeviceOrder| {
        let thief = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let text = order.key_authorization(client);
        device.step_signed(&thief.sign(text.as_bytes()).unwrap())
    };
    refused(client, forged, "signature is not valid").await;
    let trailing = async |order: &DeviceOrder| [answer(order), vec![0]].concat();
    refused(client, trailing, "octets follow its end").await;
    let deep = vec![0x81; 1000];
    refused(client, async |_| deep, "nested too deeply").await;
    let endless = vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    refused(client, async |_| endless, "too long").await;
    let bare = cbor::object("step", &[("x5c", cbor::list(&[]))]);
    refused(client, async |_| bare, "x5c").await;
    let of_apple = async |order: &DeviceOrder| device.apple("4711", order.token());
    refused(client, of_apple, "no root of a maker is trusted for it").await;
    let chain = cbor::object("hsm", &[("x5c", cbor::list(&[]))]);
    refused(client, async |_| chain, "`hsm`").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_attested_key_is_certified() {
    let server = TestServer::start().await;
    let maker = Maker::new("Maker");
    trusting(&server, "device", "devices", &[("step", &maker)]).await;
    let client = server.registered_client().await;
    let device = maker.device(4711);
    let order = DeviceOrder::of(&client, "devices", "permanent-identifier", "4711").await;
    let object = device.step(&order.key_authorization(&client));
    assert_eq!(order.attest(&client, &object).await["status"], "valid");
    let other = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let csr = request("CN=press", &[permanent("4711")], &other);
    let answer = client.finalize(&order.order, &csr).await;
    answer.assert_problem(400, "badCSR");
    assert!(answer.text.contains("another key than the one attested"));
    // Nor another name than the attested one.
    let csr = request("CN=press", &[permanent("4712")], &device.key);
    let answer = client.finalize(&order.order, &csr).await;
    answer.assert_problem(400, "badCSR");
    // The order is still good for the right request.
    let csr = request("CN=press", &[permanent("4711")], &device.key);
    client.finalize(&order.order, &csr).await.assert_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_without_attestation_leaves_the_challenge_open() {
    let server = TestServer::start().await;
    let maker = Maker::new("Maker");
    trusting(&server, "device", "devices", &[("step", &maker)]).await;
    let client = server.registered_client().await;
    let device = maker.device(4711);
    let order = DeviceOrder::of(&client, "devices", "permanent-identifier", "4711").await;
    let answer = client.respond(&order.challenge).await;
    answer.assert_problem(400, "malformed");
    assert!(answer.text.contains("attObj"), "{}", answer.text);
    let object = device.step(&order.key_authorization(&client));
    assert_eq!(order.attest(&client, &object).await["status"], "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_for_devices_need_a_good_form_and_a_profile_that_trusts_a_maker() {
    let server = TestServer::start().await;
    trusting(&server, "device", "devices", &[]).await;
    let client = server.registered_client().await;
    for (kind, value, profile, problem) in [
        ("permanent-identifier", "a/b/1.2.3", "devices", "malformed"),
        ("permanent-identifier", "a/x", "devices", "malformed"),
        ("hardware-module", "SN-7", "devices", "malformed"),
        (
            "permanent-identifier",
            "4711",
            "devices",
            "rejectedIdentifier",
        ),
        (
            "permanent-identifier",
            "4711",
            "default",
            "rejectedIdentifier",
        ),
    ] {
        let payload = json!({
            "identifiers": [{ "type": kind, "value": value }],
            "profile": profile,
        });
        let answer = client.post(&client.at("newOrder"), &payload).await;
        assert!(
            answer.problem().ends_with(problem),
            "{value} under {profile}: {}",
            answer.text
        );
    }
}
