//! Stands in for a CA with a SCEP server (RFC 8894) whose registration authority answers for it, and which
//! knows a transaction again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use parking_lot::Mutex;
use pki::certificate::{Certificate, CertificateContent, KeyUsage};
use pki::cms::{self, Accepts, CertsOnly, ContentCipher, DecryptionKey};
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::name::DistinguishedName;
use pki::random::{Random, SystemRandom};
use protocols::scep::{Exchange, FailInfo, MessageType, PKI_MESSAGE, PkiMessage, Reply, reply};
use serde_json::{Value, json};

use crate::peer::{Fault, Peer, SAYS_NO};
use crate::service::{Asked, TestService, Told};

/// The challenge password that the CA would take.
pub const PASSWORD: &str = "scep-password-that-nobody-may-see";

/// The server.
pub struct TestScepCa {
    pub peer: Peer,
    service: TestService,
}

struct State {
    key: LocalKey,
    decrypting: DecryptionKey,
    certificate: Certificate,
    /// CSRs and what came of them by transaction.
    asked: BTreeMap<String, Vec<u8>>,
    issued: BTreeMap<String, Vec<u8>>,
}

impl TestScepCa {
    /// Starts it.
    pub async fn start() -> Self {
        let peer = Peer::new("SCEP CA");
        let state = Arc::new(Mutex::new(State::new(&peer)));
        Self {
            service: TestService::start_plain(peer.keeping(&state, answer)).await,
            peer,
        }
    }

    /// What an issuer is configured with.
    pub fn settings(&self) -> Value {
        let ca = Certificate::from_der(self.peer.ca().der()).unwrap();
        json!({
            "url": format!("{}/scep", self.service.url()),
            "ca_fingerprint": ca.fingerprint().to_string(),
        })
    }
}

impl State {
    fn new(peer: &Peer) -> Self {
        let key = LocalKey::generate(KeyAlgorithm::Rsa2048).unwrap();
        let name: DistinguishedName = "CN=SCEP RA".parse().unwrap();
        let now = SystemClock.now().floor_to_second();
        let year = Duration::from_secs(365 * 24 * 3600);
        let content = CertificateContent {
            subject: name,
            key_usage: KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT,
            ..CertificateContent::new(
                key.public_key().clone(),
                now - Duration::from_secs(3600),
                now + year,
            )
        };
        let der = peer.ca().certify(&content);
        Self {
            decrypting: DecryptionKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap(),
            certificate: Certificate::from_der(&der).unwrap(),
            key,
            asked: BTreeMap::new(),
            issued: BTreeMap::new(),
        }
    }

    fn open(&self, message: &PkiMessage) -> Vec<u8> {
        let opened = cms::decrypt(
            &message.envelope,
            &self.certificate,
            &self.decrypting,
            Accepts::Strong,
            &SystemRandom::new(),
        );
        opened.unwrap().to_vec()
    }
}

fn answer(peer: &Peer, state: &mut State, asked: &Asked) -> Told {
    if peer.fault() == Fault::Throttled {
        return Told::new(429, "text/plain", "slow down");
    }
    if asked.path.contains("operation=GetCACaps") {
        return Told::new(200, "text/plain", "SCEPStandard\nRenewal\n");
    }
    if asked.path.contains("operation=GetCACert") {
        let shown = bundle(&[&state.certificate.der, peer.ca().der()]);
        return Told::new(200, "application/x-x509-ca-ra-cert", shown);
    }
    let message = PkiMessage::from_ber(&asked.body).unwrap();
    let told = decide(peer, state, &message);
    Told::new(200, PKI_MESSAGE, told)
}

/// What becomes of a request, or of a question about one (RFC 8894 sections 3.3.1 and 3.3.3).
fn decide(peer: &Peer, state: &mut State, message: &PkiMessage) -> Vec<u8> {
    let transaction = message.transaction_id.clone();
    let refusal = |info, text| Reply::Failure { info, text };
    match peer.fault() {
        Fault::Locked => {
            let text = "whoever signed it is not known here";
            return signed(state, message, &refusal(FailInfo::BadMessageCheck, text));
        }
        Fault::Refusing => {
            return signed(state, message, &refusal(FailInfo::BadRequest, SAYS_NO));
        }
        _ => {}
    }
    if message.kind != MessageType::Poll {
        let csr = state.open(message);
        state.asked.insert(transaction.clone(), csr);
    }
    if peer.fault() == Fault::Waiting {
        return signed(state, message, &Reply::Pending);
    }
    let Some(csr) = state.asked.get(&transaction) else {
        let text = "there is no such transaction";
        return signed(state, message, &refusal(FailInfo::BadCertificateId, text));
    };
    let issued = state.issued.entry(transaction);
    let leaf = issued.or_insert_with(|| peer.sign_vouched(csr));
    let content = bundle(&[leaf.as_slice(), peer.ca().der()]);
    let cipher = ContentCipher::Aes128Cbc;
    let envelope = cms::encrypt(&content, &message.signer, cipher, &SystemRandom::new()).unwrap();
    let envelope = &envelope;
    signed(state, message, &Reply::Success { envelope })
}

fn signed(state: &State, message: &PkiMessage, told: &Reply<'_>) -> Vec<u8> {
    let random: &dyn Random = &SystemRandom::new();
    let nonce: [u8; 16] = random.octets();
    let exchange = Exchange {
        transaction_id: &message.transaction_id,
        sender_nonce: &nonce,
        signer: &state.certificate,
        key: &state.key,
    };
    reply(told, &message.sender_nonce, &exchange).unwrap()
}

fn bundle(certificates: &[&[u8]]) -> Vec<u8> {
    let crls = &[];
    CertsOnly { certificates, crls }.to_der()
}
