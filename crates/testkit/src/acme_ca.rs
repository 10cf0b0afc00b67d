//! Stands in for an ACME CA (RFC 8555) that knows its account and asks for no proof, with renewal
//! information (RFC 9773) where the test wants it. Signatures of requests are not looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use pki::ari::CertId;
use pki::certificate::Certificate;
use pki::time::Timestamp;
use serde_json::{Value, json};

use crate::peer::{Fault, Peer, SAYS_NO};
use crate::service::{Asked, TestService, Told};

/// The CA.
pub struct TestAcmeCa {
    pub peer: Peer,
    service: TestService,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    orders: Vec<Order>,
    revoked: usize,
    /// Whether it has renewal information.
    tells_windows: bool,
    /// By the name of a certificate: what is told instead of the usual.
    windows: BTreeMap<String, (Timestamp, Timestamp)>,
    asked_for_windows: usize,
    /// Whether it takes every predecessor for somebody else's.
    knows_no_predecessors: bool,
    /// Whether an order that waits is given again for the same names.
    reuses_orders: bool,
}

#[derive(Default)]
struct Order {
    identifiers: Value,
    replaces: Option<String>,
    csr: Option<Vec<u8>>,
    certificate: Option<Vec<u8>>,
}

impl TestAcmeCa {
    /// Starts it.
    pub async fn start() -> Self {
        let peer = Peer::new("ACME CA");
        let state = Arc::<Mutex<State>>::default();
        Self {
            service: TestService::start(None, peer.keeping(&state, answer)).await,
            peer,
            state,
        }
    }

    /// What an issuer is configured with.
    pub fn settings(&self) -> Value {
        json!({
            "directory_url": format!("{}/directory", self.service.url()),
            "trust_anchors": self.service.certificate,
            "solver": {"challenge": "none"},
        })
    }

    /// From now on it has renewal information.
    pub fn tells_windows(&self) {
        self.state.lock().tells_windows = true;
    }

    /// From now on a certificate is to be renewed then.
    pub fn renew_between(&self, certificate: &[u8], start: Timestamp, end: Timestamp) {
        let name = name_of(certificate);
        self.state.lock().windows.insert(name, (start, end));
    }

    /// From now on it makes no order that says what it replaces.
    pub fn knows_no_predecessors(&self) {
        self.state.lock().knows_no_predecessors = true;
    }

    /// From now on a request for the names of an order that waits is answered with that order.
    pub fn reuses_orders(&self) {
        self.state.lock().reuses_orders = true;
    }

    /// How often it was asked for renewal information.
    pub fn asked_for_windows(&self) -> usize {
        self.state.lock().asked_for_windows
    }

    /// What each order said that it replaces, in order.
    pub fn replaced(&self) -> Vec<Option<String>> {
        let state = self.state.lock();
        state.orders.iter().map(|o| o.replaces.clone()).collect()
    }

    /// How many certificates it revoked.
    pub fn revoked(&self) -> usize {
        self.state.lock().revoked
    }
}

/// A certificate's name in renewal information.
pub fn name_of(certificate: &[u8]) -> String {
    let certificate = Certificate::from_der(certificate).unwrap();
    CertId::of(&certificate).unwrap().to_string()
}

fn answer(peer: &Peer, state: &mut State, asked: &Asked) -> Told {
    let base = format!("https://{}", asked.headers["host"].to_str().unwrap());
    let outer: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let payload = outer["payload"].as_str().unwrap_or_default();
    let payload = protocols::acme::base64url::decode(payload).unwrap_or_default();
    let payload: Value = serde_json::from_slice(&payload).unwrap_or_default();
    let told = match asked.path.trim_start_matches('/') {
        "directory" => Told::json(200, &directory(&base, state.tells_windows)),
        "nonce" => Told::new(200, "text/plain", ""),
        _ if peer.fault() == Fault::Locked => {
            problem(401, "unauthorized", "the account was deactivated")
        }
        "account/1" => Told::json(200, &json!({"status": "valid"})),
        "account" => Told::json(201, &json!({"status": "valid"}))
            .with("location", format!("{base}/account/1")),
        "order" => new_order(peer, state, &base, &payload),
        "revoke" => {
            state.revoked += 1;
            Told::json(200, &json!({}))
        }
        path => match path.split_once('/') {
            Some(("renewal", name)) => window(state, name),
            Some((noun, number)) => of_order(peer, state, &base, noun, number, &payload),
            None => problem(404, "malformed", "there is nothing here"),
        },
    };
    told.with("replay-nonce", "bm9uY2U")
}

fn directory(base: &str, tells_windows: bool) -> Value {
    let mut directory = json!({
        "newNonce": format!("{base}/nonce"),
        "newAccount": format!("{base}/account"),
        "newOrder": format!("{base}/order"),
        "revokeCert": format!("{base}/revoke"),
        "keyChange": format!("{base}/key"),
    });
    if tells_windows {
        directory["renewalInfo"] = json!(format!("{base}/renewal"));
    }
    directory
}

fn new_order(peer: &Peer, state: &mut State, base: &str, payload: &Value) -> Told {
    match peer.fault() {
        Fault::Throttled => {
            return problem(429, "rateLimited", "too many orders").with("retry-after", "60");
        }
        Fault::Refusing => return problem(403, "rejectedIdentifier", SAYS_NO),
        _ => {}
    }
    if state.knows_no_predecessors && payload["replaces"].is_string() {
        return problem(409, "alreadyReplaced", "that one has a successor");
    }
    if state.reuses_orders {
        let is_same =
            |order: &Order| order.csr.is_none() && order.identifiers == payload["identifiers"];
        if let Some(number) = state.orders.iter().position(is_same) {
            return shown(&state.orders[number], 200, base, number);
        }
    }
    let number = state.orders.len();
    state.orders.push(Order {
        identifiers: payload["identifiers"].clone(),
        replaces: payload["replaces"].as_str().map(str::to_owned),
        ..Order::default()
    });
    shown(&state.orders[number], 201, base, number)
}

fn of_order(
    peer: &Peer,
    state: &mut State,
    base: &str,
    noun: &str,
    number: &str,
    payload: &Value,
) -> Told {
    let number: usize = number.parse().unwrap();
    let order = &mut state.orders[number];
    if noun == "finalize" && order.csr.is_some() {
        return problem(403, "orderNotReady", "the order has its CSR already");
    }
    if noun == "finalize" {
        let csr = payload["csr"].as_str().unwrap();
        order.csr = Some(protocols::acme::base64url::decode(csr).unwrap());
    }
    if let (Some(csr), None, false) = (
        &order.csr,
        &order.certificate,
        peer.fault() == Fault::Waiting,
    ) {
        order.certificate = Some(peer.sign(csr));
    }
    match (noun, &order.certificate) {
        ("certificate", Some(der)) => {
            let leaf = pki::pem::encode(pki::pem::CERTIFICATE, der);
            let chain = format!("{leaf}{}", peer.ca().pem());
            Told::new(200, "application/pem-certificate-chain", chain)
        }
        _ => shown(order, 200, base, number),
    }
}

fn shown(order: &Order, status: u16, base: &str, number: usize) -> Told {
    let mut body = json!({
        "status": match (&order.csr, &order.certificate) {
            (None, _) => "ready",
            (Some(_), None) => "processing",
            (Some(_), Some(_)) => "valid",
        },
        "identifiers": order.identifiers,
        "authorizations": [],
        "finalize": format!("{base}/finalize/{number}"),
    });
    if order.certificate.is_some() {
        body["certificate"] = json!(format!("{base}/certificate/{number}"));
    }
    Told::json(status, &body).with("location", format!("{base}/order/{number}"))
}

fn window(state: &mut State, name: &str) -> Told {
    state.asked_for_windows += 1;
    let Some((start, end)) = state.windows.get(name) else {
        return problem(404, "malformed", "nothing is known of that certificate");
    };
    let window = json!({"start": start.to_string(), "end": end.to_string()});
    let body = json!({"suggestedWindow": window, "explanationURL": "https://ca.example/why"});
    Told::json(200, &body).with("retry-after", "21600")
}

fn problem(status: u16, kind: &str, detail: &str) -> Told {
    let kind = format!("urn:ietf:params:acme:error:{kind}");
    let body = json!({"type": kind, "detail": detail, "status": status});
    Told::new(status, "application/problem+json", body.to_string())
}
