//! EST with real clients over real TLS: curl with OpenSSL, and strongSwan's `pki`.

use std::path::{Path, PathBuf};

use domain::enrolling::{EntryPointSpec, EstRules, NewTerms, Protocol};
use lifecycle::actor::Caller;
use lifecycle::enrolling::passwords::NewEnrollmentPassword;
use lifecycle::operator::Expected;
use testkit::TestServer;

use super::process::{Ended, run, succeed, tool};

/// A server with its own TLS certificate, and a folder for a client.
struct Scene {
    server: TestServer,
    folder: tempfile::TempDir,
}

impl Scene {
    async fn start() -> Self {
        // strongSwan looks at revocation, over plain HTTP.
        let lines = "tls = \"on\"\nclient_certificates = \"on\"\nhttp_listen = \"127.0.0.1:0\"";
        Self {
            server: TestServer::start_with_server(lines).await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn root(&self) -> PathBuf {
        self.server.data.path().join("root.pem")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self, operation: &str) -> String {
        format!("{}/.well-known/est/{operation}", self.server.url())
    }

    /// A password for the default label, as `user:password`.
    async fn password(&self) -> String {
        let lifecycle = self.server.lifecycle();
        let label = lifecycle
            .entry_point(Protocol::Est, "default")
            .await
            .unwrap();
        let request = NewEnrollmentPassword {
            name: "client".to_owned(),
            username: None,
            terms: NewTerms::default(),
        };
        let caller = Caller::system();
        let made = lifecycle
            .create_enrollment_password(&label.unwrap(), request, &caller)
            .await;
        format!("client:{}", made.unwrap().secret.expose())
    }

    /// A key, and a CSR for this name in DER and in base64.
    async fn request(&self, name: &str) {
        let mut openssl = tool("openssl");
        openssl.current_dir(self.folder.path());
        openssl.args(["req", "-new", "-newkey", "rsa:2048", "-nodes", "-sha256"]);
        openssl.args(["-subj", &format!("/CN={name}"), "-outform", "DER"]);
        openssl.args(["-addext", &format!("subjectAltName=DNS:{name}")]);
        openssl.args([
            "-keyout",
            &format!("{name}.key"),
            "-out",
            &format!("{name}.der"),
        ]);
        succeed(&mut openssl).await;
        let mut encode = tool("openssl");
        encode.current_dir(self.folder.path());
        encode.args(["base64", "-in", &format!("{name}.der")]);
        encode.args(["-out", &format!("{name}.b64")]);
        succeed(&mut encode).await;
    }

    async fn curl(&self, arguments: &[&str]) -> Ended {
        let mut curl = tool("curl");
        curl.args(["--silent", "--show-error", "--cacert"])
            .arg(self.root())
            .args(arguments)
            .current_dir(self.folder.path());
        run(&mut curl).await
    }

    /// Posts a CSR, and takes the certificate out of what comes back.
    async fn post(
        &self,
        operation: &str,
        name: &str,
        credential: &[&str],
    ) -> Result<PathBuf, String> {
        let (url, data) = (self.url(operation), format!("@{name}.b64"));
        let mut arguments = vec![
            "--fail-with-body",
            "--header",
            "Content-Type: application/pkcs10",
            "--data-binary",
            &data,
            "--output",
            "answer.b64",
            &url,
        ];
        arguments.extend(credential);
        let ended = self.curl(&arguments).await;
        if !ended.succeeded {
            let told = std::fs::read_to_string(self.file("answer.b64")).unwrap_or_default();
            return Err(format!("{}{told}", ended.said));
        }
        Ok(self.certificates("answer.b64").await)
    }

    /// The certificates of a bundle in base64, in a PEM file.
    async fn certificates(&self, bundle: &str) -> PathBuf {
        let mut decode = tool("openssl");
        decode.current_dir(self.folder.path());
        decode.args(["base64", "-d", "-A", "-in", bundle, "-out", "answer.p7"]);
        succeed(&mut decode).await;
        let out = self.file(&format!("{bundle}.pem"));
        let mut print = tool("openssl");
        print.current_dir(self.folder.path());
        print.args([
            "pkcs7",
            "-inform",
            "DER",
            "-in",
            "answer.p7",
            "-print_certs",
            "-out",
        ]);
        print.arg(&out);
        succeed(&mut print).await;
        out
    }

    /// Whether OpenSSL believes the certificate with what `cacerts` said.
    async fn verify(&self, certificate: &Path) {
        let url = self.url("cacerts");
        let fetched = self
            .curl(&["--fail", "--output", "cacerts.b64", &url])
            .await;
        assert!(fetched.succeeded, "{}", fetched.said);
        let above = self.certificates("cacerts.b64").await;
        let mut verify = tool("openssl");
        verify.arg("verify").arg("-CAfile").arg(self.root());
        verify.arg("-untrusted").arg(above).arg(certificate);
        succeed(&mut verify).await;
    }

    async fn strongswan(&self, arguments: &[&str]) -> Ended {
        let mut pki = tool("pki");
        pki.args(arguments).current_dir(self.folder.path());
        run(&mut pki).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_curl_and_openssl_enroll_and_renew_over_est() {
    let scene = Scene::start().await;
    let name = "curl.example.org";
    scene.request(name).await;
    let refused = scene.post("simpleenroll", name, &[]).await.unwrap_err();
    assert!(refused.contains("enrollment password"), "{refused}");
    let password = scene.password().await;
    let issued = scene
        .post("simpleenroll", name, &["--user", &password])
        .await
        .unwrap();
    scene.verify(&issued).await;
    let certificate = scene.file("first.pem");
    std::fs::copy(&issued, &certificate).unwrap();
    let key = format!("{name}.key");
    // A new key for the same names, shown to be the holder's by the handshake.
    std::fs::copy(scene.file(&key), scene.file("first.key")).unwrap();
    scene.request(name).await;
    let shown = ["--cert", "first.pem", "--key", "first.key"];
    let renewed = scene.post("simplereenroll", name, &shown).await.unwrap();
    scene.verify(&renewed).await;
    assert_ne!(
        std::fs::read(&renewed).unwrap(),
        std::fs::read(&certificate).unwrap()
    );
    let without = scene.post("simplereenroll", name, &[]).await.unwrap_err();
    assert!(without.contains("handshake"), "{without}");
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_curl_gets_a_key_that_was_made_for_it() {
    let scene = Scene::start().await;
    let rules = EstRules {
        server_keys: true,
        ..EstRules::default()
    };
    let spec = EntryPointSpec::Est(rules);
    let name = "default".to_owned();
    let lifecycle = scene.server.lifecycle();
    let caller = Caller::system();
    let put = lifecycle.put_entry_point(name, spec, None, Expected::Anything, &caller);
    put.await.unwrap();
    scene.request("sensor.example.org").await;
    let password = scene.password().await;
    let url = scene.url("serverkeygen");
    let ended = scene
        .curl(&[
            "--fail-with-body",
            "--user",
            &password,
            "--header",
            "Content-Type: application/pkcs10",
            "--data-binary",
            "@sensor.example.org.b64",
            &url,
        ])
        .await;
    assert!(ended.succeeded, "{}", ended.said);
    assert!(ended.output.contains("application/pkcs8"), "{}", ended.said);
    assert!(ended.output.contains("certs-only"), "{}", ended.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_strongswan_enrolls_and_renews_over_est() {
    let scene = Scene::start().await;
    let (base, root) = (scene.server.url(), scene.root());
    let root = root.to_str().unwrap();
    let fetched = scene
        .strongswan(&[
            "--estca",
            "--url",
            &base,
            "--cacert",
            root,
            "--caout",
            "ca.pem",
            "--outform",
            "pem",
        ])
        .await;
    assert!(fetched.succeeded, "{}", fetched.said);
    let name = "moon.example.org";
    scene.request(name).await;
    let password = scene.password().await;
    let (csr, key) = (format!("{name}.der"), format!("{name}.key"));
    // The chain's upper end is what the server's own certificate is trusted by.
    let authorities = ["--cacert", root];
    let mut arguments = vec!["--est", "--url", &base, "--in", &csr, "--outform", "pem"];
    arguments.extend(authorities);
    arguments.extend(["--userpass", &password]);
    let enrolled = scene.strongswan(&arguments).await;
    assert!(enrolled.succeeded, "{}", enrolled.said);
    let certificate = scene.file("moon.pem");
    std::fs::write(&certificate, &enrolled.output).unwrap();
    scene.verify(&certificate).await;
    std::fs::rename(scene.file(&key), scene.file("moon.key")).unwrap();
    scene.request(name).await;
    let mut arguments = vec!["--est", "--url", &base, "--in", &csr, "--outform", "pem"];
    arguments.extend(authorities);
    arguments.extend(["--cert", "moon.pem", "--key", "moon.key"]);
    let renewed = scene.strongswan(&arguments).await;
    assert!(renewed.succeeded, "{}", renewed.said);
    assert_ne!(renewed.output, enrolled.output);
}
