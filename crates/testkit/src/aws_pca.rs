//! Stands in for AWS Private CA, made from its public documentation, for what moto does not do: faults.
//! Signatures of requests are not looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::peer::{Fault, Peer, SAYS_NO};
use crate::service::{Asked, TestService, Told};

const CA: &str = "arn:aws:acm-pca:eu-central-1:123456789012:certificate-authority/6f1c9f2e";

/// The service with one CA.
pub struct TestAwsPca {
    pub peer: Peer,
    service: TestService,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By idempotency token.
    issued: BTreeMap<String, Vec<u8>>,
    revoked: usize,
}

impl TestAwsPca {
    /// Starts it.
    pub async fn start() -> Self {
        let peer = Peer::new("AWS CA");
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
            "region": "eu-central-1",
            "certificate_authority_arn": CA,
            "access_key_id": "AKIAEXAMPLE",
            "url": self.service.url(),
            "trust_anchors": self.service.certificate,
        })
    }

    /// How many certificates were revoked.
    pub fn revoked(&self) -> usize {
        self.state.lock().revoked
    }
}

fn answer(peer: &Peer, state: &mut State, asked: &Asked) -> Told {
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    match peer.fault() {
        Fault::Throttled => return refused("ThrottlingException", "Rate exceeded"),
        Fault::Locked => {
            return refused("ExpiredTokenException", "The security token is expired");
        }
        _ => {}
    }
    let target = asked.headers.get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok());
    match target.and_then(|target| target.strip_prefix("ACMPrivateCA.")) {
        Some("DescribeCertificateAuthority") => Told::json(
            200,
            &json!({"CertificateAuthority": {
                "Status": "ACTIVE",
                "CertificateAuthorityConfiguration": {"SigningAlgorithm": "SHA256WITHECDSA"},
            }}),
        ),
        Some("GetCertificateAuthorityCertificate") => {
            Told::json(200, &json!({"Certificate": peer.ca().pem()}))
        }
        Some("IssueCertificate") => issue(peer, state, &body),
        Some("GetCertificate") => fetch(peer, state, &body),
        Some("RevokeCertificate") => {
            state.revoked += 1;
            Told::new(200, "application/x-amz-json-1.1", "")
        }
        _ => refused("UnknownOperationException", ""),
    }
}

fn issue(peer: &Peer, state: &mut State, body: &Value) -> Told {
    if peer.fault() == Fault::Refusing {
        return refused("MalformedCSRException", SAYS_NO);
    }
    let token = body["IdempotencyToken"].as_str().unwrap().to_owned();
    let arn = format!("{CA}/certificate/{token}");
    let pem = STANDARD.decode(body["Csr"].as_str().unwrap()).unwrap();
    let csr = pki::pem::decode_all(pki::pem::CERTIFICATE_REQUEST, &pem).unwrap();
    let sign = || peer.sign(&csr[0]);
    state.issued.entry(token).or_insert_with(sign);
    Told::json(200, &json!({ "CertificateArn": arn }))
}

fn fetch(peer: &Peer, state: &State, body: &Value) -> Told {
    if peer.fault() == Fault::Waiting {
        return refused(
            "RequestInProgressException",
            "The certificate is on its way",
        );
    }
    let arn = body["CertificateArn"].as_str().unwrap();
    let token = arn.rsplit('/').next().unwrap();
    match state.issued.get(token) {
        None => refused("ResourceNotFoundException", "There is no such certificate"),
        Some(der) => Told::json(
            200,
            &json!({
                "Certificate": pki::pem::encode(pki::pem::CERTIFICATE, der),
                "CertificateChain": peer.ca().pem(),
            }),
        ),
    }
}

fn refused(kind: &str, text: &str) -> Told {
    Told::json(400, &json!({"__type": kind, "message": text}))
}
