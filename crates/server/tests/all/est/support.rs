//! A server behind a proxy that passes client certificates on, and clients of EST before it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::role::Role;
use lifecycle::actor::Caller;
use pki::certificate::Certificate;
use pki::cms::SignedData;
use pki::csr;
use pki::key::{KeyAlgorithm, LocalKey};
use pki::name::{DistinguishedName, GeneralName};
use protocols::est::body;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;

/// A server, an operator, and a client without a credential.
pub struct Est {
    pub server: TestServer,
    http: reqwest::Client,
    token: String,
    /// Of somebody else, who made no password.
    approver: String,
}

/// How a client shows who it is.
#[derive(Clone, Copy)]
pub enum Shows<'a> {
    Nothing,
    Password(&'a str, &'a str),
    Certificate(&'a Certificate),
    Token(&'a str),
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub content_type: String,
    pub retry_after: Option<u64>,
    pub challenge: Option<String>,
    pub body: String,
}

impl Answer {
    /// The one certificate of a bundle.
    #[track_caller]
    pub fn certificate(&self) -> Certificate {
        let certificates = self.certificates();
        assert_eq!(certificates.len(), 1, "{}", self.body);
        Certificate::from_der(&certificates[0]).unwrap()
    }

    #[track_caller]
    pub fn certificates(&self) -> Vec<Vec<u8>> {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        assert!(self.content_type.starts_with("application/pkcs7-mime"));
        let der = body::decode(self.body.as_bytes()).unwrap();
        SignedData::from_ber(&der).unwrap().certificates
    }

    #[track_caller]
    pub fn refused(&self, status: u16, because: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert!(self.body.contains(because), "{}", self.body);
    }
}

impl Est {
    pub async fn start() -> Self {
        let lines = "client_certificates = \"on\"\nclient_certificate_header = \"X-Client-Cert\"\n\
                     trusted_proxies = [\"127.0.0.1/32\"]";
        Self::over(TestServer::start_with_server(lines).await).await
    }

    pub async fn over(server: TestServer) -> Self {
        let lifecycle = server.lifecycle();
        let role = Role::Administrator;
        let caller = Caller::system();
        let made = lifecycle.create_token("admin".to_owned(), role, None, &caller);
        let token = made.await.unwrap().secret.expose().to_owned();
        let made = lifecycle.create_token("approver".to_owned(), role, None, &caller);
        let approver = made.await.unwrap().secret.expose().to_owned();
        let root = std::fs::read(server.data.path().join("root.pem")).unwrap();
        let roots = reqwest::Certificate::from_pem_bundle(&root).unwrap();
        let http = reqwest::Client::builder().tls_certs_only(roots);
        Self {
            server,
            http: http.build().unwrap(),
            token,
            approver,
        }
    }

    /// A request of the operator, which has to succeed.
    #[track_caller]
    pub fn operate(&self, method: Method, path: &str, body: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        let path = path.to_owned();
        async move {
            let (status, body) = self.try_operate(method, &path, body).await;
            assert!(status.is_success(), "{caller}: {status} {path}: {body}");
            body
        }
    }

    pub async fn try_operate(
        &self,
        method: Method,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        self.call(&self.token, method, path, body).await
    }

    /// Decides about what waits, as somebody else than who made the password.
    pub async fn decide(&self, verdict: &str, body: Value) -> StatusCode {
        let path = format!("approvals/{}/{verdict}", self.approval().await);
        self.call(&self.approver, Method::POST, &path, body).await.0
    }

    async fn call(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        let url = format!("{}/api/v1/{path}", self.server.url());
        let mut request = self.http.request(method.clone(), url).bearer_auth(token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub async fn label(&self, name: &str, rules: Value) {
        self.operate(Method::PUT, &format!("est/labels/{name}"), rules)
            .await;
    }

    /// A password for a label, with further members of its request.
    pub async fn password(&self, label: &str, more: Value) -> (String, String) {
        let mut body = json!({ "name": "printer 17", "est_label": label });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let made = self
            .operate(Method::POST, "enrollment-passwords", body)
            .await;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("secret"), text("id"))
    }

    pub async fn get(&self, path: &str) -> Answer {
        let url = format!("{}/.well-known/est/{path}", self.server.url());
        answer(self.http.get(url)).await
    }

    pub async fn post(&self, path: &str, csr: &[u8], shows: Shows<'_>) -> Answer {
        answer(
            self.request(path, shows)
                .header("Content-Type", "application/pkcs10")
                .body(STANDARD.encode(csr)),
        )
        .await
    }

    pub fn request(&self, path: &str, shows: Shows<'_>) -> RequestBuilder {
        let url = format!("{}/.well-known/est/{path}", self.server.url());
        let request = self.http.post(url);
        match shows {
            Shows::Nothing => request,
            Shows::Password(user, password) => request.basic_auth(user, Some(password)),
            Shows::Token(token) => request.bearer_auth(token),
            Shows::Certificate(certificate) => request.header(
                "X-Client-Cert",
                format!(":{}:", STANDARD.encode(&certificate.der)),
            ),
        }
    }

    /// Makes another server's label `default` the CA behind the label `behind` here.
    pub async fn put_behind(&self, ca: &Self) {
        let (secret, _) = ca.password("default", json!({ "username": "front" })).await;
        let issuer = json!({
            "name": "upstream",
            "kind": "est",
            "settings": { "url": ca.server.url(), "username": "front" },
            "secrets": { "password": secret },
        });
        let made = self.operate(Method::POST, "issuers", issuer).await;
        assert!(!made.to_string().contains(&secret), "{made}");
        let rules = json!(domain::profile::preset::tls_server("upstream"));
        self.operate(Method::PUT, "profiles/behind", rules).await;
        self.label("behind", json!({ "profile": "behind" })).await;
    }

    /// A token of the REST API, which opens nothing here.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A profile like `default` that asks an approver first.
    pub async fn guarded_profile(&self) {
        let mut rules = json!(domain::profile::preset::tls_server("issuing"));
        rules["approval"] = json!({
            "stages": [{ "approvals": 1, "approvers": [{ "kind": "role", "role": "administrator" }] }],
        });
        self.operate(Method::PUT, "profiles/guarded", rules).await;
    }

    /// The id of the one approval that waits.
    pub async fn approval(&self) -> String {
        let path = "approvals?status=pending";
        let page = self.operate(Method::GET, path, Value::Null).await;
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{page}");
        items[0]["id"].as_str().unwrap().to_owned()
    }

    /// The certificate in the inventory.
    pub async fn inventory(&self, certificate: &Certificate) -> Value {
        let path = format!("certificates?fingerprint={}", certificate.fingerprint());
        let page = self.operate(Method::GET, &path, Value::Null).await;
        let id = page["items"][0]["id"].as_str().unwrap().to_owned();
        self.operate(Method::GET, &format!("certificates/{id}"), Value::Null)
            .await
    }
}

pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    Answer {
        status: response.status(),
        content_type: header("content-type").unwrap_or_default(),
        retry_after: header("retry-after").map(|text| text.parse().unwrap()),
        challenge: header("www-authenticate"),
        body: response.text().await.unwrap(),
    }
}

pub fn new_key() -> LocalKey {
    LocalKey::generate(KeyAlgorithm::EcP256).unwrap()
}

/// A CSR for these names, DER.
pub fn csr(names: &[&str]) -> Vec<u8> {
    csr_with(&new_key(), "", names)
}

pub fn csr_with(key: &LocalKey, subject: &str, names: &[&str]) -> Vec<u8> {
    let names: Vec<_> = names
        .iter()
        .map(|name| GeneralName::Dns((*name).to_owned()))
        .collect();
    let subject = match subject {
        "" => DistinguishedName::empty(),
        text => DistinguishedName::parse(text).unwrap(),
    };
    csr::build(&subject, &names, &[], key).unwrap()
}

/// A CSR with a challenge password, DER.
pub fn csr_with_challenge(challenge: &str, names: &[&str]) -> Vec<u8> {
    let names: Vec<_> = names
        .iter()
        .map(|name| GeneralName::Dns((*name).to_owned()))
        .collect();
    let request = csr::Draft {
        subject: &DistinguishedName::empty(),
        subject_alt_names: &names,
        extensions: &[],
        challenge_password: Some(challenge),
    };
    csr::build_draft(&request, &new_key()).unwrap()
}
