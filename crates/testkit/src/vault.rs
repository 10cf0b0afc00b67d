//! A server with the part of the interface of HashiCorp Vault and OpenBao that a client of their PKI
//! engine needs, after the public documentation of both. It behaves as badly as the test says.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use pki::certificate::Certificate;
use serde_json::{Value, json};

use crate::ca::TestCa;
pub use crate::peer::Fault;
use crate::peer::{Peer, SAYS_NO};
use crate::service::{Asked, TestService, Told};

/// The server.
#[derive(Clone)]
pub struct TestVault {
    pub peer: Peer,
    service: Arc<TestService>,
    state: Arc<Mutex<Held>>,
}

struct Held {
    /// Tokens that hold, with their seconds and whether they may be renewed.
    tokens: BTreeMap<String, (u64, bool)>,
    /// By serial as the engine writes it: DER and when it was revoked.
    issued: BTreeMap<String, (Vec<u8>, i64)>,
    logins: u64,
    may_revoke: bool,
}

/// What it lets in.
pub const TOKEN: &str = "hvs.test-token-that-nobody-may-see";
pub const ROLE_ID: &str = "role-one";
pub const SECRET_ID: &str = "secret-that-nobody-may-see";

impl TestVault {
    /// Binds a free port; an engine at `pki` with the role `web`.
    pub async fn start() -> Self {
        let peer = Peer::new("Vault CA");
        let state = Arc::new(Mutex::new(Held {
            tokens: BTreeMap::from([(TOKEN.to_owned(), (3600, true))]),
            issued: BTreeMap::new(),
            logins: 0,
            may_revoke: true,
        }));
        Self {
            service: Arc::new(TestService::start_plain(peer.keeping(&state, answer)).await),
            peer,
            state,
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.service.url()
    }

    /// From now on it behaves so.
    pub fn fails(&self, fault: Fault) {
        self.peer.fails(fault);
    }

    /// Its CA.
    pub fn ca(&self) -> &TestCa {
        self.peer.ca()
    }

    /// No token holds any more, but those that are got by a login from now on.
    pub fn forget_tokens(&self) {
        self.state.lock().tokens.clear();
    }

    /// The token may sign but not revoke.
    pub fn forbid_revocation(&self) {
        self.state.lock().may_revoke = false;
    }

    /// Method and path of every call.
    pub fn calls(&self) -> Vec<String> {
        self.peer.asked()
    }

    /// How many certificates were signed.
    pub fn signed(&self) -> usize {
        self.state.lock().issued.len()
    }

    /// Signs one that nobody here asked for.
    pub fn issue_to_somebody_else(&self, name: &str) -> Vec<u8> {
        let der = self.ca().sign_other(&[name]);
        let serial = serial_of(&der);
        let mut state = self.state.lock();
        state.issued.insert(serial, (der.clone(), 0));
        der
    }

    /// Revokes one on its own account.
    pub fn revoke(&self, der: &[u8], at: i64) {
        let mut state = self.state.lock();
        state.issued.get_mut(&serial_of(der)).unwrap().1 = at;
    }

    /// Whether a certificate is revoked there.
    pub fn is_revoked(&self, der: &[u8]) -> bool {
        let state = self.state.lock();
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

fn answer(peer: &Peer, state: &mut Held, asked: &Asked) -> Told {
    let path = asked.path.trim_start_matches("/v1/");
    let path = path.split('?').next().unwrap_or_default();
    match peer.fault() {
        Fault::Throttled => {
            return refused(429, "request path \"pki\": rate limit quota exceeded");
        }
        Fault::Locked => return refused(403, "permission denied"),
        _ => {}
    }
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let token = asked.headers.get("x-vault-token");
    let token = token
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match path {
        "sys/health" => ok(&json!({ "initialized": true, "sealed": false, "version": "1.19.0" })),
        "auth/approle/login" => login(state, &body),
        "pki/issuer/default/json" => data(&json!({
            "certificate": peer.ca().pem(), "ca_chain": [peer.ca().pem()],
        })),
        _ if !state.tokens.contains_key(token) => refused(403, "permission denied"),
        "auth/token/lookup-self" => {
            let (ttl, renewable) = state.tokens[token];
            data(&json!({ "ttl": ttl, "renewable": renewable, "policies": ["pki"] }))
        }
        "auth/token/renew-self" => ok(&json!({
            "auth": { "client_token": token, "lease_duration": 3600, "renewable": true },
        })),
        "sys/capabilities-self" => capabilities(state, &body),
        "pki/roles/web" => data(&json!({ "max_ttl": 0, "no_store": false })),
        "pki/sign/web" => sign(peer, state, &body),
        "pki/revoke" if !state.may_revoke => refused(403, "permission denied"),
        "pki/revoke" => revoke(state, &body),
        "pki/certs" => data(&json!({ "keys": state.issued.keys().collect::<Vec<_>>() })),
        _ => match path.strip_prefix("pki/cert/") {
            Some(serial) => stored(state, serial),
            None => refused(404, "no handler for route"),
        },
    }
}

fn login(state: &mut Held, body: &Value) -> Told {
    if body["role_id"] != ROLE_ID || body["secret_id"] != SECRET_ID {
        return refused(400, "invalid role or secret ID");
    }
    state.logins += 1;
    let token = format!("hvs.login-{}", state.logins);
    state.tokens.insert(token.clone(), (1200, true));
    ok(&json!({
        "auth": { "client_token": token, "lease_duration": 1200, "renewable": true },
    }))
}

fn capabilities(state: &Held, body: &Value) -> Told {
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
    data(&Value::Object(rights))
}

fn sign(peer: &Peer, state: &mut Held, body: &Value) -> Told {
    let csr = body["csr"].as_str().unwrap_or_default();
    let Ok(csr) = pki::pem::decode_all(pki::pem::CERTIFICATE_REQUEST, csr.as_bytes()) else {
        return refused(400, "no PEM block");
    };
    if peer.fault() == Fault::Refusing {
        return refused(400, SAYS_NO);
    }
    let der = peer.sign(&csr[0]);
    let serial = serial_of(&der);
    state.issued.insert(serial.clone(), (der.clone(), 0));
    let above = peer.ca().pem();
    data(&json!({
        "certificate": pki::pem::encode(pki::pem::CERTIFICATE, &der),
        "issuing_ca": above,
        "ca_chain": [above],
        "serial_number": serial,
        "expiration": 2_366_841_600_u64,
    }))
}

fn revoke(state: &mut Held, body: &Value) -> Told {
    let pem = body["certificate"].as_str().unwrap_or_default();
    let found = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap_or_default();
    let entry = found
        .first()
        .and_then(|der| state.issued.get_mut(&serial_of(der)));
    match entry {
        None => refused(400, "certificate not found"),
        Some((_, revoked)) => {
            *revoked = 1_800_000_000;
            data(&json!({ "revocation_time": 1_800_000_000, "state": "revoked" }))
        }
    }
}

fn stored(state: &Held, serial: &str) -> Told {
    match state.issued.get(serial) {
        None => refused(404, ""),
        Some((der, revoked)) => data(&json!({
            "certificate": pki::pem::encode(pki::pem::CERTIFICATE, der),
            "revocation_time": revoked,
        })),
    }
}

fn data(value: &Value) -> Told {
    ok(&json!({ "data": value }))
}

fn ok(value: &Value) -> Told {
    Told::json(200, value)
}

fn refused(status: u16, text: &str) -> Told {
    Told::json(status, &json!({ "errors": [text] }))
}
