//! Stands in for the web enrollment pages of AD CS (`/certsrv`), made from what is published about them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md4::{Digest, Md4};
use md5::Md5;
use parking_lot::Mutex;
use pki::cms::CertsOnly;
use serde_json::{Value, json};

use crate::peer::{Fault, Peer, SAYS_NO};
use crate::service::{Asked, TestService, Told};

const NONCE: [u8; 8] = *b"\x01\x23\x45\x67\x89\xab\xcd\xef";

/// Verifies the token of a Negotiate header; what it gives lets the request in, with its answer.
pub type Verifier = Box<dyn FnMut(&[u8]) -> Result<Vec<u8>, Vec<u8>> + Send>;

#[derive(Default)]
struct State {
    password: String,
    /// Whether a connection was let in.
    known: HashMap<u64, bool>,
    /// CSRs by number, and what was signed.
    requests: BTreeMap<u64, Vec<u8>>,
    issued: BTreeMap<u64, Vec<u8>>,
    attributes: Vec<String>,
    verifier: Option<Verifier>,
}

/// The pages of one CA.
pub struct FakeAdcs {
    service: TestService,
    state: Arc<Mutex<State>>,
    pub peer: Peer,
}

impl FakeAdcs {
    /// Starts it; the user is `CORP\svc-certwright` with this password.
    pub async fn start(password: &str) -> Self {
        let peer = Peer::new("Corp Issuing CA");
        let state = Arc::new(Mutex::new(State {
            password: password.to_owned(),
            ..State::default()
        }));
        Self {
            service: TestService::start(None, peer.keeping(&state, answer)).await,
            state,
            peer,
        }
    }

    /// What an issuer is configured with.
    pub fn settings(&self, authentication: &str) -> Value {
        json!({
            "url": format!("{}/certsrv", self.service.url()),
            "trust_anchors": self.service.certificate,
            "template": "WebServer",
            "authentication": authentication,
            "username": "svc-certwright",
            "domain": "CORP",
        })
    }

    /// The password is another one from now on.
    pub fn set_password(&self, password: &str) {
        self.state.lock().password = password.to_owned();
    }

    /// Lets requests in whose Negotiate token somebody else verified.
    pub fn verify_with(&self, verifier: Verifier) {
        self.state.lock().verifier = Some(verifier);
    }

    /// The certificate of its TLS, DER.
    pub fn certificate(&self) -> Vec<u8> {
        let pem = self.service.certificate.as_bytes();
        pki::pem::decode_all(pki::pem::CERTIFICATE, pem).unwrap()[0].clone()
    }

    /// What came as `CertAttrib`, in order.
    pub fn attributes(&self) -> Vec<String> {
        self.state.lock().attributes.clone()
    }
}

fn answer(peer: &Peer, state: &mut State, asked: &Asked) -> Told {
    match peer.fault() {
        Fault::Throttled => return page(503, "<html>The server is too busy</html>"),
        Fault::Locked => return page(401, "<html>Access is denied</html>"),
        _ => {}
    }
    match negotiated(state, asked) {
        None => admit(state, asked).unwrap_or_else(|| shown(peer, state, asked)),
        Some(Ok(token)) => with_token(shown(peer, state, asked), &token),
        Some(Err(token)) => with_token(page(401, "<html>Access is denied</html>"), &token),
    }
}

fn with_token(told: Told, token: &[u8]) -> Told {
    told.with(
        "www-authenticate",
        format!("Negotiate {}", STANDARD.encode(token)),
    )
}

/// What came of a Negotiate token, where there is one: an answer to it either way.
fn negotiated(state: &mut State, asked: &Asked) -> Option<Result<Vec<u8>, Vec<u8>>> {
    let given = asked.headers.get("authorization")?.to_str().ok()?;
    let token = STANDARD.decode(given.strip_prefix("Negotiate ")?).unwrap();
    Some(
        state
            .verifier
            .as_mut()
            .map_or(Err(Vec::new()), |verify| verify(&token)),
    )
}

/// The page for somebody who was let in.
fn shown(peer: &Peer, state: &mut State, asked: &Asked) -> Told {
    let path = asked.path.trim_start_matches("/certsrv/");
    match path {
        "" => page(200, "<html>Welcome</html>"),
        "certfnsh.asp" => submit(peer, state, &asked.body),
        "certrqxt.asp" => page(
            200,
            "<Select Name=lbCertTemplate ID=lbCertTemplateID><Option Value=\"E;WebServer;1;3;0\">Web \
             Server<Option Value=\"O;User;1;3;0\">User</Select>",
        ),
        "certcarc.asp" => page(200, "<script>var nRenewals=0;</script>"),
        "certnew.p7b?ReqID=CACert&Renewal=0&Enc=b64" => {
            let bundle = CertsOnly {
                certificates: &[peer.ca().der()],
                crls: &[],
            };
            let bundle = pki::pem::encode(pki::pem::CERTIFICATE, &bundle.to_der());
            Told::new(200, "application/x-pkcs7-certificates", bundle)
        }
        path => match path.strip_prefix("certnew.cer?ReqID=") {
            Some(rest) => fetch(peer, state, rest.trim_end_matches("&Enc=b64")),
            None => page(404, "<html>not here</html>"),
        },
    }
}

fn submit(peer: &Peer, state: &mut State, body: &[u8]) -> Told {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    state.attributes.push(form["CertAttrib"].clone());
    let text = form["CertRequest"].as_bytes();
    let csr = pki::pem::decode_all(pki::pem::CERTIFICATE_REQUEST, text).unwrap();
    let is_known = form["CertAttrib"].starts_with("CertificateTemplate:WebServer");
    if !is_known || peer.fault() == Fault::Refusing {
        let text = format!(
            "<b>Certificate Request Denied</b><p>The disposition message is <br>\"Denied by Policy \
             Module 0x80094800, {SAYS_NO}\""
        );
        return page(200, &text);
    }
    let id = u64::try_from(state.requests.len()).unwrap() + 1;
    state.requests.insert(id, csr[0].clone());
    if peer.fault() == Fault::Waiting {
        let text = format!("<b>Certificate Pending</b><p>Your Request Id is {id}.<p>Please return");
        return page(200, &text);
    }
    state.issued.insert(id, peer.sign(&csr[0]));
    let text = format!("<b>Certificate Issued</b><a href=\"certnew.cer?ReqID={id}&amp;Enc=b64\">");
    page(200, &text)
}

fn fetch(peer: &Peer, state: &mut State, id: &str) -> Told {
    let id: u64 = id.parse().unwrap();
    match state.requests.get(&id) {
        None => page(200, "<p>Disposition message: <b>unknown request</b>"),
        Some(_) if peer.fault() == Fault::Waiting => {
            page(200, "<p>Disposition message: <b>Taken Under Submission</b>")
        }
        Some(csr) => {
            let der = state.issued.entry(id).or_insert_with(|| peer.sign(csr));
            let pem = pki::pem::encode(pki::pem::CERTIFICATE, der);
            Told::new(200, "application/pkix-cert", pem)
        }
    }
}

fn page(status: u16, text: &str) -> Told {
    Told::new(status, "text/html; Charset=UTF-8", text)
}

/// Lets requests with the right password in, and connections that NTLM let in before.
fn admit(state: &mut State, asked: &Asked) -> Option<Told> {
    if state.known.get(&asked.connection) == Some(&true) {
        return None;
    }
    let refused = || Some(page(401, "<html>Access is denied</html>"));
    let given = asked.headers.get("authorization");
    let Some((scheme, text)) = given.and_then(|given| given.to_str().ok()?.split_once(' ')) else {
        return refused();
    };
    let octets = STANDARD.decode(text).unwrap_or_default();
    if scheme == "Basic" {
        let wanted = format!("CORP\\svc-certwright:{}", state.password);
        return if octets == wanted.as_bytes() {
            None
        } else {
            refused()
        };
    }
    match octets.get(8) {
        Some(1) => {
            let challenge = STANDARD.encode(challenge());
            refused().map(|told| told.with("www-authenticate", format!("NTLM {challenge}")))
        }
        Some(3) if proof_holds(&octets, &state.password) => {
            state.known.insert(asked.connection, true);
            None
        }
        _ => refused(),
    }
}

fn challenge() -> Vec<u8> {
    // A timestamp and the end.
    let mut info = vec![7, 0, 8, 0];
    info.extend(133_000_000_000_000_000_u64.to_le_bytes());
    info.extend([0; 4]);
    let mut message = b"NTLMSSP\0\x02\0\0\0".to_vec();
    message.extend([0; 8]);
    message.extend(0xa088_8205_u32.to_le_bytes());
    message.extend(NONCE);
    message.extend([0; 8]);
    let length = u16::try_from(info.len()).unwrap().to_le_bytes();
    message.extend([length, length].concat());
    message.extend(48_u32.to_le_bytes());
    message.extend(info);
    message
}

/// Whether the NTLMv2 response was made with the password ([MS-NLMP] 3.3.2).
fn proof_holds(message: &[u8], password: &str) -> bool {
    let field = |at: usize| {
        let length = usize::from(u16::from_le_bytes([message[at], message[at + 1]]));
        let start = usize::from(u16::from_le_bytes([message[at + 4], message[at + 5]]));
        &message[start..start + length]
    };
    let utf16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let mac = |key: &[u8], text: &[u8]| {
        let mut mac = Hmac::<Md5>::new_from_slice(key).unwrap();
        mac.update(text);
        mac.finalize().into_bytes().to_vec()
    };
    let hash = Md4::digest(utf16(password));
    let key = mac(&hash, &utf16("SVC-CERTWRIGHTCORP"));
    let (proof, blob) = field(20).split_at(16);
    field(36) == utf16("svc-certwright")
        && field(28) == utf16("CORP")
        && proof == mac(&key, &[NONCE.as_slice(), blob].concat())
}
