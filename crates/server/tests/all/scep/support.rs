//! A client of SCEP: messages made and read with the same code as the server's, which real clients judge.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pki::certificate::{self, Certificate, CertificateContent, IssuerFacts};
use pki::cms::{self, Accepts, ContentCipher, DecryptionKey, SignedData};
use pki::csr;
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::name::{DistinguishedName, GeneralName};
use pki::random::SystemRandom;
use pki::serial::Serial;
use protocols::scep::{Exchange, MessageType, PkiMessage, PkiStatus, Request, payload, request};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;

use crate::est::support::Est;

/// A server with the service `phones`.
pub struct Scep {
    pub est: Est,
    http: reqwest::Client,
    /// The registration authority.
    pub ra: Certificate,
    /// The issuing CA.
    pub ca: Certificate,
}

/// A device with its key and the certificate that it signs messages with.
pub struct Device {
    pub key: LocalKey,
    pub certificate: Certificate,
}

impl Device {
    /// One that has nothing but a key.
    pub fn new() -> Self {
        Self::with(LocalKey::generate(KeyAlgorithm::Rsa2048).unwrap())
    }

    pub fn with(key: LocalKey) -> Self {
        let now: pki::time::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let content = CertificateContent {
            subject: DistinguishedName::parse("CN=device").unwrap(),
            ..CertificateContent::new(
                key.public_key().clone(),
                now,
                now + std::time::Duration::from_secs(10 * 365 * 86_400),
            )
        };
        let facts = IssuerFacts::self_signed(&content, key.signature_algorithm());
        let serial = Serial::random(&SystemRandom::new());
        let tbs = certificate::encode_tbs(&content, &serial, &facts).unwrap();
        let der = certificate::sign(&tbs, &key).unwrap();
        let certificate = Certificate::from_der(&der).unwrap();
        Self { key, certificate }
    }

    /// A CSR for its key.
    pub fn csr(&self, password: Option<&str>, names: &[&str]) -> Vec<u8> {
        let names: Vec<_> = names
            .iter()
            .map(|name| GeneralName::Dns((*name).to_owned()))
            .collect();
        let draft = csr::Draft {
            subject: &DistinguishedName::empty(),
            subject_alt_names: &names,
            extensions: &[],
            challenge_password: password,
        };
        csr::build_draft(&draft, &self.key).unwrap()
    }
}

impl Scep {
    pub async fn start() -> Self {
        Self::with(json!({})).await
    }

    pub async fn with(rules: Value) -> Self {
        let est = Est::over(TestServer::start().await).await;
        est.operate(Method::PUT, "scep/services/phones", rules)
            .await;
        Self::of(est).await
    }

    pub async fn of(est: Est) -> Self {
        let http = reqwest::Client::new();
        let url = format!("{}/scep/phones?operation=GetCACert", est.server.url());
        let response = http.get(url).send().await.unwrap();
        assert_eq!(
            response.headers()["content-type"],
            "application/x-x509-ca-ra-cert"
        );
        let bundle = SignedData::from_ber(&response.bytes().await.unwrap()).unwrap();
        let read = |at: usize| Certificate::from_der(&bundle.certificates[at]).unwrap();
        Self {
            est,
            http,
            ra: read(0),
            ca: read(1),
        }
    }

    pub async fn password(&self, more: Value) -> String {
        let mut body = json!({ "name": "phone", "scep_service": "phones" });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let path = "enrollment-passwords";
        let made = self.est.operate(Method::POST, path, body).await;
        made["secret"].as_str().unwrap().to_owned()
    }

    pub async fn get(&self, query: &str) -> (StatusCode, String) {
        let url = format!("{}/scep/phones?{query}", self.est.server.url());
        let response = self.http.get(url).send().await.unwrap();
        (response.status(), response.text().await.unwrap_or_default())
    }

    /// A message of this content.
    pub fn message(
        &self,
        kind: MessageType,
        transaction: &str,
        content: &[u8],
        device: &Device,
    ) -> Vec<u8> {
        let random = SystemRandom::new();
        let cipher = ContentCipher::Aes256Cbc;
        let envelope = cms::encrypt(content, &self.ra, cipher, &random).unwrap();
        let exchange = Exchange {
            transaction_id: transaction,
            sender_nonce: &[7; 16],
            signer: &device.certificate,
            key: &device.key,
        };
        let message = Request {
            kind,
            envelope: &envelope,
        };
        request(&message, &exchange).unwrap()
    }

    /// Sends octets as a message.
    pub async fn post(&self, octets: Vec<u8>) -> (StatusCode, Vec<u8>) {
        let url = format!(
            "{}/scep/phones?operation=PKIOperation",
            self.est.server.url()
        );
        let response = self.http.post(url).body(octets).send().await.unwrap();
        let status = response.status();
        (status, response.bytes().await.unwrap().to_vec())
    }

    /// Sends octets in the query of a GET.
    pub async fn get_message(&self, octets: &[u8]) -> (StatusCode, Vec<u8>) {
        let url = format!("{}/scep/phones", self.est.server.url());
        let query = [
            ("operation", "PKIOperation"),
            ("message", &STANDARD.encode(octets)),
        ];
        let response = self.http.get(url).query(&query).send().await.unwrap();
        let status = response.status();
        (status, response.bytes().await.unwrap().to_vec())
    }

    /// The reply to a message, verified, and what it carries.
    pub fn read(&self, reply: &[u8], device: &Device) -> (PkiMessage, Option<SignedData>) {
        let reply =
            PkiMessage::reply_from_ber(reply, std::slice::from_ref(&self.ra), Accepts::Strong)
                .unwrap();
        assert_eq!(reply.recipient_nonce.as_deref(), Some(&[7; 16][..]));
        if reply.envelope.is_empty() {
            return (reply, None);
        }
        let key = DecryptionKey::from_pkcs8(&device.key.to_pkcs8().unwrap()).unwrap();
        let random = SystemRandom::new();
        let opened = cms::decrypt(
            &reply.envelope,
            &device.certificate,
            &key,
            Accepts::Strong,
            &random,
        )
        .unwrap();
        let bundle = SignedData::from_ber(&opened).unwrap();
        (reply, Some(bundle))
    }

    /// Sends a message and reads its reply.
    pub async fn ask(
        &self,
        kind: MessageType,
        transaction: &str,
        content: &[u8],
        device: &Device,
    ) -> (PkiMessage, Option<SignedData>) {
        let message = self.message(kind, transaction, content, device);
        let (status, reply) = self.post(message).await;
        assert_eq!(status, StatusCode::OK);
        let (reply, bundle) = self.read(&reply, device);
        assert_eq!(reply.transaction_id, transaction);
        (reply, bundle)
    }

    /// Enrolls a device for these names.
    pub async fn enroll(
        &self,
        transaction: &str,
        password: &str,
        device: &Device,
        names: &[&str],
    ) -> (PkiMessage, Option<SignedData>) {
        let csr = device.csr(Some(password), names);
        self.ask(MessageType::Enrollment, transaction, &csr, device)
            .await
    }

    pub async fn poll(
        &self,
        transaction: &str,
        device: &Device,
    ) -> (PkiMessage, Option<SignedData>) {
        let content =
            payload::issuer_and_subject(&self.ca.subject_der, &device.certificate.subject_der);
        self.ask(MessageType::Poll, transaction, &content, device)
            .await
    }
}

/// The certificate of a reply that has one.
#[track_caller]
pub fn leaf((reply, bundle): &(PkiMessage, Option<SignedData>)) -> Certificate {
    assert_eq!(
        reply.status,
        Some(PkiStatus::Success),
        "{:?}",
        reply.fail_text
    );
    Certificate::from_der(&bundle.as_ref().unwrap().certificates[0]).unwrap()
}

/// Why a reply says no.
#[track_caller]
pub fn refused((reply, bundle): &(PkiMessage, Option<SignedData>), because: &str) {
    assert!(
        matches!(reply.status, Some(PkiStatus::Failure(_))),
        "{reply:?}"
    );
    assert!(bundle.is_none());
    let text = reply.fail_text.as_deref().unwrap();
    assert!(text.contains(because), "{text}");
}
