//! SCEP with real clients, strongSwan's `pki` and micromdm's `scepclient`, and with its `scepserver` as a CA
//! behind this server.

use std::path::PathBuf;

use domain::enrolling::{EntryPointSpec, NewTerms, Protocol, ScepRules};
use lifecycle::actor::Caller;
use lifecycle::enrolling::passwords::NewEnrollmentPassword;
use lifecycle::operator::Expected;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;

use super::process::{Background, Ended, eventually, run, succeed, tool};
use crate::enroll::Api;

/// A server with the service `phones`, and a folder for a client.
pub(super) struct Scene {
    server: TestServer,
    pub(super) folder: tempfile::TempDir,
}

impl Scene {
    pub(super) async fn start() -> Self {
        let server = TestServer::start().await;
        let lifecycle = server.lifecycle();
        let spec = EntryPointSpec::Scep(ScepRules::default());
        let caller = Caller::system();
        let put =
            lifecycle.put_entry_point("phones".to_owned(), spec, None, Expected::Anything, &caller);
        put.await.unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            server,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("{}/scep/phones", self.server.url())
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) async fn password(&self) -> String {
        let lifecycle = self.server.lifecycle();
        let point = lifecycle
            .entry_point(Protocol::Scep, "phones")
            .await
            .unwrap();
        let request = NewEnrollmentPassword {
            name: "phone".to_owned(),
            username: None,
            terms: NewTerms {
                max_uses: Some(1),
                ..NewTerms::default()
            },
        };
        let caller = Caller::system();
        let made = lifecycle
            .create_enrollment_password(&point.unwrap(), request, &caller)
            .await;
        made.unwrap().secret.expose().to_owned()
    }

    async fn client(&self, program: &str, arguments: &[&str]) -> Ended {
        let mut command = tool(program);
        command.args(arguments).current_dir(self.folder.path());
        run(&mut command).await
    }

    async fn openssl(&self, arguments: &[&str]) -> String {
        let mut openssl = tool("openssl");
        openssl.args(arguments).current_dir(self.folder.path());
        succeed(&mut openssl).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_strongswan_enrolls_and_renews_over_scep() {
    let scene = Scene::start().await;
    let url = scene.url();
    let fetched = scene
        .client(
            "pki",
            &[
                "--scepca",
                "--url",
                &url,
                "--caout",
                "ca.pem",
                "--raout",
                "ra.pem",
                "--outform",
                "pem",
            ],
        )
        .await;
    assert!(fetched.succeeded, "{}", fetched.said);
    // It numbers what it finds: the root first, the RA by itself.
    let mut authorities: Vec<String> = std::fs::read_dir(scene.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("ca"))
        .collect();
    authorities.sort();
    assert!(!authorities.is_empty(), "{}", fetched.said);
    scene
        .openssl(&["genrsa", "-traditional", "-out", "moon.key", "2048"])
        .await;
    let password = scene.password().await;
    let mut common = vec![
        "--cacert-enc",
        "ra.pem",
        "--cacert-sig",
        "ra.pem",
        "--dn",
        "CN=moon.example.org",
        "--san",
        "moon.example.org",
        "--outform",
        "pem",
        "--url",
        &url,
    ];
    for authority in &authorities {
        common.extend(["--cacert", authority]);
    }
    let mut arguments = vec!["--scep", "--in", "moon.key", "--password", &password];
    arguments.extend(&common);
    let enrolled = scene.client("pki", &arguments).await;
    assert!(enrolled.succeeded, "{}", enrolled.said);
    std::fs::write(scene.file("moon.pem"), &enrolled.output).unwrap();
    let text = scene
        .openssl(&[
            "x509",
            "-in",
            "moon.pem",
            "-noout",
            "-ext",
            "subjectAltName",
        ])
        .await;
    assert!(text.contains("DNS:moon.example.org"), "{text}");
    scene
        .openssl(&["genrsa", "-traditional", "-out", "next.key", "2048"])
        .await;
    let mut arguments = vec![
        "--scep", "--in", "next.key", "--cert", "moon.pem", "--key", "moon.key",
    ];
    arguments.extend(&common);
    let renewed = scene.client("pki", &arguments).await;
    assert!(renewed.succeeded, "{}", renewed.said);
    assert_ne!(renewed.output, enrolled.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_micromdm_scepclient_is_told_not_to_use_sha1_and_des() {
    let scene = Scene::start().await;
    let url = format!("{}?operation=GetCACert", scene.url());
    let bundle = reqwest::get(url).await.unwrap().bytes().await.unwrap();
    let bundle = pki::cms::SignedData::from_ber(&bundle).unwrap();
    // It encrypts for the certificate of this digest.
    let ra = pki::fingerprint::Fingerprint::of(&bundle.certificates[0]).to_string();
    let (url, password) = (scene.url(), scene.password().await);
    let enrolled = scene
        .client(
            "scepclient",
            &[
                "-server-url",
                &url,
                "-ca-fingerprint",
                &ra,
                "-challenge",
                &password,
                "-cn",
                "phone.example.org",
                "-private-key",
                "phone.key",
                "-certificate",
                "phone.pem",
                "-debug",
            ],
        )
        .await;
    // Whatever the server offers, it signs with SHA-1 and encrypts with single DES (RFC 8894 section 2.9
    // wants neither), and is told so.
    assert!(!enrolled.succeeded, "{}", enrolled.said);
    assert!(
        enrolled.said.contains("sign with SHA-256"),
        "{}",
        enrolled.said
    );
}

/// micromdm's server with a CA of its own, which wants a challenge.
struct ScepServer {
    folder: tempfile::TempDir,
    port: u16,
    process: Background,
}

const CHALLENGE: &str = "a challenge that nobody may see";

impl ScepServer {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut ca = tool("scepserver");
        let init = ["ca", "-init", "-keySize", "2048"];
        succeed(ca.args(init).current_dir(folder.path())).await;
        let port = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        };
        let mut server = tool("scepserver");
        server.current_dir(folder.path());
        server.args(["-port", &port.to_string(), "-challenge", CHALLENGE]);
        server.args(["-allowrenew", "0", "-crtvalid", "30", "-debug"]);
        let process = Background::start(&mut server, &folder.path().join("log"));
        let started = Self {
            folder,
            port,
            process,
        };
        let listens = async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .ok()
        };
        eventually(listens, || started.process.log()).await;
        started
    }

    fn settings(&self, old_algorithms: bool) -> Value {
        let pem = std::fs::read(self.folder.path().join("depot/ca.pem")).unwrap();
        let ca = pki::pem::decode_all(pki::pem::CERTIFICATE, &pem).unwrap();
        json!({
            "url": format!("http://127.0.0.1:{}/scep", self.port),
            "ca_fingerprint": pki::fingerprint::Fingerprint::of(&ca[0]).to_string(),
            "old_algorithms": old_algorithms,
        })
    }
}

/// A server whose profile `device` is signed by that CA.
async fn in_front_of(upstream: &ScepServer, challenge: &str, old_algorithms: bool) -> Scenery {
    let server = TestServer::start().await;
    // The CA's certificate begins now; the server's clock stands a little before that.
    server.clock.advance(std::time::Duration::from_secs(300));
    let api = Api::of(&server, domain::role::Role::Administrator).await;
    let issuer = json!({
        "name": "upstream", "kind": "scep", "settings": upstream.settings(old_algorithms),
        "secrets": { "challenge_password": challenge },
    });
    let made = api.post("/api/v1/issuers", issuer).await.expect(201);
    assert!(!made.to_string().contains(challenge), "{made}");
    let rules = json!(domain::profile::preset::tls_client("upstream"));
    let path = "/api/v1/profiles/device";
    api.call(Method::PUT, path, Some(rules)).await;
    Scenery { server, api }
}

struct Scenery {
    server: TestServer,
    api: Api,
}

impl Scenery {
    async fn enroll(&self, name: &str) -> Value {
        let key = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::EcP256).unwrap();
        let csr = pki::pem::encode(
            "CERTIFICATE REQUEST",
            &testkit::acme::csr_for(&[name], &key),
        );
        let body = json!({ "profile": "device", "csr": csr });
        let made = self.api.post("/api/v1/enrollments", body).await;
        let id = made.body["id"].as_str().map(str::to_owned);
        let id = id.unwrap_or_else(|| panic!("{}", made.body));
        self.server.run_jobs().await;
        self.api.get(&format!("/api/v1/enrollments/{id}")).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_micromdm_scepserver_signs_as_a_ca_behind_this_one() {
    let upstream = ScepServer::start().await;
    let scenery = in_front_of(&upstream, CHALLENGE, true).await;
    let check = scenery
        .api
        .post("/api/v1/issuers/upstream/test", json!({}))
        .await
        .expect(200);
    assert_eq!(check["passed"], true, "{check}");
    assert!(check.to_string().contains("old_algorithms"), "{check}");
    let enrollment = scenery.enroll("device.example.org").await;
    assert_eq!(
        enrollment["status"],
        "issued",
        "{enrollment}\n{}",
        upstream.process.log()
    );
    let id = enrollment["certificate"].as_str().unwrap();
    let path = format!("/api/v1/certificates/{id}");
    let certificate = scenery.api.get(&path).await;
    assert_eq!(certificate["names"], json!(["device.example.org"]));
    assert_eq!(certificate["issuer"], "upstream");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_challenge_and_old_algorithms_at_a_scep_server_are_told_in_words() {
    let upstream = ScepServer::start().await;
    let scenery = in_front_of(&upstream, "not the challenge", true).await;
    let enrollment = scenery.enroll("device.example.org").await;
    assert_eq!(enrollment["status"], "failed", "{enrollment}");
    let told = enrollment.to_string();
    assert!(told.contains("challenge password"), "{told}");
    assert!(!told.contains("not the challenge"), "{told}");
    // Its answers are signed with SHA-1, which is believed only where somebody says so.
    let scenery = in_front_of(&upstream, CHALLENGE, false).await;
    let enrollment = scenery.enroll("device.example.org").await;
    let told = enrollment.to_string();
    assert!(told.contains("not believed"), "{told}");
}
