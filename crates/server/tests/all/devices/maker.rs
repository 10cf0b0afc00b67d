//! A maker of devices, with its root, and what its devices say of their keys.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use domain::clock::{Clock, SystemClock};
use domain::role::Role;
use pki::asn1::Writer;
use pki::certificate::{CertificateContent, ExtendedKeyUsage, ExtraExtension, KeyUsage};
use pki::csr;
use pki::key::{KeyAlgorithm, LocalKey, PublicKey, SigningKey};
use pki::name::{DistinguishedName, GeneralName};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::Client;
use testkit::ca::TestCa;

use super::cbor;
use crate::acme::support::put_directory;
use crate::enroll::Api;

pub const COSE_ES256: usize = 7;
const YUBIKEY_SERIAL: &str = "1.3.6.1.4.1.41482.3.7";
const APPLE_SERIAL: &str = "1.2.840.113635.100.8.9.1";
const APPLE_NONCE: &str = "1.2.840.113635.100.8.11.1";

/// Who makes devices.
pub struct Maker {
    pub ca: TestCa,
}

/// A device with a key that never leaves it.
pub struct Device<'a> {
    pub maker: &'a Maker,
    pub serial: u32,
    pub key: LocalKey,
}

impl Maker {
    pub fn new(name: &str) -> Self {
        Self {
            ca: TestCa::new(name),
        }
    }

    pub fn device(&self, serial: u32) -> Device<'_> {
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        Device {
            maker: self,
            serial,
            key,
        }
    }

    /// What the maker certifies of a key.
    pub fn certify(
        &self,
        key: &PublicKey,
        names: Vec<GeneralName>,
        purposes: Vec<ExtendedKeyUsage>,
        extensions: Vec<ExtraExtension>,
    ) -> Vec<u8> {
        let not_before = (SystemClock.now() - Duration::from_secs(3600)).floor_to_second();
        let not_after = not_before + Duration::from_secs(90 * 24 * 3600);
        self.ca.certify(&CertificateContent {
            subject: "CN=A device".parse().unwrap(),
            subject_alt_names: names,
            key_usage: KeyUsage::DIGITAL_SIGNATURE,
            extended_key_usage: purposes,
            extra_extensions: extensions,
            ..CertificateContent::new(key.clone(), not_before, not_after)
        })
    }
}

impl Device<'_> {
    /// The maker's certificate about the key, as a YubiKey gives it.
    pub fn certificate(&self) -> Vec<u8> {
        let serial = extension(YUBIKEY_SERIAL, Writer::encode(|w| w.small(self.serial)));
        let key = self.key.public_key();
        self.maker.certify(key, vec![], vec![], vec![serial])
    }

    /// The format `step`, over a key authorization.
    pub fn step(&self, key_authorization: &str) -> Vec<u8> {
        self.step_signed(&self.key.sign(key_authorization.as_bytes()).unwrap())
    }

    pub fn step_signed(&self, signature: &[u8]) -> Vec<u8> {
        cbor::object(
            "step",
            &[
                ("alg", cbor::negative(COSE_ES256)),
                ("sig", cbor::octets(&cbor::octets(signature))),
                ("x5c", cbor::list(&[cbor::octets(&self.certificate())])),
            ],
        )
    }

    /// The format `apple`: the maker's servers put a digest of the token into the certificate.
    pub fn apple(&self, serial: &str, token: &str) -> Vec<u8> {
        let nonce = digest(&SHA256, token.as_bytes());
        let extensions = vec![
            extension(APPLE_SERIAL, serial.as_bytes().to_vec()),
            extension(APPLE_NONCE, nonce.as_ref().to_vec()),
        ];
        let certificate = self
            .maker
            .certify(self.key.public_key(), vec![], vec![], extensions);
        let x5c = cbor::list(&[cbor::octets(&certificate)]);
        cbor::object("apple", &[("x5c", x5c)])
    }
}

fn extension(oid: &str, der: Vec<u8>) -> ExtraExtension {
    ExtraExtension {
        oid: oid.to_owned(),
        critical: false,
        der,
    }
}

/// A server with a profile made of a preset that trusts makers, offered over ACME.
pub async fn trusting(
    server: &TestServer,
    preset: &str,
    profile: &str,
    makers: &[(&str, &Maker)],
) -> Api {
    let api = Api::of(server, Role::Administrator).await;
    let presets = api.get("/api/v1/profile-presets").await;
    let items = presets["items"].as_array().unwrap();
    let found = items.iter().find(|one| one["name"] == preset).unwrap();
    let mut rules = found["rules"].clone();
    for (format, maker) in makers {
        rules["attestation"]["roots"][*format] = json!([maker.ca.pem()]);
    }
    let path = format!("/api/v1/profiles/{profile}");
    api.call(Method::PUT, &path, Some(rules)).await.expect(200);
    put_directory(server, "default", |spec| {
        spec.profiles.push(profile.to_owned());
    })
    .await;
    api
}

/// An order for a device, with its one authorization.
pub struct DeviceOrder {
    pub url: String,
    pub order: Value,
    pub challenge: Value,
}

impl DeviceOrder {
    pub async fn of(client: &Client, profile: &str, kind: &str, value: &str) -> Self {
        let payload = json!({
            "identifiers": [{ "type": kind, "value": value }],
            "profile": profile,
        });
        let answer = client.post(&client.at("newOrder"), &payload).await;
        answer.assert_status(201);
        let order = answer.json();
        let authorization = client
            .get(order["authorizations"][0].as_str().unwrap())
            .await
            .json();
        let challenges = authorization["challenges"].as_array().unwrap();
        assert_eq!(challenges.len(), 1, "{authorization}");
        assert_eq!(challenges[0]["type"], "device-attest-01");
        assert_eq!(
            authorization["identifier"],
            json!({ "type": kind, "value": value })
        );
        Self {
            url: answer.location(),
            challenge: challenges[0].clone(),
            order,
        }
    }

    pub fn token(&self) -> &str {
        self.challenge["token"].as_str().unwrap()
    }

    pub fn key_authorization(&self, client: &Client) -> String {
        client.key_authorization(self.token())
    }

    /// Sends an attestation; the challenge as it is then.
    pub async fn attest(&self, client: &Client, object: &[u8]) -> Value {
        let url = self.challenge["url"].as_str().unwrap();
        let payload = json!({ "attObj": testkit::acme::b64(object) });
        let answer = client.post(url, &payload).await;
        answer.assert_status(200);
        answer.json()
    }
}

/// A CSR by a key, wherever it is.
pub fn request(subject: &str, names: &[GeneralName], key: &dyn SigningKey) -> Vec<u8> {
    let subject: DistinguishedName = subject.parse().unwrap();
    csr::build(&subject, names, &[], key).unwrap()
}

/// The subject alternative name of a permanent identifier.
pub fn permanent(value: &str) -> GeneralName {
    let name: pki::name::PermanentIdentifier = value.parse().unwrap();
    name.to_general_name()
}
