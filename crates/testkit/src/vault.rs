//! A server with the part of the interface of HashiCorp Vault and OpenBao that a client of their PKI
//! engine needs, after the public documentation of both. It behaves as badly as the test says.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use pki::certificate::Certificate;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::ca::TestCa;

/// How the server misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// 429, as where a quota of the server is used up.
    Throttled,
    /// 503, as a sealed server.
    Sealed,
    /// An error of its own without any text.
    Broken,
    /// A page for people, as a proxy in between gives it.
    Html,
    /// JSON that ends in the middle.
    HalfAnAnswer,
    /// Says nothing for as long as the test lives.
    Silent,
    /// A certificate for another key.
    WrongCertificate,
    /// The role does not allow it.
    Refusing,
}

/// The server.
#[derive(Clone)]
pub struct TestVault {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _task: Arc<AbortOnDrop>,
}

struct Shared {
    ca: TestCa,
    state: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    fault: Fault,
    /// Tokens that hold, with their seconds and whether they may be renewed.
    tokens: BTreeMap<String, (u64, bool)>,
    /// By serial as the engine writes it: DER and when it was revoked.
    issued: BTreeMap<String, (Vec<u8>, i64)>,
    calls: Vec<String>,
    logins: u64,
    may_revoke: bool,
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What it lets in.
pub const TOKEN: &str = "hvs.test-token-that-nobody-may-see";
pub const ROLE_ID: &str = "role-one";
pub const SECRET_ID: &str = "secret-that-nobody-may-see";

impl TestVault {
    /// Binds a free port; an engine at `pki` with the role `web`.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            ca: TestCa::new("Vault CA"),
            state: Mutex::new(Held {
                tokens: BTreeMap::from([(TOKEN.to_owned(), (3600, true))]),
                may_revoke: true,
                ..Held::default()
            }),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            shared,
            _task: Arc::new(AbortOnDrop(task)),
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it behaves so.
    pub fn fails(&self, fault: Fault) {
        self.shared.state.lock().fault = fault;
    }

    /// Its CA.
    pub fn ca(&self) -> &TestCa {
        &self.shared.ca
    }

    /// No token holds any more, but those that are got by a login from now on.
    pub fn forget_tokens(&self) {
        self.shared.state.lock().tokens.clear();
    }

    /// The token may sign but not revoke.
    pub fn forbid_revocation(&self) {
        self.shared.state.lock().may_revoke = false;
    }

    /// Method and path of every call.
    pub fn calls(&self) -> Vec<String> {
        self.shared.state.lock().calls.clone()
    }

    /// How many certificates were signed.
    pub fn signed(&self) -> usize {
        self.shared.state.lock().issued.len()
    }

    /// Signs one that nobody here asked for.
    pub fn issue_to_somebody_else(&self, name: &str) -> Vec<u8> {
        let der = self.shared.ca.sign_other(&[name]);
        let serial = serial_of(&der);
        let mut state = self.shared.state.lock();
        state.issued.insert(serial, (der.clone(), 0));
        der
    }

    /// Revokes one on its own account.
    pub fn revoke(&self, der: &[u8], at: i64) {
        let mut state = self.shared.state.lock();
        state.issued.get_mut(&serial_of(der)).unwrap().1 = at;
    }

    /// Whether a certificate is revoked there.
    pub fn is_revoked(&self, der: &[u8]) -> bool {
        let state = self.shared.state.lock();
        state
            .issued
            .get(&serial_of(der))
            .is_some_and(|(_, revoked)| *revoked > 0)
    }
}

fn serial_of(der: &[u8]) -> String {
    let certificate = Certificate::from_der(der).unwrap();
    let octets = certificate.serial.as_be_octets().iter();
    let parts: Vec<String> = octets.map(|octet| format!("{octet:02x}")).collect();
    parts.join(":")
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().trim_start_matches("/v1/").to_owned();
    let fault = {
        let mut state = shared.state.lock();
        state.calls.push(format!("{method} {path}"));
        state.fault
    };
    if let Some(response) = misbehave(fault).await {
        return response;
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = headers
        .get("x-vault-token")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut state = shared.state.lock();
    match path.as_str() {
        "sys/health" => ok(json!({ "initialized": true, "sealed": false, "version": "1.19.0" })),
        "auth/approle/login" => login(&mut state, &body),
        "pki/issuer/default/json" => data(json!({
            "certificate": shared.ca.pem(), "ca_chain": [shared.ca.pem()],
        })),
        _ if !state.tokens.contains_key(token) => {
            refused(StatusCode::FORBIDDEN, "permission denied")
        }
        "auth/token/lookup-self" => {
            let (ttl, renewable) = state.tokens[token];
            data(json!({ "ttl": ttl, "renewable": renewable, "policies": ["pki"] }))
        }
        "auth/token/renew-self" => ok(json!({
            "auth": { "client_token": token, "lease_duration": 3600, "renewable": true },
        })),
        "sys/capabilities-self" => capabilities(&state, &body),
        "pki/roles/web" => data(json!({ "max_ttl": 0, "no_store": false })),
        "pki/sign/web" => sign(&shared.ca, &mut state, fault, &body),
        "pki/revoke" if !state.may_revoke => refused(StatusCode::FORBIDDEN, "permission denied"),
        "pki/revoke" => revoke(&mut state, &body),
        "pki/certs" => data(json!({ "keys": state.issued.keys().collect::<Vec<_>>() })),
        _ => match path.strip_prefix("pki/cert/") {
            Some(serial) => stored(&state, serial),
            None => refused(StatusCode::NOT_FOUND, "no handler for route"),
        },
    }
}

async fn misbehave(fault: Fault) -> Option<Response> {
    Some(match fault {
        Fault::None | Fault::WrongCertificate | Fault::Refusing => return None,
        Fault::Throttled => refused(
            StatusCode::TOO_MANY_REQUESTS,
            "request path \"pki\": rate limit quota exceeded",
        ),
        Fault::Sealed => refused(StatusCode::SERVICE_UNAVAILABLE, "Vault is sealed"),
        Fault::Broken => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fault::Html => axum::response::Html("<html><body>Sign in</body></html>").into_response(),
        Fault::HalfAnAnswer => "{\"data\": {\"certificate\": \"-----BEGIN".into_response(),
        Fault::Silent => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            StatusCode::OK.into_response()
        }
    })
}

fn login(state: &mut Held, body: &Value) -> Response {
    if body["role_id"] != ROLE_ID || body["secret_id"] != SECRET_ID {
        return refused(StatusCode::BAD_REQUEST, "invalid role or secret ID");
    }
    state.logins += 1;
    let token = format!("hvs.login-{}", state.logins);
    state.tokens.insert(token.clone(), (1200, true));
    ok(json!({
        "auth": { "client_token": token, "lease_duration": 1200, "renewable": true },
    }))
}

fn capabilities(state: &Held, body: &Value) -> Response {
    let paths = body["paths"].as_array().cloned().unwrap_or_default();
    let rights: serde_json::Map<String, Value> = paths
        .iter()
        .filter_map(Value::as_str)
        .map(|path| {
            let may = state.may_revoke || !path.ends_with("revoke");
            let words = if may {
                json!(["update"])
            } else {
                json!(["deny"])
            };
            (path.to_owned(), words)
        })
        .collect();
    data(Value::Object(rights))
}

fn sign(ca: &TestCa, state: &mut Held, fault: Fault, body: &Value) -> Response {
    let csr = body["csr"].as_str().unwrap_or_default();
    let Ok(csr) = pki::pem::decode_all(pki::pem::CERTIFICATE_REQUEST, csr.as_bytes()) else {
        return refused(StatusCode::BAD_REQUEST, "no PEM block");
    };
    let der = match fault {
        Fault::Refusing => {
            return refused(
                StatusCode::BAD_REQUEST,
                "subject alternate name not allowed by this role",
            );
        }
        Fault::WrongCertificate => ca.sign_other(&["wrong.example.org"]),
        _ => ca.sign(&csr[0]),
    };
    let serial = serial_of(&der);
    state.issued.insert(serial.clone(), (der.clone(), 0));
    data(json!({
        "certificate": pki::pem::encode(pki::pem::CERTIFICATE, &der),
        "issuing_ca": ca.pem(),
        "ca_chain": [ca.pem()],
        "serial_number": serial,
        "expiration": 2_366_841_600_u64,
    }))
}

fn revoke(state: &mut Held, body: &Value) -> Response {
    let pem = body["certificate"].as_str().unwrap_or_default();
    let found = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap_or_default();
    let entry = found
        .first()
        .and_then(|der| state.issued.get_mut(&serial_of(der)));
    match entry {
        None => refused(StatusCode::BAD_REQUEST, "certificate not found"),
        Some((_, revoked)) => {
            *revoked = 1_800_000_000;
            data(json!({ "revocation_time": 1_800_000_000, "state": "revoked" }))
        }
    }
}

fn stored(state: &Held, serial: &str) -> Response {
    match state.issued.get(serial) {
        None => refused(StatusCode::NOT_FOUND, ""),
        Some((der, revoked)) => data(json!({
            "certificate": pki::pem::encode(pki::pem::CERTIFICATE, der),
            "revocation_time": revoked,
        })),
    }
}

fn data(value: Value) -> Response {
    ok(json!({ "data": value }))
}

fn ok(value: Value) -> Response {
    axum::Json(value).into_response()
}

fn refused(status: StatusCode, text: &str) -> Response {
    (status, axum::Json(json!({ "errors": [text] }))).into_response()
}
