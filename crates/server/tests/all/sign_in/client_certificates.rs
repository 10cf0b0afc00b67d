//! A5: machines that show a certificate, over TLS or through a proxy, and those that are turned away.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pki::certificate::Certificate;
use pki::key::{KeyAlgorithm, LocalKey};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;

use super::browser::{Browser, administrator};
use crate::enroll::csr_for;

/// A CA that the server does not run itself.
struct ForeignCa {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl ForeignCa {
    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn fingerprint(&self) -> String {
        let der = pki::pem::decode_all(pki::pem::CERTIFICATE, self.pem.as_bytes()).unwrap();
        Certificate::from_der(&der[0])
            .unwrap()
            .fingerprint()
            .to_string()
    }

    /// A client's certificate, DER.
    fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["machine.example.org".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        params.signed_by(&key, &self.issuer).unwrap().der().to_vec()
    }
}

/// A server behind a proxy on this machine, which passes certificates on, and one rule.
struct Behind {
    server: TestServer,
    admin: Browser,
    partner: ForeignCa,
    _files: tempfile::TempDir,
}

impl Behind {
    async fn proxy(trusted: bool) -> Self {
        let files = tempfile::tempdir().unwrap();
        let partner = ForeignCa::named("Partner CA");
        let path = files.path().join("partner.pem");
        std::fs::write(&path, &partner.pem).unwrap();
        let proxies = if trusted {
            "\"127.0.0.1/32\""
        } else {
            "\"192.0.2.1/32\""
        };
        let lines = format!(
            "client_certificates = \"on\"\nclient_certificate_header = \"X-Client-Cert\"\n\
             trusted_proxies = [{proxies}]\nclient_authorities = \"{}\"",
            path.display()
        );
        let server = TestServer::start_with_server(&lines).await;
        let mut admin = administrator(&server).await;
        let token = token(&mut admin).await;
        for ca in [partner.fingerprint(), "issuing".to_owned()] {
            rule(
                &mut admin,
                &token,
                &ca,
                json!({ "kind": "dns", "value": "machine.example.org" }),
            )
            .await;
        }
        Self {
            server,
            admin,
            partner,
            _files: files,
        }
    }

    /// What the server says to a request with that certificate in the header.
    async fn shown(&self, der: &[u8]) -> (StatusCode, Value) {
        let url = format!("{}/api/v1/me", self.server.url());
        let header = format!(":{}:", STANDARD.encode(der));
        let request = Client::new().get(url).header("X-Client-Cert", header);
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    #[track_caller]
    fn refused((status, body): (StatusCode, Value), because: &str) {
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{body}");
        let detail = body["detail"].as_str().unwrap();
        assert!(detail.contains(because), "{detail}");
    }

    /// A certificate of the server's own issuing CA, with its id in the inventory.
    async fn own(&mut self, profile: &str) -> (Vec<u8>, String) {
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let csr = csr_for(&key, &["machine.example.org"]);
        let body = json!({ "profile": profile, "csr": csr });
        let answer = self.admin.post("/api/v1/enrollments", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let chain = answer.body["chain"].as_str().unwrap();
        let der = pki::pem::decode_all(pki::pem::CERTIFICATE, chain.as_bytes()).unwrap();
        let listed = self
            .admin
            .get("/api/v1/certificates?name=machine.example.org")
            .await;
        let id = listed.body["items"][0]["id"].as_str().unwrap().to_owned();
        (der[0].clone(), id)
    }
}

async fn token(admin: &mut Browser) -> String {
    let body = json!({ "name": "machine", "role": "auditor" });
    let made = admin.post("/api/v1/tokens", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.body["id"].as_str().unwrap().to_owned()
}

async fn rule(admin: &mut Browser, token: &str, ca: &str, subject: Value) -> String {
    let body = json!({ "name": "machine", "token": token, "ca": ca, "subject": subject });
    let made = admin.post("/api/v1/client-certificates", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_a_certificate_by_a_trusted_ca_has_the_rights_of_its_token() {
    let behind = Behind::proxy(true).await;
    let good = behind.partner.issue(|_| {});
    let (status, me) = behind.shown(&good).await;
    assert_eq!(status, StatusCode::OK, "{me}");
    assert_eq!(
        (&me["kind"], &me["name"]),
        (&json!("token"), &json!("machine"))
    );
    let other = behind.partner.issue(|params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName(
            "other.example.org".try_into().unwrap(),
        )];
    });
    Behind::refused(behind.shown(&other).await, "no rule");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_an_expired_certificate_is_refused() {
    let behind = Behind::proxy(true).await;
    let expired = behind.partner.issue(|params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 2, 1);
    });
    Behind::refused(behind.shown(&expired).await, "expired");
    let early = behind.partner.issue(|params| {
        params.not_before = rcgen::date_time_ymd(2090, 1, 1);
        params.not_after = rcgen::date_time_ymd(2090, 2, 1);
    });
    Behind::refused(behind.shown(&early).await, "not valid yet");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_a_certificate_with_the_wrong_usage_is_refused() {
    let mut behind = Behind::proxy(true).await;
    let server_only = behind.partner.issue(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    Behind::refused(behind.shown(&server_only).await, "clientAuth");
    let none = behind
        .partner
        .issue(|params| params.extended_key_usages = Vec::new());
    Behind::refused(behind.shown(&none).await, "clientAuth");
    let ca = behind.partner.issue(|params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    Behind::refused(behind.shown(&ca).await, "CA certificate");
    let (own, _) = behind.own("default").await;
    Behind::refused(behind.shown(&own).await, "clientAuth");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_the_same_name_by_another_ca_is_refused() {
    let behind = Behind::proxy(true).await;
    // The other CA even calls itself the same.
    let impostor = ForeignCa::named("Partner CA");
    Behind::refused(
        behind.shown(&impostor.issue(|_| {})).await,
        "not issued by a CA",
    );
    let stranger = ForeignCa::named("Stranger CA");
    Behind::refused(
        behind.shown(&stranger.issue(|_| {})).await,
        "not issued by a CA",
    );
    Behind::refused(
        behind.shown(b"\x30\x03\x02\x01\x00").await,
        "cannot be read",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_a_certificate_that_is_revoked_here_is_refused_from_the_next_request_on() {
    let mut behind = Behind::proxy(true).await;
    let (own, id) = behind.own("tls-client").await;
    let (status, body) = behind.shown(&own).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let path = format!("/api/v1/certificates/{id}/revoke");
    let answer = behind
        .admin
        .post(&path, json!({ "reason": "superseded" }))
        .await;
    assert!(answer.status.is_success(), "{}", answer.text);
    Behind::refused(behind.shown(&own).await, "revoked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_a_header_that_no_trusted_proxy_sends_is_refused() {
    let behind = Behind::proxy(false).await;
    let good = behind.partner.issue(|_| {});
    let (status, body) = behind.shown(&good).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_a_revoked_token_and_a_removed_rule_close_the_door() {
    let mut behind = Behind::proxy(true).await;
    let good = behind.partner.issue(|_| {});
    let rules = behind.admin.get("/api/v1/client-certificates").await;
    let items = rules.body["items"].as_array().unwrap();
    let of_partner = items.iter().find(|rule| rule["ca"] != "issuing").unwrap();
    let path = format!(
        "/api/v1/client-certificates/{}",
        of_partner["id"].as_str().unwrap()
    );
    assert_eq!(
        behind.admin.delete(&path).await.status,
        StatusCode::NO_CONTENT
    );
    Behind::refused(behind.shown(&good).await, "no rule");

    let token = of_partner["token"].as_str().unwrap().to_owned();
    let ca = behind.partner.fingerprint();
    let subject = json!({ "kind": "dns", "value": "Machine.Example.org" });
    rule(&mut behind.admin, &token, &ca, subject).await;
    assert_eq!(behind.shown(&good).await.0, StatusCode::OK);
    let revoked = behind
        .admin
        .delete(&format!("/api/v1/tokens/{token}"))
        .await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.text);
    Behind::refused(behind.shown(&good).await, "no rule");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_a_machine_comes_in_over_tls_with_its_certificate_and_without_a_token() {
    let lines = "tls = \"on\"\nclient_certificates = \"on\"";
    let server = TestServer::start_with_server(lines).await;
    let root = std::fs::read(server.data.path().join("root.pem")).unwrap();
    let root = reqwest::Certificate::from_pem(&root).unwrap();
    let made = server
        .lifecycle()
        .create_token(
            "machine".to_owned(),
            domain::role::Role::Administrator,
            None,
            &lifecycle::actor::Caller::system(),
        )
        .await
        .unwrap();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let plain = Client::builder()
        .tls_certs_only([root.clone()])
        .build()
        .unwrap();
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let csr = csr_for(&key, &["machine.example.org"]);
    let call = async |client: &Client, method: Method, path: &str, body: Option<Value>| {
        let url = format!("{}{path}", server.url());
        let mut request = client.request(method, url);
        if let Some(body) = body {
            request = request.bearer_auth(made.secret.expose()).json(&body);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    let wanted = json!({ "profile": "tls-client", "csr": csr });
    let (status, issued) = call(&plain, Method::POST, "/api/v1/enrollments", Some(wanted)).await;
    assert_eq!(status, StatusCode::CREATED, "{issued}");
    let subject = json!({ "kind": "dns", "value": "machine.example.org" });
    let wanted = json!({ "name": "machine", "token": made.token.id.as_str(), "ca": "issuing",
        "subject": subject });
    let path = "/api/v1/client-certificates";
    let (status, body) = call(&plain, Method::POST, path, Some(wanted)).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");

    let key = pki::pem::encode("PRIVATE KEY", &key.to_pkcs8().unwrap());
    let identity = format!("{key}{}", issued["chain"].as_str().unwrap());
    let identity = reqwest::Identity::from_pem(identity.as_bytes()).unwrap();
    let machine = Client::builder()
        .tls_certs_only([root])
        .identity(identity)
        .build()
        .unwrap();
    let (status, me) = call(&machine, Method::GET, "/api/v1/me", None).await;
    assert_eq!(status, StatusCode::OK, "{me}");
    assert_eq!(me["name"], "machine");
    let (status, _) = call(&plain, Method::GET, "/api/v1/me", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "who shows none is nobody");
    // Judged with each request, not with the handshake alone.
    server.clock.advance(Duration::from_secs(91 * 24 * 60 * 60));
    let (status, body) = call(&machine, Method::GET, "/api/v1/me", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{body}");
}
