//! S12: what is secret is in no file, log, backup or environment in clear.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use domain::acme::eab::EabUsage;
use domain::role::Role;
use lifecycle::acme::eab_keys::NewEabKey;
use lifecycle::actor::Caller;
use serde_json::json;
use testkit::acme::Client;
use testkit::{MockClock, ServerProcess, TestServer};

/// How a private key looks at rest: PEM, PKCS#8 of the three kinds (P-256, P-384, Ed25519) and RSA, and
/// these in base64. What precedes the secret number is the same in each.
fn traces_of_private_keys() -> Vec<(&'static str, Vec<u8>)> {
    const P256: &[u8] = b"\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04";
    const P384: &[u8] =
        b"\x02\x01\x00\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x04";
    const ED25519: &[u8] = b"\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    const RSA: &[u8] =
        b"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04";
    let mut traces = vec![
        ("a PEM private key", b"PRIVATE KEY".to_vec()),
        (
            "a P-256 key in base64",
            b"MIGHAgEAMBMGByqGSM49AgEG".to_vec(),
        ),
        (
            "a P-384 key in base64",
            b"MIG2AgEAMBAGByqGSM49AgEG".to_vec(),
        ),
        (
            "an Ed25519 key in base64",
            b"MC4CAQAwBQYDK2VwBCIEI".to_vec(),
        ),
    ];
    for (name, octets) in [
        ("a P-256 key", P256),
        ("a P-384 key", P384),
        ("an Ed25519 key", ED25519),
        ("an RSA key", RSA),
    ] {
        traces.push((name, octets.to_vec()));
    }
    traces
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// Every file below a folder, with its content.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

#[test]
fn the_traces_of_private_keys_are_found_in_private_keys() {
    use pki::key::{KeyAlgorithm, LocalKey};
    for algorithm in [
        KeyAlgorithm::EcP256,
        KeyAlgorithm::EcP384,
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::Rsa2048,
    ] {
        let pkcs8 = LocalKey::generate(algorithm).unwrap().to_pkcs8().unwrap();
        let found = |octets: &[u8]| {
            traces_of_private_keys()
                .iter()
                .any(|(_, trace)| contains(octets, trace))
        };
        assert!(found(&pkcs8), "{algorithm:?}");
        if !matches!(algorithm, KeyAlgorithm::Rsa2048) {
            assert!(
                found(STANDARD_NO_PAD.encode(&*pkcs8).as_bytes()),
                "{algorithm:?} in base64"
            );
        }
    }
}

/// What is secret about a new installation, by what it is called in a complaint.
struct Canaries {
    all: Vec<(&'static str, Vec<u8>)>,
    token: String,
    eab: (String, String),
}

async fn canaries(server: &TestServer) -> Canaries {
    let (lifecycle, caller) = (server.lifecycle(), Caller::system());
    let request = NewEabKey {
        name: "canary".to_owned(),
        directory: None,
        team: None,
        allowed_names: Vec::new(),
        usage: EabUsage::Multi,
        metadata: Default::default(),
        lifetime: None,
    };
    let eab = lifecycle.create_eab_key(request, &caller).await.unwrap();
    let hmac = eab.hmac.to_string();
    let token = lifecycle
        .create_token("canary".to_owned(), Role::Administrator, None, &caller)
        .await
        .unwrap();
    let token = token.secret.expose().to_owned();
    let raw = URL_SAFE_NO_PAD.decode(&hmac).unwrap();
    let checkpoint_key = lifecycle
        .checkpoint_key()
        .await
        .unwrap()
        .to_pkcs8()
        .unwrap()
        .to_vec();
    let mut all = traces_of_private_keys();
    all.extend([
        (
            "the EAB key in standard base64",
            STANDARD_NO_PAD.encode(&raw).into_bytes(),
        ),
        ("the EAB key's octets", raw),
        ("the EAB key", hmac.clone().into_bytes()),
        ("the API token", token.clone().into_bytes()),
        ("the checkpoint key", checkpoint_key[36..68].to_vec()),
    ]);
    Canaries {
        all,
        token,
        eab: (eab.key.id.to_string(), hmac),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s12_no_secret_is_in_the_store_its_log_a_backup_the_log_or_the_environment() {
    // On SQLite whatever the suite runs on: the files to look at are here.
    let empty = tempfile::tempdir().unwrap();
    let server = TestServer::take_over(empty, MockClock::at_present()).await;
    let canaries = canaries(&server).await;
    let data = server.stop().await;
    let tables = "[log]\nformat = \"json\"\nlevel = \"debug\"\n";
    let mut process = ServerProcess::new(env!("CARGO_BIN_EXE_certwright"), "", tables).await;
    std::fs::rename(data.keep(), process.data()).unwrap();
    process.start().await;
    use_them(&process, &canaries).await;
    process_check(&process, &canaries);
    process.kill();
    let config = store::StoreConfig::new(format!(
        "sqlite://{}/certwright.db",
        process.data().display()
    ));
    let store = store::Store::open(config).await.unwrap();
    let backup = process.folder.path().join("backup");
    store
        .backup(&backup, pki::time::Timestamp::from_seconds(1_800_000_000))
        .await
        .unwrap();
    drop(store);
    process_check(&process, &canaries);
}

/// Presents each secret to the server, and has it use its keys.
async fn use_them(process: &ServerProcess, canaries: &Canaries) {
    let client = process.registered_client().await;
    client
        .issue_at(&process.web, &["canary-name.example.org"])
        .await;
    let mut bound = Client::new(&format!("{}/acme/default/directory", process.url())).await;
    let binding = bound.binding(&canaries.eab.0, &canaries.eab.1);
    bound
        .register_with(json!({"termsOfServiceAgreed": true, "externalAccountBinding": binding}))
        .await
        .assert_status(201);
    let http = reqwest::Client::new();
    for path in ["/api/v1/certificates", "/api/v1/tokens"] {
        let request = http
            .get(format!("{}{path}", process.url()))
            .bearer_auth(&canaries.token);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

fn process_check(process: &ServerProcess, canaries: &Canaries) {
    let mut places = files(process.folder.path());
    if let Some(environment) = process.environment() {
        places.push(("the environment".to_owned(), environment));
    }
    // What is no secret is found: so the search finds what is there.
    for (control, suffix) in [
        ("canary-name.example.org", "certwright.db"),
        ("canary-name.example.org", "log"),
    ] {
        let found = places
            .iter()
            .any(|(place, octets)| place.contains(suffix) && contains(octets, control.as_bytes()));
        assert!(found, "{control} is not in {suffix}");
    }
    for (place, octets) in &places {
        // The one file that holds a secret, its owner's alone and apart from the store.
        if place.ends_with("seal.key") {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(place).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{place}");
            continue;
        }
        for (secret, trace) in &canaries.all {
            assert!(!contains(octets, trace), "{secret} is in {place}");
        }
    }
}
