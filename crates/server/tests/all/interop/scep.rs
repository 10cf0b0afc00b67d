//! SCEP with real clients: strongSwan's `pki` and micromdm's `scepclient`.

use std::path::PathBuf;

use domain::enrolling::{EntryPointSpec, Protocol, ScepRules};
use lifecycle::actor::Caller;
use lifecycle::enrolling::passwords::NewEnrollmentPassword;
use lifecycle::operator::Expected;
use testkit::TestServer;

use super::process::{Ended, run, succeed, tool};

/// A server with the service `phones`, and a folder for a client.
struct Scene {
    server: TestServer,
    folder: tempfile::TempDir,
}

impl Scene {
    async fn start() -> Self {
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

    fn url(&self) -> String {
        format!("{}/scep/phones", self.server.url())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn password(&self) -> String {
        let lifecycle = self.server.lifecycle();
        let point = lifecycle
            .entry_point(Protocol::Scep, "phones")
            .await
            .unwrap();
        let request = NewEnrollmentPassword {
            name: "phone".to_owned(),
            username: None,
            allowed_names: Vec::new(),
            max_uses: Some(1),
            metadata: domain::metadata::Values::new(),
            lifetime: None,
            team: None,
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
