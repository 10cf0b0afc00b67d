//! A real TPM behind an ACME client: its attestation key certifies the key of the request.

use aws_lc_rs::digest::{SHA256, digest};
use pki::certificate::ExtendedKeyUsage;
use serde_json::Value;
use testkit::TestServer;
use testkit::acme::Client;

use super::acme::certified;
use super::cbor;
use super::maker::{COSE_ES256, DeviceOrder, Maker, permanent, request, trusting};
use super::tpm_process::{Certified, Tpm};

/// tcg-kp-AIKCertificate
const AIK: &str = "2.23.133.8.3";
const BOUND: &str = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign";

fn statement(
    maker: &Maker,
    tpm: &Tpm,
    purpose: Vec<ExtendedKeyUsage>,
    said: &Certified,
) -> Vec<u8> {
    let names = vec![permanent("laptop-1")];
    let certificate = maker.certify(&tpm.attestation_key, names, purpose, vec![]);
    cbor::object(
        "tpm",
        &[
            ("ver", cbor::text("2.0")),
            ("alg", cbor::negative(COSE_ES256)),
            ("x5c", cbor::list(&[cbor::octets(&certificate)])),
            ("sig", cbor::octets(&said.signature)),
            ("certInfo", cbor::octets(&said.info)),
            ("pubArea", cbor::octets(&said.area)),
        ],
    )
}

fn aik() -> Vec<ExtendedKeyUsage> {
    vec![ExtendedKeyUsage::Other(AIK.to_owned())]
}

async fn ordered(client: &Client, tpm: &Tpm) -> (DeviceOrder, Certified) {
    let order = DeviceOrder::of(client, "laptops", "permanent-identifier", "laptop-1").await;
    let text = order.key_authorization(client);
    let said = tpm.certify(digest(&SHA256, text.as_bytes()).as_ref());
    (order, said)
}

fn reason(challenge: &Value) -> &str {
    assert_eq!(challenge["status"], "invalid", "{challenge}");
    challenge["error"]["detail"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_laptop_gets_a_certificate_for_a_key_in_its_tpm() {
    let server = TestServer::start().await;
    let maker = Maker::new("Maker of TPMs");
    trusting(&server, "device", "laptops", &[("tpm", &maker)]).await;
    let client = server.registered_client().await;
    let tpm = Tpm::start(BOUND);
    let (order, said) = ordered(&client, &tpm).await;
    let challenge = order
        .attest(&client, &statement(&maker, &tpm, aik(), &said))
        .await;
    assert_eq!(challenge["status"], "valid", "{challenge}");
    let csr = request("CN=laptop", &[permanent("laptop-1")], &tpm);
    let leaf = certified(&client, &order, &csr).await;
    assert_eq!(leaf.public_key, tpm.key);
    assert_eq!(leaf.names, [permanent("laptop-1")]);

    // What a TPM said once is no answer to another challenge.
    let (again, _) = ordered(&client, &tpm).await;
    let challenge = again
        .attest(&client, &statement(&maker, &tpm, aik(), &said))
        .await;
    assert!(reason(&challenge).contains("made for another challenge"));
    // A certificate without the purpose is no attestation key's, even without any purpose.
    let (order, said) = ordered(&client, &tpm).await;
    let challenge = order
        .attest(&client, &statement(&maker, &tpm, vec![], &said))
        .await;
    assert!(reason(&challenge).contains("tcg-kp-AIKCertificate"));
    // Another public area than the certified one.
    let (order, mut said) = ordered(&client, &tpm).await;
    *said.area.last_mut().unwrap() ^= 1;
    let challenge = order
        .attest(&client, &statement(&maker, &tpm, aik(), &said))
        .await;
    assert!(reason(&challenge).contains("another key than pubArea"));
    // What the TPM said, changed.
    let (order, mut said) = ordered(&client, &tpm).await;
    *said.info.last_mut().unwrap() ^= 1;
    let challenge = order
        .attest(&client, &statement(&maker, &tpm, aik(), &said))
        .await;
    assert!(reason(&challenge).contains("signature is not valid"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_can_leave_its_tpm_is_refused() {
    let server = TestServer::start().await;
    let maker = Maker::new("Maker of TPMs");
    trusting(&server, "device", "laptops", &[("tpm", &maker)]).await;
    let client = server.registered_client().await;
    let tpm = Tpm::start("sensitivedataorigin|userwithauth|sign");
    let (order, said) = ordered(&client, &tpm).await;
    let challenge = order
        .attest(&client, &statement(&maker, &tpm, aik(), &said))
        .await;
    assert!(reason(&challenge).contains("stays there"), "{challenge}");
}
