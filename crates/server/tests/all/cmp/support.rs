//! An endpoint with a secret, `openssl cmp` to go there, and messages made by hand.

use std::path::{Path, PathBuf};

use domain::role::Role;
use lifecycle::actor::Caller;
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::name::{DistinguishedName, GeneralName};
use protocols::cmp::{Body, Header, Info, MEDIA_TYPE, MacParameters, Message, Protector};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;

use crate::interop::process::{Ended, run, succeed, tool};

/// A server with the endpoint `plant` and somebody who manages it.
pub(super) struct Plant {
    pub(super) server: TestServer,
    pub(super) folder: tempfile::TempDir,
    http: reqwest::Client,
    token: String,
}

impl Plant {
    /// The endpoint issues under the profile `default`.
    pub(super) async fn start() -> Self {
        Self::with(json!({})).await
    }

    /// The same with these rules.
    pub(super) async fn with(rules: Value) -> Self {
        let server = TestServer::start().await;
        let lifecycle = server.lifecycle();
        let role = Role::Administrator;
        let caller = Caller::system();
        let created = lifecycle.create_token("operator".into(), role, None, &caller);
        let plant = Self {
            token: created.await.unwrap().secret.expose().to_owned(),
            server,
            folder: tempfile::tempdir().unwrap(),
            http: reqwest::Client::new(),
        };
        let path = "/api/v1/cmp/endpoints/plant";
        let (status, body) = plant.call(Method::PUT, path, Some(rules)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        plant
    }

    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.server.url());
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// A secret with that reference.
    pub(super) async fn secret(&self, reference: &str, more: Value) -> Secret {
        let mut body = json!({ "name": reference, "endpoint": "plant", "reference": reference });
        for (member, value) in more.as_object().unwrap() {
            body[member] = value.clone();
        }
        let path = "/api/v1/cmp/secrets";
        let (status, body) = self.call(Method::POST, path, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        Secret {
            id: body["id"].as_str().unwrap().to_owned(),
            reference: reference.to_owned(),
            text: body["secret"].as_str().unwrap().to_owned(),
        }
    }

    /// Somebody else agrees: who made the secret that was asked with may not.
    pub(super) async fn decide(&self, approval: &str) {
        let role = Role::Administrator;
        let lifecycle = self.server.lifecycle();
        let caller = Caller::system();
        let other = lifecycle.create_token("approver".into(), role, None, &caller);
        let other = other.await.unwrap().secret.expose().to_owned();
        let path = format!("/api/v1/approvals/{approval}/approve");
        let url = format!("{}{path}", self.server.url());
        let request = self.http.post(url).bearer_auth(other).json(&json!({}));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A fresh P-256 key.
    pub(super) async fn key(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let mut make = tool("openssl");
        make.args(["genpkey", "-algorithm", "EC", "-pkeyopt"]);
        make.args(["ec_paramgen_curve:P-256", "-out"]).arg(&path);
        succeed(&mut make).await;
        path
    }

    pub(super) async fn root(&self) -> PathBuf {
        let path = self.path("root.pem");
        let url = format!("{}/root.pem", self.server.url());
        let text = self.http.get(url).send().await.unwrap().text().await;
        std::fs::write(&path, text.unwrap()).unwrap();
        path
    }

    /// `openssl cmp` with these arguments beside those that say where to go.
    pub(super) async fn openssl(&self, arguments: &[&str]) -> Ended {
        let url = self.server.url();
        let authority = url.strip_prefix("http://").unwrap();
        let mut cmp = tool("openssl");
        cmp.args(["cmp", "-server", authority, "-no_proxy", "127.0.0.1"]);
        cmp.args(["-path", ".well-known/cmp/p/plant"]);
        cmp.current_dir(self.folder.path()).args(arguments);
        run(&mut cmp).await
    }

    /// The same, and it has to succeed.
    pub(super) async fn enroll(&self, arguments: &[&str]) -> String {
        let ended = self.openssl(arguments).await;
        assert!(ended.succeeded, "{}", ended.said);
        ended.said
    }

    /// What the inventory says of a certificate in a PEM file.
    pub(super) async fn certificate(&self, file: &str) -> Value {
        let pem = std::fs::read(self.path(file)).unwrap();
        let ders = pki::pem::decode_all(pki::pem::CERTIFICATE, &pem).unwrap();
        let fingerprint = pki::fingerprint::Fingerprint::of(&ders[0]).to_string();
        let page = self.get("/api/v1/certificates?limit=100").await;
        let found = page["items"].as_array().unwrap().iter();
        let mut found = found.filter(|one| one["fingerprint"] == fingerprint.as_str());
        found
            .next()
            .cloned()
            .unwrap_or_else(|| panic!("{fingerprint} in {page}"))
    }

    /// Sends octets to the endpoint.
    pub(super) async fn post(&self, place: &str, body: Vec<u8>) -> (StatusCode, Vec<u8>) {
        let url = format!("{}/.well-known/cmp{place}", self.server.url());
        let request = self.http.post(url).header("content-type", MEDIA_TYPE);
        let response = request.body(body).send().await.unwrap();
        let status = response.status();
        (status, response.bytes().await.unwrap().to_vec())
    }

    /// Sends a message and reads the answer.
    pub(super) async fn ask(&self, message: Vec<u8>) -> Message {
        let (status, body) = self.post("/p/plant", message).await;
        assert_eq!(status, StatusCode::OK);
        Message::from_der(&body).unwrap()
    }
}

/// A shared secret as its holder knows it.
pub(super) struct Secret {
    pub(super) id: String,
    pub(super) reference: String,
    pub(super) text: String,
}

impl Secret {
    /// A message under PBMAC1.
    pub(super) fn protect(&self, header: Header, body: &Body) -> Vec<u8> {
        self.protect_with(&MacParameters::pbmac1([7; 16]), header, body)
    }

    pub(super) fn protect_with(
        &self,
        parameters: &MacParameters,
        mut header: Header,
        body: &Body,
    ) -> Vec<u8> {
        header.sender_key_id = Some(self.reference.as_bytes().to_vec());
        let protector = Protector::Mac {
            parameters,
            secret: self.text.as_bytes(),
        };
        Message::build(header, body, &protector, &[]).unwrap()
    }

    /// Whether the answer is protected with the secret.
    pub(super) fn accepts(&self, answer: &Message) -> bool {
        match answer.protection_kind().unwrap() {
            protocols::cmp::Protection::Mac(parameters) => {
                answer.is_authentic(&parameters, self.text.as_bytes())
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A header of a new transaction.
pub(super) fn header(transaction: u8) -> Header {
    Header {
        version: 2,
        transaction_id: Some(vec![transaction; 16]),
        sender_nonce: Some(vec![transaction ^ 0x5a; 16]),
        general_info: vec![Info::implicit_confirm()],
        ..Header::default()
    }
}

/// The header of the message that follows an answer.
pub(super) fn following(answer: &Message) -> Header {
    Header {
        version: 2,
        transaction_id: answer.header.transaction_id.clone(),
        sender_nonce: Some(vec![0x33; 16]),
        recipient_nonce: answer.header.sender_nonce.clone(),
        ..Header::default()
    }
}

/// A request in CRMF for these names.
pub(super) fn request(kind: protocols::cmp::RequestKind, key: &LocalKey, names: &[&str]) -> Body {
    crmf(kind, &pki::crmf::Possession::Key(key), names)
}

pub(super) fn crmf(
    kind: protocols::cmp::RequestKind,
    possession: &pki::crmf::Possession<'_>,
    names: &[&str],
) -> Body {
    let names: Vec<GeneralName> = names
        .iter()
        .map(|name| GeneralName::Dns((*name).to_owned()))
        .collect();
    let wish = pki::crmf::Wish {
        request_id: 0,
        subject: &DistinguishedName::empty(),
        subject_alt_names: &names,
        extensions: &[],
        old_certificate: None,
    };
    let der = pki::crmf::build(&wish, possession).unwrap();
    let message = pki::crmf::CertReqMsg::from_der(&der).unwrap();
    Body::Request(kind, Box::new(message))
}

pub(super) fn new_key() -> LocalKey {
    LocalKey::generate(KeyAlgorithm::EcP256).unwrap()
}

/// A self-signed certificate, in PEM and in DER, for a registration authority.
pub(super) fn self_signed(key: &LocalKey, now: pki::time::Timestamp) -> (String, Vec<u8>) {
    use pki::certificate::{CertificateContent, IssuerFacts, KeyUsage, assemble, encode_tbs};
    let subject = DistinguishedName::parse("CN=Registration authority").unwrap();
    let hour = std::time::Duration::from_secs(3600);
    let content = CertificateContent {
        subject: subject.clone(),
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        subject_key_identifier: true,
        ..CertificateContent::new(key.public_key().clone(), now - hour, now + hour)
    };
    let facts = IssuerFacts {
        subject_der: subject.to_der(),
        key_identifier: key.public_key().key_identifier().to_vec(),
        signature_algorithm: key.signature_algorithm(),
    };
    let serial = pki::serial::Serial::from_be_octets(&[9]).unwrap();
    let tbs = encode_tbs(&content, &serial, &facts).unwrap();
    let der = assemble(&tbs, key.signature_algorithm(), &key.sign(&tbs).unwrap());
    (pki::pem::encode(pki::pem::CERTIFICATE, &der), der)
}

/// Whether OpenSSL verifies the chain of what it was given.
pub(super) async fn verify(root: &Path, untrusted: &Path, leaf: &Path) {
    let mut verify = tool("openssl");
    verify.args(["verify", "-x509_strict", "-CAfile"]).arg(root);
    verify.arg("-untrusted").arg(untrusted).arg(leaf);
    succeed(&mut verify).await;
}
