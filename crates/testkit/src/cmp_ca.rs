//! Stands in for a CA with a CMP server (RFC 9483) that shares a secret with us and knows a transaction
//! again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pki::asn1::Writer;
use pki::name::{DistinguishedName, GeneralName};
use pki::random::{Random, SystemRandom};
use protocols::cmp::{
    Body, BodyKind, CertRepMessage, CertResponse, FailInfo, Header, Info, MEDIA_TYPE,
    MacParameters, Message, PollRep, Protector, RevocationAnswer, StatusInfo, info_type,
};
use serde_json::{Value, json};

use crate::peer::{Fault, Peer, SAYS_NO};
use crate::service::{Asked, TestService, Told};

/// The secret with the reference `certwright`.
pub const SECRET: &str = "cmp-secret-that-nobody-may-see";
/// The number of a PKCS #10 request (RFC 9483 section 4.1.4).
const NUMBER: i64 = -1;

/// The server.
pub struct TestCmpCa {
    pub peer: Peer,
    service: TestService,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// CSRs and what came of them by transaction.
    asked: BTreeMap<Vec<u8>, Vec<u8>>,
    issued: BTreeMap<Vec<u8>, Vec<u8>>,
    revoked: usize,
}

impl TestCmpCa {
    /// Starts it.
    pub async fn start() -> Self {
        let peer = Peer::new("CMP CA");
        let state = Arc::<Mutex<State>>::default();
        Self {
            service: TestService::start_plain(peer.keeping(&state, answer)).await,
            peer,
            state,
        }
    }

    /// What an issuer is configured with.
    pub fn settings(&self) -> Value {
        json!({ "url": format!("{}/cmp", self.service.url()), "reference": "certwright" })
    }

    /// How many certificates were revoked.
    pub fn revoked(&self) -> usize {
        self.state.lock().revoked
    }
}

fn answer(peer: &Peer, state: &mut State, asked: &Asked) -> Told {
    if peer.fault() == Fault::Throttled {
        return Told::new(429, "text/plain", "slow down");
    }
    let message = Message::from_der(&asked.body).unwrap();
    let transaction = message.header.transaction_id.clone().unwrap_or_default();
    let body = match message.body().unwrap() {
        Body::GeneralRequest(_) => {
            let value = Writer::encode(|w| w.sequence(|w| w.raw(peer.ca().der())));
            Body::GeneralResponse(vec![Info::new(&info_type::CA_CERTS, Some(value))])
        }
        Body::Confirmation(_) => Body::Confirmed,
        Body::Revocation(_) => {
            state.revoked += 1;
            Body::RevocationAnswer(RevocationAnswer {
                status: StatusInfo::accepted(),
                certificate: None,
            })
        }
        _ if peer.fault() == Fault::Refusing => {
            Body::Error(StatusInfo::rejection(FailInfo::BadCertTemplate, SAYS_NO))
        }
        Body::Pkcs10(csr) => {
            state.asked.insert(transaction.clone(), csr);
            certification(peer, state, transaction, StatusInfo::waiting())
        }
        Body::PollRequest(_) if peer.fault() == Fault::Waiting => Body::PollResponse(PollRep {
            request_id: NUMBER,
            check_after: Duration::from_secs(60),
            reason: Vec::new(),
        }),
        Body::PollRequest(_) => certification(peer, state, transaction, StatusInfo::waiting()),
        other => panic!("nobody here knows what to do with {other:?}"),
    };
    protected(peer, &message.header, &body)
}

fn certification(
    peer: &Peer,
    state: &mut State,
    transaction: Vec<u8>,
    waiting: StatusInfo,
) -> Body {
    let is_waiting = peer.fault() == Fault::Waiting;
    let csr = state.asked[&transaction].clone();
    let certificate = (!is_waiting).then(|| {
        let issued = state.issued.entry(transaction);
        issued.or_insert_with(|| peer.sign(&csr)).clone()
    });
    let status = match is_waiting {
        true => waiting,
        false => StatusInfo::accepted(),
    };
    let response = CertResponse {
        request_id: NUMBER,
        status,
        certificate,
    };
    let ca_pubs = Vec::new();
    Body::Response(
        BodyKind::CertificationResponse,
        CertRepMessage { ca_pubs, response },
    )
}

fn protected(peer: &Peer, asked: &Header, body: &Body) -> Told {
    let name: DistinguishedName = "CN=CMP CA".parse().unwrap();
    let random: &dyn Random = &SystemRandom::new();
    let nonce: [u8; 16] = random.octets();
    let header = Header {
        version: 2,
        sender: GeneralName::Directory(name).to_der().unwrap(),
        recipient: asked.sender.clone(),
        sender_key_id: Some(b"certwright".to_vec()),
        transaction_id: asked.transaction_id.clone(),
        sender_nonce: Some(nonce.to_vec()),
        recipient_nonce: asked.sender_nonce.clone(),
        ..Header::default()
    };
    // Where the secret was changed over there, nothing that it says can be believed here.
    let secret = match peer.fault() {
        Fault::Locked => "another secret",
        _ => SECRET,
    };
    let parameters = MacParameters::password_based(random.octets());
    let protector = Protector::Mac {
        parameters: &parameters,
        secret: secret.as_bytes(),
    };
    let above = [peer.ca().der().to_vec()];
    let der = Message::build(header, body, &protector, &above).unwrap();
    Told::new(200, MEDIA_TYPE, der)
}
