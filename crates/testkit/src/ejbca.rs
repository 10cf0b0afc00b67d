//! Stands in for the REST interface of EJBCA, made from its public documentation.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::peer::{Fault, Peer, SAYS_NO};
use crate::service::{Asked, TestService, Told, self_signed};

#[derive(Default)]
struct State {
    /// User name, certificate, revocation reason.
    issued: Vec<(String, Vec<u8>, Option<String>)>,
    waiting: Option<(String, Vec<u8>)>,
    /// What was signed of it already, though nobody has asked for it since.
    approved: Option<Vec<u8>>,
}

/// An EJBCA with one CA.
pub struct FakeEjbca {
    service: TestService,
    state: Arc<Mutex<State>>,
    client_certificate: String,
    pub client_key: String,
    pub peer: Peer,
}

impl FakeEjbca {
    /// Starts it.
    pub async fn start() -> Self {
        let (client_certificate, client_key) = self_signed();
        let peer = Peer::new("ManagementCA");
        let state = Arc::<Mutex<State>>::default();
        Self {
            service: TestService::start(Some(&client_certificate), peer.keeping(&state, answer))
                .await,
            state,
            client_certificate,
            client_key,
            peer,
        }
    }

    /// What an issuer is configured with.
    pub fn settings(&self) -> Value {
        json!({
            "url": format!("{}/ejbca/ejbca-rest-api", self.service.url()),
            "trust_anchors": self.service.certificate,
            "ca_name": "ManagementCA",
            "certificate_profile": "SERVER",
            "end_entity_profile": "Servers",
            "client_certificate": self.client_certificate,
        })
    }

    /// Issues to somebody else.
    pub fn issue_elsewhere(&self, csr: &[u8]) {
        let der = self.peer.ca().sign(csr);
        self.state
            .lock()
            .issued
            .push(("else".to_owned(), der, None));
    }

    /// Somebody revokes the newest certificate at the CA, for key compromise.
    pub fn compromise(&self) {
        if let Some((_, _, revoked)) = self.state.lock().issued.last_mut() {
            *revoked = Some("KEY_COMPROMISE".to_owned());
        }
    }

    /// Signs what waits for somebody's approval.
    pub fn approve(&self) {
        let mut state = self.state.lock();
        let (name, csr) = state.waiting.clone().expect("nothing waits");
        let der = self.peer.ca().sign(&csr);
        state.issued.push((name, der.clone(), None));
        state.approved = Some(der);
    }

    /// The reason that the newest certificate was revoked for.
    pub fn revocation(&self) -> Option<String> {
        self.state.lock().issued.last()?.2.clone()
    }
}

fn answer(peer: &Peer, state: &mut State, asked: &Asked) -> Told {
    match peer.fault() {
        Fault::Throttled => return refusal(429, "slow down"),
        Fault::Locked => return refusal(403, "no role matches the client certificate"),
        _ => {}
    }
    let path = asked.path.trim_start_matches("/ejbca/ejbca-rest-api/");
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    match (asked.method.as_str(), path) {
        ("GET", "v1/ca/status") => Told::json(200, &json!({"status": "OK", "version": "1.0"})),
        ("GET", "v1/ca") => Told::json(
            200,
            &json!({"certificate_authorities": [
                {"id": 1, "name": "ManagementCA", "subject_dn": "CN=ManagementCA"},
            ]}),
        ),
        ("GET", "v1/ca/CN%3DManagementCA/certificate/download") => {
            Told::new(200, "application/octet-stream", peer.ca().pem())
        }
        ("POST", "v1/certificate/pkcs10enroll") => enroll(peer, state, &body),
        ("POST", "v1/certificate/search") => {
            let wanted = body["criteria"][0]["value"].as_str().unwrap_or_default();
            let found = state.issued.iter().filter(|(name, ..)| name == wanted);
            let found: Vec<Value> = found.map(|(_, der, _)| certificate(der)).collect();
            Told::json(200, &json!({"certificates": found, "more_results": false}))
        }
        ("POST", "v1/certificate/4711/finalize") => finalize(peer, state),
        ("POST", "v2/certificate/search") => list(state, &body),
        ("PUT", path) if path.contains("/revoke?reason=") => {
            let (_, reason) = path.split_once("reason=").unwrap();
            match state.issued.last_mut() {
                Some((_, _, revoked @ None)) => {
                    *revoked = Some(reason.to_owned());
                    Told::json(200, &json!({"revoked": true}))
                }
                _ => refusal(409, "the certificate is revoked already"),
            }
        }
        _ => refusal(404, "HTTP 404 Not Found"),
    }
}

fn enroll(peer: &Peer, state: &mut State, body: &Value) -> Told {
    if body["certificate_profile_name"] != "SERVER" {
        return refusal(400, "the certificate profile does not exist");
    }
    let pem = body["certificate_request"].as_str().unwrap_or_default();
    let found = pki::pem::decode_all(pki::pem::CERTIFICATE_REQUEST, pem.as_bytes());
    let Some(csr) = found.ok().and_then(|found| found.into_iter().next()) else {
        return refusal(400, "no CSR");
    };
    let name = body["username"].as_str().unwrap_or_default().to_owned();
    match peer.fault() {
        Fault::Refusing => return refusal(400, SAYS_NO),
        Fault::Waiting => {
            state.waiting = Some((name, csr));
            return refusal(202, "Request requires approval, request ID 4711");
        }
        _ => {}
    }
    let der = peer.sign(&csr);
    state.issued.push((name, der.clone(), None));
    let mut body = certificate(&der);
    body["certificate_chain"] = json!([STANDARD.encode(peer.ca().der())]);
    Told::json(201, &body)
}

fn finalize(peer: &Peer, state: &mut State) -> Told {
    let waiting = state.waiting.clone();
    match waiting.filter(|_| peer.fault() != Fault::Waiting) {
        Some((name, csr)) => {
            let der = state.approved.take().unwrap_or_else(|| {
                let der = peer.sign(&csr);
                state.issued.push((name, der.clone(), None));
                der
            });
            state.waiting = None;
            Told::json(200, &certificate(&der))
        }
        None => refusal(202, "Waiting for approval, request ID 4711"),
    }
}

fn list(state: &State, body: &Value) -> Told {
    let page = body["pagination"]["current_page"].as_u64().unwrap_or(1);
    let from = usize::try_from(page - 1).unwrap();
    let entries = state
        .issued
        .iter()
        .skip(from)
        .take(1)
        .map(|(_, der, reason)| {
            let (at, code) = match reason {
                Some(_) => (1_790_000_000_000_i64, 1),
                None => (-1, -1),
            };
            json!({
                "base64Cert": STANDARD.encode(der), "revocationDate": at, "revocationReason": code,
            })
        });
    let entries: Vec<Value> = entries.collect();
    Told::json(
        200,
        &json!({
            "certificates": entries,
            "pagination_summary": {
                "page_size": 1, "current_page": page, "total_certs": state.issued.len(),
            },
        }),
    )
}

fn certificate(der: &[u8]) -> Value {
    json!({"certificate": STANDARD.encode(der), "response_format": "DER"})
}

fn refusal(status: u16, message: &str) -> Told {
    Told::json(
        status,
        &json!({"error_code": status, "error_message": message}),
    )
}
