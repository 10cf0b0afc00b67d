//! Stands in for a CA behind a program: the program hands its question to a service and the answer back.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::peer::{Fault, Peer, SAYS_NO};
use crate::service::{Asked, TestService, Told};

/// The program and what is behind it.
pub struct TestCommandCa {
    pub peer: Peer,
    _service: TestService,
}

impl TestCommandCa {
    /// Starts the service, and puts the program `handed-on` into a directory of commands.
    pub async fn start(commands: &Path) -> Self {
        let peer = Peer::new("Command CA");
        let issued = Mutex::new(BTreeMap::<String, Vec<u8>>::new());
        let signer = peer.clone();
        let handler = peer.handler(move |asked| answer(&signer, &mut issued.lock(), asked));
        let service = TestService::start_plain(handler).await;
        let script = format!(
            "#!/bin/sh\ncurl -sS --fail --data-binary @- {}/\nended=$?\n\
             [ $ended = 7 ] && echo '{{\"status\": \"not-reached\", \"message\": \"nobody listens\"}}' && exit\n\
             exit $ended\n",
            service.url()
        );
        let program = commands.join("handed-on");
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self {
            peer,
            _service: service,
        }
    }

    /// What an issuer is configured with.
    pub fn settings(&self) -> Value {
        json!({ "program": "handed-on" })
    }
}

fn answer(peer: &Peer, issued: &mut BTreeMap<String, Vec<u8>>, asked: &Asked) -> Told {
    let question: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let unavailable = |text: &str| json!({"status": "unavailable", "message": text});
    let told = match (peer.fault(), question["operation"].as_str().unwrap()) {
        (Fault::Throttled, _) => unavailable("slow down"),
        (Fault::Locked, _) => unavailable("the password has expired"),
        (_, "check") => json!({
            "status": "checked", "chain": peer.ca().pem(),
            "findings": [{"aspect": "credentials", "outcome": "passed", "message": "let in"}],
        }),
        (_, "revoke") => json!({"status": "done"}),
        (Fault::Refusing, _) => json!({"status": "refused", "message": SAYS_NO}),
        (Fault::Waiting, "issue") => {
            json!({"status": "pending", "handle": question["request"]["csr"]})
        }
        (Fault::Waiting, _) => json!({"status": "pending", "handle": question["handle"]}),
        (_, "poll") => {
            let csr = question["handle"].as_str().unwrap();
            signed(peer, issued, csr, csr)
        }
        _ => {
            let request = &question["request"];
            let id = request["id"].as_str().unwrap();
            signed(peer, issued, id, request["csr"].as_str().unwrap())
        }
    };
    Told::json(200, &told)
}

fn signed(peer: &Peer, issued: &mut BTreeMap<String, Vec<u8>>, id: &str, csr: &str) -> Value {
    let csr = pki::pem::decode_all(pki::pem::CERTIFICATE_REQUEST, csr.as_bytes()).unwrap();
    let sign = || peer.sign(&csr[0]);
    let der = issued.entry(id.to_owned()).or_insert_with(sign);
    let leaf = pki::pem::encode(pki::pem::CERTIFICATE, der);
    json!({"status": "issued", "chain": format!("{leaf}{}", peer.ca().pem())})
}
