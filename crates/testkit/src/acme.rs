//! An ACME client that does what the test says, also what no client should do.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pki::csr;
use pki::key::{KeyAlgorithm, LocalKey};
use pki::name::{DistinguishedName, GeneralName};
use protocols::acme::jwk::Jwk;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::TestServer;
use crate::http01::TestWeb;

/// Base64url without padding.
pub fn b64(octets: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// An account's key.
pub enum Key {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    /// A fresh P-256 key.
    pub fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// A fresh P-384 key.
    pub fn p384() -> Self {
        Self::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
    }

    /// A fresh Ed25519 key.
    pub fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    /// The P-256 key of a certificate, to sign requests with.
    pub fn of_certificate(key: &LocalKey) -> Self {
        let pkcs8 = key.to_pkcs8().unwrap();
        Self::P256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap())
    }

    /// The JWS algorithm that fits.
    pub fn alg(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::P384(_) => "ES384",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    /// The public half.
    pub fn jwk(&self) -> Value {
        let ec = |key: &EcdsaKeyPair, crv: &str, size: usize| {
            let point = key.public_key().as_ref().to_vec();
            json!({"kty": "EC", "crv": crv, "x": b64(&point[1..=size]), "y": b64(&point[1 + size..])})
        };
        match self {
            Self::P256(key) => ec(key, "P-256", 32),
            Self::P384(key) => ec(key, "P-384", 48),
            Self::Ed25519(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": b64(key.public_key().as_ref())})
            }
        }
    }

    /// RFC 7638.
    pub fn thumbprint(&self) -> String {
        let jwk = Jwk::parse(self.jwk().to_string().as_bytes()).unwrap();
        jwk.thumbprint().to_string()
    }

    /// A JWS signature.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) | Self::P384(key) => key
                .sign(&SystemRandom::new(), message)
                .unwrap()
                .as_ref()
                .to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// A flattened JWS over any header and payload.
    pub fn jws(&self, protected: &Value, payload: &[u8]) -> Value {
        let protected = b64(protected.to_string());
        let payload = b64(payload);
        let signature = self.sign(format!("{protected}.{payload}").as_bytes());
        json!({"protected": protected, "payload": payload, "signature": b64(signature)})
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in {} {:?}", self.status, self.text))
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Location`.
    pub fn location(&self) -> String {
        self.header("location").expect("a Location").to_owned()
    }

    /// The problem's type without the namespace.
    pub fn problem(&self) -> String {
        let body = self.json();
        let urn = body["type"].as_str().unwrap_or_default();
        urn.trim_start_matches("urn:ietf:params:acme:error:")
            .to_owned()
    }

    /// Asserts status and problem type.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, kind: &str) {
        assert_eq!(
            (self.status, self.problem().as_str()),
            (status, kind),
            "{}",
            self.text
        );
    }

    /// Asserts success.
    #[track_caller]
    pub fn assert_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// A client of one directory.
pub struct Client {
    pub http: reqwest::Client,
    pub directory: Value,
    pub key: Key,
    pub kid: Option<String>,
    /// How often a refused nonce was met.
    pub bad_nonces: AtomicU32,
}

impl Client {
    /// Reads the directory; makes a key.
    pub async fn new(directory_url: &str) -> Self {
        Self::with_key(directory_url, Key::p256()).await
    }

    /// The same with a given key.
    pub async fn with_key(directory_url: &str, key: Key) -> Self {
        // Tests run in processes of their own; who is first installs the provider.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Self::over(http(), directory_url, key).await
    }

    /// The same of a server whose certificate is under this root, PEM.
    pub async fn trusting(directory_url: &str, root: &[u8]) -> Self {
        let root = reqwest::Certificate::from_pem(root).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([root]);
        Self::over(http.build().unwrap(), directory_url, Key::p256()).await
    }

    async fn over(http: reqwest::Client, directory_url: &str, key: Key) -> Self {
        let directory = http.get(directory_url).send().await.unwrap();
        let directory = directory.error_for_status().unwrap();
        Self {
            directory: serde_json::from_str(&directory.text().await.unwrap()).unwrap(),
            http,
            key,
            kid: None,
            bad_nonces: AtomicU32::new(0),
        }
    }

    /// Closes the connections that are kept open: to a process that ended they lead nowhere.
    pub fn hang_up(&mut self) {
        self.http = http();
    }

    /// A URL of the directory.
    pub fn at(&self, resource: &str) -> String {
        self.directory[resource]
            .as_str()
            .unwrap_or_else(|| panic!("no {resource} in the directory"))
            .to_owned()
    }

    /// A fresh nonce.
    pub async fn nonce(&self) -> String {
        let answer = self.http.head(self.at("newNonce")).send().await.unwrap();
        let nonce = answer.headers().get("replay-nonce").expect("a nonce");
        nonce.to_str().unwrap().to_owned()
    }

    /// A header for `url`, by `kid` where there is an account, else by `jwk`.
    pub async fn header(&self, url: &str) -> Value {
        let mut header = json!({"alg": self.key.alg(), "nonce": self.nonce().await, "url": url});
        match &self.kid {
            Some(kid) => header["kid"] = json!(kid),
            None => header["jwk"] = self.key.jwk(),
        }
        header
    }

    /// Sends any body to any URL.
    pub async fn send(&self, url: &str, body: String) -> Answer {
        let request = self
            .http
            .post(url)
            .header("content-type", "application/jose+json")
            .body(body);
        read(request.send().await.unwrap()).await
    }

    /// Posts a signed payload; a refused nonce is tried again as RFC 8555 section 6.5 asks.
    pub async fn post(&self, url: &str, payload: &Value) -> Answer {
        self.post_octets(url, payload.to_string().as_bytes()).await
    }

    /// POST-as-GET.
    pub async fn get(&self, url: &str) -> Answer {
        self.post_octets(url, b"").await
    }

    async fn post_octets(&self, url: &str, payload: &[u8]) -> Answer {
        for _ in 0..20 {
            let jws = self.key.jws(&self.header(url).await, payload);
            let answer = self.send(url, jws.to_string()).await;
            if answer.status == 400 && answer.problem() == "badNonce" {
                self.bad_nonces.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            return answer;
        }
        panic!("twenty nonces in a row were refused");
    }

    /// Makes an account.
    pub async fn register(&mut self) -> Answer {
        self.register_with(json!({"termsOfServiceAgreed": true}))
            .await
    }

    /// Makes an account with this payload.
    pub async fn register_with(&mut self, payload: Value) -> Answer {
        let answer = self.post(&self.at("newAccount"), &payload).await;
        if answer.status < 300 {
            self.kid = Some(answer.location());
        }
        answer
    }

    /// An external account binding for this client's key.
    pub fn binding(&self, kid: &str, hmac_base64url: &str) -> Value {
        use aws_lc_rs::hmac;
        let secret = URL_SAFE_NO_PAD.decode(hmac_base64url).unwrap();
        let url = self.at("newAccount");
        let protected = b64(json!({"alg": "HS256", "kid": kid, "url": url}).to_string());
        let payload = b64(self.key.jwk().to_string());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let tag = hmac::sign(&key, format!("{protected}.{payload}").as_bytes());
        json!({"protected": protected, "payload": payload, "signature": b64(tag.as_ref())})
    }

    /// newOrder for DNS names.
    pub async fn new_order(&self, names: &[&str]) -> Answer {
        self.new_order_with(names, json!({})).await
    }

    /// newOrder for DNS names with other members.
    pub async fn new_order_with(&self, names: &[&str], extra: Value) -> Answer {
        let identifiers: Vec<Value> = names.iter().map(|name| identifier(name)).collect();
        let mut payload = json!({ "identifiers": identifiers });
        for (key, value) in extra.as_object().unwrap() {
            payload[key] = value.clone();
        }
        self.post(&self.at("newOrder"), &payload).await
    }

    /// The challenge of that type in an authorization.
    pub async fn challenge(&self, authorization_url: &str, kind: &str) -> Value {
        let authorization = self.get(authorization_url).await.json();
        let challenges = authorization["challenges"].as_array().unwrap();
        let found = challenges.iter().find(|c| c["type"] == kind);
        found
            .unwrap_or_else(|| panic!("no {kind} in {authorization}"))
            .clone()
    }

    /// `token.thumbprint`.
    pub fn key_authorization(&self, token: &str) -> String {
        format!("{token}.{}", self.key.thumbprint())
    }

    /// What dns-01 puts into DNS for a token.
    pub fn key_authorization_digest(&self, token: &str) -> String {
        let text = self.key_authorization(token);
        b64(aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            text.as_bytes(),
        ))
    }

    /// Says that the response to a challenge is in place.
    pub async fn respond(&self, challenge: &Value) -> Answer {
        let url = challenge["url"].as_str().unwrap();
        self.post(url, &json!({})).await
    }

    /// A signed request by the account, not sent yet.
    pub async fn signed(&self, url: &str, payload: &[u8]) -> Value {
        self.key.jws(&self.header(url).await, payload)
    }

    /// Proves every authorization of an order by http-01.
    pub async fn authorize(&self, server: &TestServer, order: &Value) {
        self.authorize_at(&server.web, order).await;
    }

    /// The same with the responses at `web`.
    pub async fn authorize_at(&self, web: &TestWeb, order: &Value) {
        for url in order["authorizations"].as_array().unwrap() {
            let url = url.as_str().unwrap();
            if self.get(url).await.json()["status"] == "valid" {
                continue;
            }
            let challenge = self.challenge(url, "http-01").await;
            let token = challenge["token"].as_str().unwrap();
            web.put(token, &self.key_authorization(token));
            let answer = self
                .post(challenge["url"].as_str().unwrap(), &json!({}))
                .await;
            answer.assert_status(200);
            let settled = self.settled(url).await;
            assert_eq!(settled["status"], "valid", "{settled}");
        }
    }

    /// Looks at a resource until it is neither pending nor processing.
    pub async fn settled(&self, url: &str) -> Value {
        for _ in 0..200 {
            let body = self.get(url).await.json();
            if body["status"] != "pending" && body["status"] != "processing" {
                return body;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("{url} is not settled after five seconds");
    }

    /// A ready order: its URL and body.
    pub async fn ready_order(&self, server: &TestServer, names: &[&str]) -> (String, Value) {
        self.ready_order_at(&server.web, names).await
    }

    /// The same with the responses at `web`.
    pub async fn ready_order_at(&self, web: &TestWeb, names: &[&str]) -> (String, Value) {
        let answer = self.new_order(names).await;
        answer.assert_status(201);
        let (url, order) = (answer.location(), answer.json());
        self.authorize_at(web, &order).await;
        (url, order)
    }

    /// Finalizes an order with this CSR.
    pub async fn finalize(&self, order: &Value, csr_der: &[u8]) -> Answer {
        let url = order["finalize"].as_str().unwrap();
        self.post(url, &json!({ "csr": b64(csr_der) })).await
    }

    /// The whole flow: a certificate for these names.
    pub async fn issue(&self, server: &TestServer, names: &[&str]) -> Issued {
        self.issue_at(&server.web, names).await
    }

    /// The same with the responses at `web`.
    pub async fn issue_at(&self, web: &TestWeb, names: &[&str]) -> Issued {
        let (order_url, order) = self.ready_order_at(web, names).await;
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let answer = self.finalize(&order, &csr_for(names, &key)).await;
        answer.assert_status(200);
        let order = self.settled(&order_url).await;
        assert_eq!(order["status"], "valid", "{order}");
        let certificate_url = order["certificate"].as_str().unwrap().to_owned();
        let pem = self.get(&certificate_url).await.text;
        let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
        Issued {
            key,
            chain,
            pem,
            order_url,
            certificate_url,
        }
    }
}

/// What came of a whole flow.
pub struct Issued {
    pub key: LocalKey,
    /// DER, leaf first.
    pub chain: Vec<Vec<u8>>,
    pub pem: String,
    pub order_url: String,
    pub certificate_url: String,
}

impl Issued {
    /// The leaf, parsed.
    pub fn leaf(&self) -> pki::certificate::Certificate {
        pki::certificate::Certificate::from_der(&self.chain[0]).unwrap()
    }

    /// Its name in ARI.
    pub fn cert_id(&self) -> String {
        pki::ari::CertId::of(&self.leaf()).unwrap().to_string()
    }
}

/// A CSR for names (addresses are recognised) with a key.
pub fn csr_for(names: &[&str], key: &LocalKey) -> Vec<u8> {
    let names: Vec<GeneralName> = names.iter().map(|name| general_name(name)).collect();
    csr::build(&DistinguishedName::empty(), &names, &[], key).unwrap()
}

fn general_name(name: &str) -> GeneralName {
    match name.parse() {
        Ok(address) => GeneralName::Ip(address),
        Err(_) if name.contains('@') => GeneralName::Email(name.to_owned()),
        Err(_) => GeneralName::Dns(name.to_owned()),
    }
}

fn identifier(name: &str) -> Value {
    let kind = match name.parse::<std::net::IpAddr>() {
        Ok(_) => "ip",
        Err(_) if name.contains('@') => "email",
        Err(_) => "dns",
    };
    json!({"type": kind, "value": name})
}

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

async fn read(response: reqwest::Response) -> Answer {
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}
