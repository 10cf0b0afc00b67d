//! Keys that operators block: nobody gets a certificate for them, until somebody lets them in again.

use domain::role::Role;
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;

use crate::cli::Shell;
use crate::enroll::{Api, csr_for};

const KEYS: &str = "/api/v1/blocked-keys";

fn hash_of(key: &LocalKey) -> String {
    data_encoding::HEXLOWER.encode(&key.public_key().spki_sha256())
}

async fn enroll(api: &Api, key: &LocalKey, name: &str) -> (u16, Value) {
    let request = json!({ "profile": "default", "csr": csr_for(key, &[name]) });
    let answer = api.post("/api/v1/enrollments", request).await;
    (answer.status.as_u16(), answer.body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i12_a_key_that_an_operator_blocks_is_certified_by_nobody_until_it_is_let_in_again() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let (status, issued) = enroll(&api, &key, "one.example.org").await;
    assert_eq!(status, 201, "{issued}");
    // By hash, by certificate and by PEM it is the same key, and blocked once.
    let pem = pki::pem::encode("PUBLIC KEY", key.public_key().spki_der());
    let named = json!([issued["certificate"], hash_of(&key), pem]);
    let request = json!({ "keys": named, "reason": "found in a repository" });
    let blocked = api.post(KEYS, request).await.expect(200);
    assert_eq!(blocked["items"].as_array().unwrap().len(), 1, "{blocked}");
    assert_eq!(blocked["items"][0]["spki_sha256"], hash_of(&key));
    let again = json!({ "keys": [hash_of(&key)], "reason": "another" });
    let again = api.post(KEYS, again).await.expect(200);
    assert_eq!(again["items"][0]["reason"], "found in a repository");
    let (status, refused) = enroll(&api, &key, "two.example.org").await;
    assert_eq!(status, 422, "{refused}");
    let log = api.get("/api/v1/audit?name=key.blocked").await;
    assert_eq!(log["items"].as_array().unwrap().len(), 1, "{log}");
    assert_eq!(log["items"][0]["object"], hash_of(&key));
    let place = format!("{KEYS}/{}", hash_of(&key));
    assert_eq!(api.get(&place).await["reason"], "found in a repository");
    api.call(Method::DELETE, &place, None).await.expect(204);
    api.call(Method::DELETE, &place, None).await.expect(404);
    let (status, issued) = enroll(&api, &key, "three.example.org").await;
    assert_eq!(status, 201, "{issued}");
    let log = api.get("/api/v1/audit?name=key.unblocked").await;
    let before = &log["items"][0]["data"]["before"];
    assert_eq!(before["reason"], "found in a repository");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_names_no_key_or_gives_no_reason_blocks_nothing_at_all() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    let hash = "ab".repeat(32);
    let unknown = "crt_06ek9q3v5c8m2k7t1r4x0z9w8y";
    for (keys, reason) in [
        (json!([hash, "no key"]), "r"),
        (json!([hash, unknown]), "r"),
        (json!([hash]), " "),
        (json!([]), "r"),
        (json!([hash]), &*"r".repeat(501)),
    ] {
        let request = json!({ "keys": keys, "reason": reason });
        api.post(KEYS, request).await.expect(400);
    }
    assert_eq!(api.get(KEYS).await["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_blocks_keys_of_a_file_and_lists_them_page_by_page() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let pem = pki::pem::encode("PUBLIC KEY", key.public_key().spki_der());
    let (first, second) = ("01".repeat(32), "02".repeat(32));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.txt");
    std::fs::write(&file, format!("# lost\n{first}\n{pem}{second}\n")).unwrap();
    let file = file.to_str().unwrap();
    shell
        .done(&["key", "block", "--file", file, "--reason", "lost"])
        .await;
    let listed = shell
        .done(&["key", "list", "--all", "--output", "json"])
        .await;
    for hash in [&first, &second, &hash_of(&key)] {
        assert!(listed.contains(hash.as_str()), "{hash}: {listed}");
    }
    let shown = shell.done(&["key", "show", &first]).await;
    assert!(shown.contains("lost"), "{shown}");
    shell.done(&["key", "unblock", &first]).await;
    assert_eq!(shell.code(&["key", "show", &first]).await, Some(3));
    assert_eq!(shell.code(&["key", "block", &first]).await, Some(2));
}
