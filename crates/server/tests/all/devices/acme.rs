//! The whole way of a device: order, attestation, certificate, inventory, audit.

use pki::certificate::Certificate;
use pki::name::HardwareModule;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::Client;

use super::maker::{DeviceOrder, Maker, permanent, request, trusting};

/// Finalizes and gives the leaf.
pub async fn certified(client: &Client, order: &DeviceOrder, csr: &[u8]) -> Certificate {
    client.finalize(&order.order, csr).await.assert_status(200);
    let settled = client.settled(&order.url).await;
    assert_eq!(settled["status"], "valid", "{settled}");
    let url = settled["certificate"].as_str().unwrap();
    let pem = client.get(url).await.text;
    let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
    Certificate::from_der(&chain[0]).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_security_key_gets_a_certificate_for_its_serial_number() {
    let server = TestServer::start().await;
    let maker = Maker::new("Maker of keys");
    let api = trusting(&server, "device", "devices", &[("step", &maker)]).await;
    let client = server.registered_client().await;
    let device = maker.device(4711);
    let order = DeviceOrder::of(&client, "devices", "permanent-identifier", "4711").await;
    let challenge = order
        .attest(&client, &device.step(&order.key_authorization(&client)))
        .await;
    assert_eq!(challenge["status"], "valid", "{challenge}");
    let csr = request("CN=press", &[permanent("4711")], &device.key);
    let leaf = certified(&client, &order, &csr).await;
    assert_eq!(leaf.names, [permanent("4711")]);

    let found = api.get("/api/v1/certificates?name=4711").await;
    let id = found["items"][0]["id"].as_str().unwrap();
    let shown = api.get(&format!("/api/v1/certificates/{id}")).await;
    assert_eq!(shown["names"], json!(["4711"]));
    let attested = &shown["key_evidence"]["attested"];
    assert_eq!(attested["format"], "step");
    assert_eq!(attested["maker"], "CN=Maker of keys");
    assert_eq!(attested["devices"], json!(["4711"]));
    let audit = api.get("/api/v1/audit?name=certificate.issued").await;
    let events = audit["items"].as_array().unwrap();
    let event: &Value = events.iter().find(|one| one["object"] == id).unwrap();
    assert_eq!(&event["data"]["key_evidence"]["attested"], attested);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_may_keep_its_name_out_of_the_request_and_still_finds_it_in_the_certificate() {
    let server = TestServer::start().await;
    let maker = Maker::new("Maker of phones");
    trusting(&server, "device", "phones", &[("apple", &maker)]).await;
    let client = server.registered_client().await;
    let device = maker.device(1);
    let order = DeviceOrder::of(&client, "phones", "permanent-identifier", "C02XK1").await;
    let object = device.apple("C02XK1", order.token());
    let challenge = order.attest(&client, &object).await;
    assert_eq!(challenge["status"], "valid", "{challenge}");
    let leaf = certified(&client, &order, &request("CN=phone", &[], &device.key)).await;
    assert_eq!(leaf.names, [permanent("C02XK1")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_may_keep_names_of_devices_out_of_certificates() {
    let server = TestServer::start().await;
    let maker = Maker::new("Maker of keys");
    let api = trusting(&server, "device", "quiet", &[("step", &maker)]).await;
    let mut profile = api.get("/api/v1/profiles/quiet").await;
    let mut rules = profile["rules"].take();
    rules["attestation"]["withhold_names"] = json!(true);
    api.call(reqwest::Method::PUT, "/api/v1/profiles/quiet", Some(rules))
        .await
        .expect(200);
    let client = server.registered_client().await;
    let device = maker.device(12);
    let order = DeviceOrder::of(&client, "quiet", "permanent-identifier", "12").await;
    let object = device.step(&order.key_authorization(&client));
    assert_eq!(order.attest(&client, &object).await["status"], "valid");
    let leaf = certified(&client, &order, &request("CN=quiet", &[], &device.key)).await;
    assert!(leaf.names.is_empty(), "{:?}", leaf.names);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_of_hardware_is_its_type_and_serial_number() {
    let server = TestServer::start().await;
    let maker = Maker::new("Maker of modules");
    trusting(&server, "device", "modules", &[("step", &maker)]).await;
    let client = server.registered_client().await;
    let value = "SN-7/1.3.6.1.4.1.99999.2";
    let module: HardwareModule = value.parse().unwrap();
    let device = maker.device(7);
    let certificate = maker.certify(
        pki::key::SigningKey::public_key(&device.key),
        vec![module.to_general_name()],
        vec![],
        vec![],
    );
    let order = DeviceOrder::of(&client, "modules", "hardware-module", value).await;
    let signature =
        pki::key::SigningKey::sign(&device.key, order.key_authorization(&client).as_bytes());
    let object = super::cbor::object(
        "step",
        &[
            ("alg", super::cbor::negative(super::maker::COSE_ES256)),
            ("sig", super::cbor::octets(&signature.unwrap())),
            (
                "x5c",
                super::cbor::list(&[super::cbor::octets(&certificate)]),
            ),
        ],
    );
    let challenge = order.attest(&client, &object).await;
    assert_eq!(challenge["status"], "valid", "{challenge}");
    let csr = request("CN=module", &[module.to_general_name()], &device.key);
    let leaf = certified(&client, &order, &csr).await;
    assert_eq!(leaf.names, [module.to_general_name()]);
}
