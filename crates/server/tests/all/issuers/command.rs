//! A CA behind a program, through the whole pipeline.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use testkit::{MockClock, TestServer};

use super::{administrator, create, events, finalize, finding, route_to};
use crate::enroll::Api;

/// The program that is shipped as an example, with a CA of its own that `openssl` signs with.
struct OurCa {
    directory: tempfile::TempDir,
}

impl OurCa {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let commands = directory.path().join("commands");
        std::fs::create_dir(&commands).unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../deploy/examples/command-ca/openssl-ca");
        let program = commands.join("openssl-ca");
        std::fs::copy(example, &program).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { directory }
    }

    fn commands(&self) -> PathBuf {
        self.directory.path().join("commands")
    }

    fn home(&self) -> String {
        self.directory.path().join("ca").display().to_string()
    }

    async fn server(&self) -> TestServer {
        let commands = self.commands();
        let tables = format!("[ca]\ncommand_directory = \"{}\"", commands.display());
        TestServer::start_at(MockClock::at_present(), &tables).await
    }

    /// Configures the issuer `ours`; with `approve`, somebody has to agree to each request.
    async fn configure(&self, api: &Api, approve: &str) {
        let settings = json!({
            "program": "openssl-ca",
            "settings": { "directory": self.home(), "approve": approve },
        });
        let secrets = json!({ "key_password": "a password that nobody may see" });
        create(api, "ours", "command", settings, secrets)
            .await
            .expect(201);
        route_to(api, json!([{ "issuer": "ours", "weight": 1 }])).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_program_signs_revokes_and_says_how_it_is() {
    let ours = OurCa::new();
    let server = ours.server().await;
    let api = administrator(&server).await;
    ours.configure(&api, "no").await;
    // The program's CA begins now; the server's clock stands a little before that.
    server.clock.advance(Duration::from_secs(300));
    let check = api
        .post("/api/v1/issuers/ours/test", json!({}))
        .await
        .expect(200);
    assert_eq!(check["passed"], true, "{check}");
    assert_eq!(finding(&check, "chain").0, "passed", "{check}");
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["ours.example.org"]).await;
    assert_eq!(issued.leaf().issuer.to_string(), "CN=Example Command CA");
    let body = api.get("/api/v1/certificates?name=ours.example.org").await;
    let id = body["items"][0]["id"].as_str().unwrap();
    api.post(
        &format!("/api/v1/certificates/{id}/revoke"),
        json!({ "reason": "superseded" }),
    )
    .await
    .expect(200);
    server
        .run_jobs_until(async || !events(&api, "certificate.revocation_told").await.is_empty())
        .await;
    let listed = std::fs::read_to_string(Path::new(&ours.home()).join("revoked")).unwrap();
    assert!(
        listed.contains(&issued.leaf().serial.to_string()),
        "{listed}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ca_where_somebody_has_to_agree_is_waited_for_over_a_restart_and_asked_once() {
    let ours = OurCa::new();
    let mut server = ours.server().await;
    let api = administrator(&server).await;
    ours.configure(&api, "yes").await;
    let client = server.registered_client().await;
    let (url, order) = finalize(&server, &client, "slow.example.org").await;
    assert_eq!(order["status"], "processing", "{order}");
    server.crash_and_restart().await;
    for _ in 0..3 {
        server.clock.advance(Duration::from_secs(120));
        server.run_jobs().await;
    }
    let waiting = client.get(&url).await;
    assert_eq!(waiting.json()["status"], "processing", "{}", waiting.text);
    assert!(waiting.header("retry-after").is_some());
    let requests = Path::new(&ours.home()).join("requests");
    let waiting: Vec<PathBuf> = std::fs::read_dir(&requests)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(waiting.len(), 1, "it was asked once: {waiting:?}");
    std::fs::write(waiting[0].join("approved"), "").unwrap();
    server
        .run_jobs_until(async || {
            server.clock.advance(Duration::from_secs(120));
            client.get(&url).await.json()["status"] == "valid"
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_directory_of_commands_no_program_is_run() {
    let server = TestServer::start().await;
    let api = administrator(&server).await;
    let refused = create(&api, "x", "command", json!({ "program": "x" }), json!({}))
        .await
        .expect(400);
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("ca.command_directory"), "{detail}");
}
