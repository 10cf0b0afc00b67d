//! What a CSR may be and what becomes of it (I1 to I3).

use domain::certificate::CertificateStatus;
use lifecycle::CertificateFilter;
use pki::certificate::{ExtendedKeyUsage, KeyUsage};
use pki::csr::{self, RequestedExtension};
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::name::{DistinguishedName, GeneralName};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Answer, Client, Key, b64, csr_for};

use super::support::{assert_refused, census, events, status};

const NAMES: &[&str] = &["www.example.org"];

fn key() -> LocalKey {
    LocalKey::generate(KeyAlgorithm::EcP256).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i01_two_hundred_finalize_requests_at_once_give_one_certificate() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let (order_url, order) = client.ready_order(&server, NAMES).await;
    let csr = csr_for(NAMES, &key());
    let calls = (0..200).map(|_| client.finalize(&order, &csr));
    let answers: Vec<Answer> = futures::future::join_all(calls).await;
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(accepted, 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_refused(refused, 403, "orderNotReady");
    }
    assert_eq!(client.settled(&order_url).await["status"], "valid");
    assert_eq!(census(&server).await.2, 1);
    assert_eq!(events(&server, "certificate.issued").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i01_of_different_csrs_for_one_order_one_is_certified() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let (order_url, order) = client.ready_order(&server, NAMES).await;
    let csrs: Vec<Vec<u8>> = (0..20).map(|_| csr_for(NAMES, &key())).collect();
    let calls = csrs.iter().map(|csr| client.finalize(&order, csr));
    let answers = futures::future::join_all(calls).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    let order = client.settled(&order_url).await;
    let again = client.finalize(&order, &csr_for(NAMES, &key())).await;
    assert_refused(&again, 403, "orderNotReady");
    assert_eq!(census(&server).await.2, 1);
}

fn extension(oid: &str, der: &[u8]) -> RequestedExtension {
    RequestedExtension {
        oid: oid.to_owned(),
        critical: false,
        der: der.to_vec(),
    }
}

fn csr_with(names: &[GeneralName], extensions: &[RequestedExtension], key: &LocalKey) -> Vec<u8> {
    csr::build(&DistinguishedName::empty(), names, extensions, key).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i02_no_extension_of_a_csr_is_copied() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let any_purpose = [0x30, 0x06, 0x06, 0x04, 0x55, 0x1d, 0x25, 0x00];
    let cases: [(&str, &str, &[u8], bool); 14] = [
        ("CA:TRUE", "2.5.29.19", &[0x30, 3, 1, 1, 0xff], false),
        (
            "CA:TRUE with path length",
            "2.5.29.19",
            &[0x30, 6, 1, 1, 0xff, 2, 1, 3],
            false,
        ),
        ("CA:FALSE", "2.5.29.19", &[0x30, 0], true),
        ("keyCertSign and cRLSign", "2.5.29.15", &[3, 2, 1, 6], true),
        ("anyExtendedKeyUsage", "2.5.29.37", &any_purpose, true),
        (
            "precertificate poison",
            "1.3.6.1.4.1.11129.2.4.3",
            &[5, 0],
            false,
        ),
        ("SID", "1.3.6.1.4.1.311.25.2", &[0x30, 0], false),
        (
            "certificate template",
            "1.3.6.1.4.1.311.20.2",
            &[0x0c, 1, 0x41],
            false,
        ),
        ("name constraints", "2.5.29.30", &[0x30, 0], false),
        (
            "certificate policies",
            "2.5.29.32",
            &[0x30, 6, 0x30, 4, 6, 2, 0x2a, 3],
            false,
        ),
        ("CRL distribution points", "2.5.29.31", &[0x30, 0], false),
        ("authority key identifier", "2.5.29.35", &[0x30, 0], false),
        (
            "subject key identifier",
            "2.5.29.14",
            &[4, 4, 1, 2, 3, 4],
            true,
        ),
        ("something unheard of", "1.2.3.4.5", &[5, 0], false),
    ];
    for (what, oid, der, is_taken) in cases {
        let (order_url, order) = client.ready_order(&server, NAMES).await;
        let names = [GeneralName::Dns("www.example.org".to_owned())];
        let csr = csr_with(&names, &[extension(oid, der)], &key());
        let answer = client.finalize(&order, &csr).await;
        if !is_taken {
            assert_refused(&answer, 400, "badCSR");
            assert_eq!(status(&client, &order_url).await, "ready", "{what}");
            continue;
        }
        assert_eq!(answer.status, 200, "{what}: {}", answer.text);
        assert_plain(&client, &answer.json(), what).await;
    }
}

/// The certificate is what the profile says and nothing besides.
async fn assert_plain(client: &Client, order: &Value, what: &str) {
    let pem = client
        .get(order["certificate"].as_str().unwrap())
        .await
        .text;
    let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
    let leaf = pki::certificate::Certificate::from_der(&chain[0]).unwrap();
    assert!(!leaf.is_ca && leaf.path_len.is_none(), "{what}");
    assert_eq!(leaf.key_usage, Some(KeyUsage::DIGITAL_SIGNATURE), "{what}");
    assert_eq!(
        leaf.extended_key_usage,
        [ExtendedKeyUsage::ServerAuth],
        "{what}"
    );
    assert_eq!(
        leaf.names,
        [GeneralName::Dns("www.example.org".to_owned())],
        "{what}"
    );
    assert_eq!(leaf.subject_key_identifier, None, "{what}");
    assert!(
        leaf.certificate_policies.is_empty() && !leaf.must_staple,
        "{what}"
    );
    assert!(leaf.name_constraints.is_none(), "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i02_names_of_other_kinds_are_refused() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let (order_url, order) = client.ready_order(&server, NAMES).await;
    let own = || GeneralName::Dns("www.example.org".to_owned());
    for extra in [
        GeneralName::Dns("admin.example.org".to_owned()),
        GeneralName::Dns("*.example.org".to_owned()),
        GeneralName::Ip("192.0.2.1".parse().unwrap()),
        GeneralName::Email("root@example.org".to_owned()),
        GeneralName::Uri("https://www.example.org/".to_owned()),
    ] {
        let csr = csr_with(&[own(), extra], &[], &key());
        assert_refused(&client.finalize(&order, &csr).await, 400, "badCSR");
        assert_eq!(status(&client, &order_url).await, "ready");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i03_a_csr_for_other_names_leaves_the_order_ready() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let ordered = ["a.example.org", "b.example.org"];
    let (order_url, order) = client.ready_order(&server, &ordered).await;
    for names in [
        &[][..],
        &["a.example.org"],
        &["a.example.org", "c.example.org"],
        &["a.example.org", "b.example.org", "c.example.org"],
        &["example.org"],
    ] {
        let answer = client.finalize(&order, &csr_for(names, &key())).await;
        assert_refused(&answer, 400, "badCSR");
        assert_eq!(status(&client, &order_url).await, "ready");
    }
    // Order and case of names do not matter, and the common name may repeat one.
    let names: Vec<GeneralName> = ["B.Example.org", "a.example.org"]
        .map(|name| GeneralName::Dns(name.to_owned()))
        .to_vec();
    let subject = DistinguishedName::from_attributes([pki::name::Attribute::text(
        &pki::oid::COMMON_NAME,
        "A.example.org",
    )]);
    let csr = csr::build(&subject, &names, &[], &key()).unwrap();
    client.finalize(&order, &csr).await.assert_status(200);
    assert_eq!(status(&client, &order_url).await, "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i03_a_csr_that_cannot_be_read_or_is_not_signed_leaves_the_order_ready() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let (order_url, order) = client.ready_order(&server, NAMES).await;
    let good = csr_for(NAMES, &key());
    let with = |place: usize, value: u8| {
        let mut bent = good.clone();
        bent[place] ^= value;
        bent
    };
    let point = good
        .windows(4)
        .position(|octets| octets == [3, 0x42, 0, 4])
        .unwrap();
    let pem = pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &good);
    for (what, csr) in [
        ("signature of something else", with(good.len() - 1, 1)),
        ("other content under the signature", with(4 + 4, 1)),
        ("point off the curve", with(point + 4 + 40, 1)),
        ("PEM", pem.clone().into_bytes()),
        ("cut short", good[..good.len() - 1].to_vec()),
        ("octets behind", [good.as_slice(), &[0]].concat()),
        ("nothing", Vec::new()),
        (
            "a certificate",
            client.issue(&server, NAMES).await.chain[0].clone(),
        ),
    ] {
        let answer = client.finalize(&order, &csr).await;
        assert_eq!(answer.problem(), "badCSR", "{what}: {}", answer.text);
        assert_refused(&answer, 400, "badCSR");
        assert_eq!(status(&client, &order_url).await, "ready", "{what}");
    }
    let url = order["finalize"].as_str().unwrap();
    for payload in [
        json!({}),
        json!({"csr": pem}),
        json!({"csr": format!("{}=", b64(&good))}),
        json!({"csr": [b64(&good)]}),
        json!({"csr": null}),
    ] {
        assert_refused(&client.post(url, &payload).await, 400, "badCSR");
    }
    assert_eq!(status(&client, &order_url).await, "ready");
    client.finalize(&order, &good).await.assert_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i03_a_weak_key_leaves_the_order_ready() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let (order_url, order) = client.ready_order(&server, &["weak.example.org"]).await;
    for (what, pem) in [
        ("exponent 3", include_str!("fixtures/exponent-3.csr")),
        ("1023 bits", include_str!("fixtures/bits-1023.csr")),
        ("2049 bits", include_str!("fixtures/bits-2049.csr")),
        ("primes close together", include_str!("fixtures/fermat.csr")),
        (
            "primes of a broken smart card",
            include_str!("fixtures/roca.csr"),
        ),
    ] {
        let label = pki::pem::CERTIFICATE_REQUEST;
        let csr = pki::pem::decode_all(label, pem.as_bytes()).unwrap();
        let answer = client.finalize(&order, &csr[0]).await;
        assert_eq!(answer.problem(), "badCSR", "{what}: {}", answer.text);
        assert_refused(&answer, 400, "badCSR");
        assert!(
            answer.json()["detail"].as_str().unwrap().contains("key"),
            "{}",
            answer.text
        );
        assert_eq!(status(&client, &order_url).await, "ready", "{what}");
    }
    assert_eq!(census(&server).await.2, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i03_the_key_of_an_account_is_not_certified() {
    let server = TestServer::start().await;
    let shared = key();
    let account_key = Key::of_certificate(&shared);
    let mut holder = Client::with_key(&server.directory_url("default"), account_key).await;
    holder.register().await.assert_status(201);
    // Neither for the account itself nor for another one.
    for client in [&holder, &server.registered_client().await] {
        let (order_url, order) = client.ready_order(&server, NAMES).await;
        let answer = client.finalize(&order, &csr_for(NAMES, &shared)).await;
        assert_refused(&answer, 400, "badCSR");
        assert_eq!(status(client, &order_url).await, "ready");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i03_a_key_that_was_reported_compromised_is_not_certified() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, NAMES).await;
    let url = server.directory_url("default");
    let signer = Client::with_key(&url, Key::of_certificate(&issued.key)).await;
    let payload = json!({"certificate": b64(&issued.chain[0]), "reason": 1});
    let revoked = signer.post(&signer.at("revokeCert"), &payload).await;
    revoked.assert_status(200);
    let (order_url, order) = client.ready_order(&server, NAMES).await;
    let answer = client.finalize(&order, &csr_for(NAMES, &issued.key)).await;
    assert_refused(&answer, 400, "badCSR");
    assert_eq!(status(&client, &order_url).await, "ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_4_finalize_waits_for_its_authorizations() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let order = client.new_order(NAMES).await;
    let csr = csr_for(NAMES, &key());
    let early = client.finalize(&order.json(), &csr).await;
    assert_refused(&early, 403, "orderNotReady");
    assert_eq!(status(&client, &order.location()).await, "pending");
    client.authorize(&server, &order.json()).await;
    assert_eq!(status(&client, &order.location()).await, "ready");
    let done = client.finalize(&order.json(), &csr).await;
    done.assert_status(200);
    assert_eq!(done.location(), order.location());
    assert_eq!(done.json()["status"], "valid");
    let found = server
        .lifecycle()
        .list_certificates(CertificateFilter::default(), None, 10)
        .await
        .unwrap();
    let now = domain::clock::Clock::now(&server.clock);
    assert_eq!(found[0].status(now), CertificateStatus::Valid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_4_every_kind_of_key_the_profile_takes_is_certified() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    for algorithm in [
        KeyAlgorithm::EcP256,
        KeyAlgorithm::EcP384,
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::Rsa2048,
    ] {
        let key = LocalKey::generate(algorithm).unwrap();
        let (_, order) = client.ready_order(&server, NAMES).await;
        let done = client.finalize(&order, &csr_for(NAMES, &key)).await;
        assert_eq!(done.json()["status"], "valid", "{}", done.text);
        let pem = client
            .get(done.json()["certificate"].as_str().unwrap())
            .await
            .text;
        let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
        let leaf = pki::certificate::Certificate::from_der(&chain[0]).unwrap();
        assert_eq!(leaf.public_key, *key.public_key());
    }
}
