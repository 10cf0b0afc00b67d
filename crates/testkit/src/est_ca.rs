//! Stands in for an EST server (RFC 7030) that knows a CSR again.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use pki::cms::CertsOnly;
use protocols::est::body;
use serde_json::{Value, json};

use crate::peer::{Fault, Peer, SAYS_NO};
use crate::service::{Asked, TestService, Told};

/// What belongs to the user `certwright`.
pub const PASSWORD: &str = "est-password-that-nobody-may-see";

/// The server.
pub struct TestEstCa {
    pub peer: Peer,
    service: TestService,
}

impl TestEstCa {
    /// Starts it.
    pub async fn start() -> Self {
        let peer = Peer::new("EST CA");
        let issued = Arc::<Mutex<BTreeMap<_, _>>>::default();
        let handler = peer.keeping(&issued, answer);
        Self {
            service: TestService::start(None, handler).await,
            peer,
        }
    }

    /// What an issuer is configured with.
    pub fn settings(&self) -> Value {
        json!({
            "url": self.service.url(),
            "trust_anchors": self.service.certificate,
            "username": "certwright",
        })
    }
}

fn answer(peer: &Peer, issued: &mut BTreeMap<Vec<u8>, Vec<u8>>, asked: &Asked) -> Told {
    match asked.path.trim_start_matches("/.well-known/est/") {
        "cacerts" => bundle(peer.ca().der()),
        "simpleenroll" => enroll(peer, issued, asked),
        _ => Told::new(404, "text/plain", "there is nothing here"),
    }
}

fn enroll(peer: &Peer, issued: &mut BTreeMap<Vec<u8>, Vec<u8>>, asked: &Asked) -> Told {
    let wanted = format!(
        "Basic {}",
        STANDARD.encode(format!("certwright:{PASSWORD}"))
    );
    let given = asked.headers.get("authorization");
    let is_known = given.is_some_and(|given| given.as_bytes() == wanted.as_bytes());
    match peer.fault() {
        Fault::Locked => return Told::new(401, "text/plain", "the password has expired"),
        _ if !is_known => return Told::new(401, "text/plain", "who are you?"),
        Fault::Throttled => return Told::new(429, "text/plain", "slow down"),
        Fault::Refusing => return Told::new(400, "text/plain", SAYS_NO),
        Fault::Waiting => return Told::new(202, "text/plain", "").with("retry-after", "60"),
        _ => {}
    }
    let csr = body::decode(&asked.body).unwrap();
    let der = issued.entry(csr).or_insert_with_key(|csr| peer.sign(csr));
    bundle(der)
}

fn bundle(certificate: &[u8]) -> Told {
    let der = CertsOnly {
        certificates: &[certificate],
        crls: &[],
    }
    .to_der();
    Told::new(200, "application/pkcs7-mime", body::encode(&der))
}
