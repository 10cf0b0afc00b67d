//! Stands in for the REST interface of EJBCA, made from its public documentation.

use std::collections::VecDeque;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::ca::TestCa;
use crate::service::{Asked, TestService, Told, self_signed};

/// What the next enrollment is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429
    Throttled,
    /// 500
    Broken,
    /// A page of a proxy's, with 200.
    Html,
    /// A certificate that ends in the middle.
    Half,
    /// A sound certificate with another key.
    WrongKey,
    /// 403: the client certificate's role is gone.
    Forbidden,
    /// Signed, but the answer is lost on its way.
    Lost,
    /// Somebody has to approve first.
    Approval,
}

#[derive(Default)]
struct State {
    faults: VecDeque<Fault>,
    /// User name, certificate, revocation reason.
    issued: Vec<(String, Vec<u8>, Option<String>)>,
    waiting: Option<(String, Vec<u8>)>,
    is_approved: bool,
    enrollments: usize,
}

/// An EJBCA with one CA.
pub struct FakeEjbca {
    service: TestService,
    state: Arc<Mutex<State>>,
    client_certificate: String,
    pub client_key: String,
    pub ca: Arc<TestCa>,
}

impl FakeEjbca {
    /// Starts it.
    pub async fn start() -> Self {
        let (client_certificate, client_key) = self_signed();
        let ca = Arc::new(TestCa::new("ManagementCA"));
        let state = Arc::<Mutex<State>>::default();
        let (shared, signer) = (Arc::clone(&state), Arc::clone(&ca));
        let handler = Arc::new(move |asked: Asked| answer(&signer, &mut shared.lock(), &asked));
        Self {
            service: TestService::start(Some(&client_certificate), handler).await,
            state,
            client_certificate,
            client_key,
            ca,
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

    /// Answers the next enrollment so.
    pub fn fault(&self, fault: Fault) {
        self.state.lock().faults.push_back(fault);
    }

    /// Somebody approves what waits.
    pub fn approve(&self) {
        self.state.lock().is_approved = true;
    }

    /// How often it was asked to enroll, and how many certificates came of it.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.enrollments, state.issued.len())
    }

    /// Issues to somebody else.
    pub fn issue_elsewhere(&self, csr: &[u8]) {
        let der = self.ca.sign(csr);
        self.state
            .lock()
            .issued
            .push(("else".to_owned(), der, None));
    }

    /// The reason that the newest certificate was revoked for.
    pub fn revocation(&self) -> Option<String> {
        self.state.lock().issued.last()?.2.clone()
    }
}

fn answer(ca: &TestCa, state: &mut State, asked: &Asked) -> Told {
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
            Told::new(200, "application/octet-stream", ca.pem())
        }
        ("POST", "v1/certificate/pkcs10enroll") => enroll(ca, state, &body),
        ("POST", "v1/certificate/search") => {
            let wanted = body["criteria"][0]["value"].as_str().unwrap_or_default();
            let found = state.issued.iter().filter(|(name, ..)| name == wanted);
            let found: Vec<Value> = found.map(|(_, der, _)| certificate(der)).collect();
            Told::json(200, &json!({"certificates": found, "more_results": false}))
        }
        ("POST", "v1/certificate/4711/finalize") => finalize(ca, state),
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

fn enroll(ca: &TestCa, state: &mut State, body: &Value) -> Told {
    state.enrollments += 1;
    let fault = state.faults.pop_front();
    match fault {
        Some(Fault::Throttled) => return refusal(429, "slow down"),
        Some(Fault::Broken) => return refusal(500, "internal error"),
        Some(Fault::Html) => return Told::new(200, "text/html", "<html>maintenance</html>"),
        Some(Fault::Forbidden) => return refusal(403, "no role matches the client certificate"),
        _ => {}
    }
    if body["certificate_profile_name"] != "SERVER" {
        return refusal(400, "the certificate profile does not exist");
    }
    let pem = body["certificate_request"].as_str().unwrap_or_default();
    let found = pki::pem::decode_all(pki::pem::CERTIFICATE_REQUEST, pem.as_bytes());
    let Some(csr) = found.ok().and_then(|found| found.into_iter().next()) else {
        return refusal(400, "no CSR");
    };
    let name = body["username"].as_str().unwrap_or_default().to_owned();
    match fault {
        Some(Fault::Approval) => {
            state.waiting = Some((name, csr));
            return refusal(202, "Request requires approval, request ID 4711");
        }
        Some(Fault::WrongKey) => {
            let key = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::EcP256).unwrap();
            let csr = crate::acme::csr_for(&["other.example.org"], &key);
            return enrolled(ca, &ca.sign(&csr));
        }
        _ => {}
    }
    let der = ca.sign(&csr);
    state.issued.push((name, der.clone(), None));
    match fault {
        Some(Fault::Half) => {
            let half = der.get(..der.len() / 2).unwrap_or_default();
            enrolled(ca, half)
        }
        Some(Fault::Lost) => refusal(502, "the answer of the backend was lost"),
        _ => enrolled(ca, &der),
    }
}

fn finalize(ca: &TestCa, state: &mut State) -> Told {
    match state.waiting.take() {
        Some((name, csr)) if state.is_approved => {
            let der = ca.sign(&csr);
            state.issued.push((name, der.clone(), None));
            Told::json(200, &certificate(&der))
        }
        waiting => {
            state.waiting = waiting;
            refusal(202, "Waiting for approval, request ID 4711")
        }
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

fn enrolled(ca: &TestCa, der: &[u8]) -> Told {
    let mut body = certificate(der);
    body["certificate_chain"] = json!([STANDARD.encode(ca.der())]);
    Told::json(201, &body)
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
