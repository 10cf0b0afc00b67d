//! An authenticator in software: one passkey, made and used as WebAuthn Level 3 says.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const HAS_CREDENTIAL: u8 = 0x40;

/// Holds one key.
pub struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    user: Value,
    counter: u32,
    /// What it believes to be on: a page elsewhere would say otherwise.
    pub origin: String,
    /// Whether its owner touched it and showed a finger.
    pub verifies: bool,
}

impl Authenticator {
    pub fn new(origin: &str) -> Self {
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            id: format!("credential of {origin} {}", rand_suffix()).into_bytes(),
            user: Value::Null,
            counter: 0,
            origin: origin.to_owned(),
            verifies: true,
        }
    }

    /// Answers `navigator.credentials.create`.
    pub fn create(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        self.user = options["user"]["id"].clone();
        let mut data = self.data(&options["rp"]["id"], HAS_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose_key());
        let mut object = vec![0xa3];
        text(&mut object, "fmt");
        text(&mut object, "none");
        text(&mut object, "attStmt");
        object.push(0xa0);
        text(&mut object, "authData");
        octets(&mut object, &data);
        let client = self.client_data("webauthn.create", &options["challenge"]);
        json!({
            "id": BASE64.encode(&self.id),
            "rawId": BASE64.encode(&self.id),
            "type": "public-key",
            "extensions": {},
            "response": {
                "attestationObject": BASE64.encode(object),
                "clientDataJSON": BASE64.encode(client),
            },
        })
    }

    /// Answers `navigator.credentials.get`.
    pub fn get(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        self.counter += 1;
        let data = self.data(&options["rpId"], 0);
        let client = self.client_data("webauthn.get", &options["challenge"]);
        let mut signed = data.clone();
        signed.extend(digest(&SHA256, &client).as_ref());
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": BASE64.encode(&self.id),
            "rawId": BASE64.encode(&self.id),
            "type": "public-key",
            "extensions": {},
            "response": {
                "authenticatorData": BASE64.encode(data),
                "clientDataJSON": BASE64.encode(client),
                "signature": BASE64.encode(signature.as_ref()),
                "userHandle": self.user,
            },
        })
    }

    fn data(&self, relying_party: &Value, more: u8) -> Vec<u8> {
        let mut data = digest(&SHA256, relying_party.as_str().unwrap().as_bytes())
            .as_ref()
            .to_vec();
        let verified = if self.verifies { USER_VERIFIED } else { 0 };
        data.push(USER_PRESENT | verified | more);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false,
        });
        serde_json::to_vec(&data).unwrap()
    }

    /// RFC 9053 section 7.1.1: EC2, ES256, P-256, x, y.
    fn cose_key(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21];
        octets(&mut key, &point[1..33]);
        key.push(0x22);
        octets(&mut key, &point[33..65]);
        key
    }
}

fn rand_suffix() -> String {
    let mut suffix = [0; 16];
    aws_lc_rs::rand::fill(&mut suffix).unwrap();
    BASE64.encode(suffix)
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(0x60 + u8::try_from(text.len()).unwrap());
    out.extend(text.as_bytes());
}

fn octets(out: &mut Vec<u8>, octets: &[u8]) {
    match u8::try_from(octets.len()) {
        Ok(length) => out.extend([0x58, length]),
        Err(_) => {
            out.push(0x59);
            out.extend(u16::try_from(octets.len()).unwrap().to_be_bytes());
        }
    }
    out.extend(octets);
}
