//! S13: the CA's keys in a token (SoftHSM), which goes away and comes back.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pki::key::{KeyAlgorithm, LocalKey};
use testkit::ServerProcess;
use testkit::acme::csr_for;

const PIN: &str = "canary-pin-4711";

fn module() -> PathBuf {
    let places = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
    ];
    let found = places
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists());
    found.expect("SoftHSM2 is installed (apt install softhsm2)")
}

/// A token named `ca` below the folder; gives SoftHSM's configuration.
fn make_token(folder: &Path) -> PathBuf {
    let tokens = folder.join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let config = folder.join("softhsm2.conf");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    std::fs::write(&config, text).unwrap();
    let made = Command::new("softhsm2-util")
        .args([
            "--init-token",
            "--free",
            "--label",
            "ca",
            "--so-pin",
            "so-pin-4711",
            "--pin",
            PIN,
        ])
        .env("SOFTHSM2_CONF", &config)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s13_a_server_whose_token_goes_away_fails_clean_and_recovers_without_restart() {
    let token = tempfile::tempdir().unwrap();
    let config = make_token(token.path());
    let pin_file = token.path().join("pin");
    std::fs::write(&pin_file, format!("{PIN}\n")).unwrap();
    let ca = format!(
        "key_store = \"pkcs11\"\npkcs11_module = \"{}\"\npkcs11_token_label = \"ca\"\npkcs11_pin_file = \"{}\"",
        module().display(),
        pin_file.display()
    );
    let mut server = ServerProcess::new(env!("CARGO_BIN_EXE_certwright"), &ca, "").await;
    server.set("SOFTHSM2_CONF", config.to_str().unwrap());
    server.start().await;
    let client = server.registered_client().await;
    let issued = client.issue_at(&server.web, &["token.example.org"]).await;
    let issuer = pki::certificate::Certificate::from_der(&issued.chain[1]).unwrap();
    assert!(issued.leaf().is_signed_by(&issuer));

    let (here, away) = (token.path().join("tokens"), token.path().join("away"));
    std::fs::rename(&here, &away).unwrap();
    std::fs::create_dir(&here).unwrap();
    let (url, order) = client
        .ready_order_at(&server.web, &["gone.example.org"])
        .await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let answer = client
        .finalize(&order, &csr_for(&["gone.example.org"], &key))
        .await;
    // It waits for the token, or is told to come back; it neither hangs nor fails for good.
    let waits = answer.status == 200 && answer.json()["status"] == "processing";
    assert!(waits || answer.status == 503, "{answer:?}");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    let ready = reqwest::get(format!("{}/healthz", server.url()))
        .await
        .unwrap();
    assert_eq!(ready.status(), 200);

    std::fs::remove_dir_all(&here).unwrap();
    std::fs::rename(&away, &here).unwrap();
    let mut status = String::new();
    for _ in 0..120 {
        let now = client.get(&url).await.json();
        status = now["status"].as_str().unwrap().to_owned();
        match status.as_str() {
            "ready" => drop(
                client
                    .finalize(&order, &csr_for(&["gone.example.org"], &key))
                    .await,
            ),
            "processing" => {}
            _ => break,
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(status, "valid", "{}", server.log());
    client.issue_at(&server.web, &["back.example.org"]).await;

    let traces = [PIN.as_bytes(), b"PRIVATE KEY"];
    let mut places = vec![server.environment().unwrap()];
    places.push(server.log().into_bytes());
    for entry in std::fs::read_dir(server.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            places.push(std::fs::read(path).unwrap());
        }
    }
    for (place, trace) in places
        .iter()
        .flat_map(|place| traces.map(|trace| (place, trace)))
    {
        assert!(!place.windows(trace.len()).any(|window| window == trace));
    }
}
