use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RsaKeyPair,
};
use aws_lc_rs::{encoding::AsDer, encoding::PublicKeyX509Der, hmac};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::acme::base64url::encode;
use crate::acme::jwk::Jwk;
use crate::acme::problem::ProblemType;

const URL: &str = "https://ca.example/acme/default/new-order";
const KID: &str = "https://ca.example/acme/default/account/acc_1";
const NONCE: &str = "bm9uY2U";

/// A private key of any accepted kind.
enum Signer {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    fn ec(algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        Self::Ec(EcdsaKeyPair::generate(algorithm).unwrap())
    }

    fn all() -> Vec<Self> {
        vec![
            Self::ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Self::ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Self::ec(&ECDSA_P521_SHA512_FIXED_SIGNING),
            Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
            Self::Ed(Ed25519KeyPair::generate().unwrap()),
        ]
    }

    fn spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Ec(key) => key.public_key().as_der().unwrap(),
            Self::Rsa(key) => key.public_key().as_der().unwrap(),
            Self::Ed(key) => key.public_key().as_der().unwrap(),
        };
        der.as_ref().to_vec()
    }

    fn jwk(&self) -> Jwk {
        Jwk::from_spki_der(&self.spki()).unwrap()
    }

    fn verifying(&self) -> VerifyingKey {
        VerifyingKey::new(self.jwk()).unwrap()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Self::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    fn jws(&self, header: &impl Serialize, payload: &[u8]) -> FlattenedJws {
        let input = SigningInput::new(header, payload).unwrap();
        let signature = self.sign(input.as_bytes());
        input.with_signature(&signature)
    }
}

fn signer() -> &'static Signer {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    SIGNER.get_or_init(|| Signer::ec(&ECDSA_P256_SHA256_FIXED_SIGNING))
}

fn body(jws: &FlattenedJws) -> Vec<u8> {
    serde_json::to_vec(jws).unwrap()
}

/// A correctly signed request whose header differs from a good one by these members.
fn request(changes: Value) -> Vec<u8> {
    let mut header = json!({"alg": "ES256", "nonce": NONCE, "url": URL, "kid": KID});
    for (name, value) in changes.as_object().unwrap() {
        if value == "absent" {
            header.as_object_mut().unwrap().remove(name);
        } else {
            header[name] = value.clone();
        }
    }
    body(&signer().jws(&header, b"{}"))
}

fn jwk_json() -> Value {
    serde_json::to_value(signer().jwk()).unwrap()
}

#[test]
fn a_request_is_verified_under_every_algorithm() {
    for signer in Signer::all() {
        let jwk = signer.jwk();
        let header = Header::with_jwk(&jwk, Some(NONCE), URL);
        let jws = FlattenedJws::parse(&body(&signer.jws(&header, br#"{"a":1}"#))).unwrap();
        assert_eq!(jws.key(), &KeyReference::Jwk(jwk.clone()));
        let jws = jws.verify(&signer.verifying()).unwrap();
        assert_eq!(jws.algorithm(), Algorithm::of(jwk.kind()));
        assert_eq!((jws.nonce(), jws.url()), (NONCE, URL));
        assert_eq!(jws.json::<Value>().unwrap(), json!({"a": 1}));
        assert!(!jws.is_post_as_get());
    }
}

#[test]
fn ed25519_is_accepted_under_its_old_and_its_new_name() {
    let signer = Signer::Ed(Ed25519KeyPair::generate().unwrap());
    for alg in ["EdDSA", "Ed25519"] {
        let header = json!({"alg": alg, "nonce": NONCE, "url": URL, "kid": KID});
        let jws = FlattenedJws::parse(&body(&signer.jws(&header, b""))).unwrap();
        let jws = jws.verify(&signer.verifying()).unwrap();
        assert!(jws.is_post_as_get());
        assert_eq!(jws.key(), &KeyReference::Kid(KID.to_owned()));
    }
}

#[rstest]
#[case("none")]
#[case("None")]
#[case("")]
#[case("HS256")]
#[case("HS384")]
#[case("HS512")]
#[case("RS384")]
#[case("PS256")]
#[case("ES256K")]
#[case("es256")]
#[case("Ed448")]
#[case("ES384")]
#[case("RS256")]
#[case("EdDSA")]
fn p01_an_algorithm_that_is_no_signature_of_this_key_is_refused(#[case] alg: &str) {
    for key in [json!({}), json!({"kid": "absent", "jwk": jwk_json()})] {
        let mut changes = key;
        changes["alg"] = json!(alg);
        let error = FlattenedJws::parse(&request(changes))
            .and_then(|jws| jws.verify(&signer().verifying()))
            .unwrap_err();
        let problem = error.problem();
        assert_eq!(
            problem.kind,
            ProblemType::BadSignatureAlgorithm,
            "{problem}"
        );
        assert_eq!(problem.status, Some(400));
        let algorithms = problem.algorithms.unwrap();
        assert!(
            algorithms.iter().any(|name| name == "ES256"),
            "{algorithms:?}"
        );
    }
}

#[test]
fn p02_a_mac_keyed_with_a_public_key_is_refused() {
    let spki = signer().spki();
    let pem = pem_of(&spki);
    let canonical = signer().jwk().to_canonical_json();
    for secret in [spki.as_slice(), pem.as_bytes(), canonical.as_bytes()] {
        for alg in ["HS256", "ES256"] {
            let header = json!({"alg": alg, "nonce": NONCE, "url": URL, "kid": KID});
            let input = SigningInput::new(&header, b"{}").unwrap();
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let tag = hmac::sign(&key, input.as_bytes());
            let verified = FlattenedJws::parse(&body(&input.with_signature(tag.as_ref())))
                .and_then(|jws| jws.verify(&signer().verifying()));
            assert!(verified.is_err(), "{alg}");
        }
    }
}

fn pem_of(spki: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(spki);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

#[rstest]
#[case(json!({"jwk": jwk_json()}), JwsError::TwoKeys)]
#[case(json!({"kid": "absent"}), JwsError::NoKey)]
#[case(json!({"crit": ["exp"], "exp": 1}), JwsError::Critical)]
#[case(json!({"crit": []}), JwsError::Critical)]
#[case(json!({"crit": null}), JwsError::Critical)]
#[case(json!({"b64": false}), JwsError::UnencodedPayload)]
#[case(json!({"b64": false, "crit": ["b64"]}), JwsError::Critical)]
#[case(json!({"nonce": "absent"}), JwsError::NonceMissing)]
#[case(json!({"nonce": ""}), JwsError::NonceMissing)]
#[case(json!({"alg": "absent"}), JwsError::AlgorithmMissing)]
#[case(json!({"url": "absent"}), JwsError::UrlMissing)]
#[case(json!({"url": ""}), JwsError::UrlMissing)]
fn p03_a_header_that_breaks_a_rule_is_refused(#[case] changes: Value, #[case] expected: JwsError) {
    let error = FlattenedJws::parse(&request(changes)).unwrap_err();
    assert_eq!(error, expected);
    assert!((400..=403).contains(&error.problem().http_status()));
}

#[rstest]
#[case(json!({"nonce": "bm9uY2U="}))]
#[case(json!({"nonce": "bm9uY2V"}))]
#[case(json!({"nonce": "no nonce"}))]
#[case(json!({"nonce": 7}))]
#[case(json!({"nonce": null}))]
#[case(json!({"kid": null}))]
#[case(json!({"kid": [KID]}))]
#[case(json!({"jwk": null}))]
#[case(json!({"jwk": "key", "kid": "absent"}))]
#[case(json!({"jwk": ["EC", "P-256"], "kid": "absent"}))]
#[case(json!({"alg": 1}))]
#[case(json!({"alg": ["ES256"]}))]
#[case(json!({"url": [URL]}))]
fn p03_a_header_member_of_the_wrong_form_is_malformed(#[case] changes: Value) {
    let error = FlattenedJws::parse(&request(changes)).unwrap_err();
    assert_eq!(error.problem().kind, ProblemType::Malformed, "{error}");
}

#[test]
fn p03_only_the_three_members_of_a_single_signature_are_read() {
    let good: Value = serde_json::from_slice(&request(json!({}))).unwrap();
    let mut cases = vec![
        json!([good]),
        json!([good["protected"], good["payload"], good["signature"]]),
        json!("jws"),
        json!({}),
    ];
    for (name, value) in [
        ("header", json!({"alg": "ES256"})),
        ("header", json!({})),
        ("header", Value::Null),
        (
            "signatures",
            json!([{"protected": good["protected"], "signature": good["signature"]}]),
        ),
        ("signatures", json!([])),
        ("extra", json!(1)),
    ] {
        let mut case = good.clone();
        case[name] = value;
        cases.push(case);
    }
    for name in ["protected", "payload", "signature"] {
        let mut case = good.clone();
        case.as_object_mut().unwrap().remove(name);
        cases.push(case);
        let mut case = good.clone();
        case[name] = Value::Null;
        cases.push(case);
    }
    for case in cases {
        let error = FlattenedJws::parse(case.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.problem().kind, ProblemType::Malformed, "{case}");
    }
}

#[test]
fn p03_a_compact_jws_is_malformed() {
    let jws = signer().jws(&Header::with_kid(Algorithm::Es256, KID, NONCE, URL), b"{}");
    let compact = format!("{}.{}.{}", jws.protected, jws.payload, jws.signature);
    assert!(FlattenedJws::parse(compact.as_bytes()).is_err());
}

#[test]
fn p03_padding_in_any_part_is_refused() {
    let good = signer().jws(&Header::with_kid(Algorithm::Es256, KID, NONCE, URL), b"{}");
    let pad = |text: &str| format!("{text}=");
    for (part, jws) in [
        (
            "protected header",
            FlattenedJws {
                protected: pad(&good.protected),
                ..good.clone()
            },
        ),
        (
            "payload",
            FlattenedJws {
                payload: pad(&good.payload),
                ..good.clone()
            },
        ),
        (
            "signature",
            FlattenedJws {
                signature: pad(&good.signature),
                ..good.clone()
            },
        ),
    ] {
        let error = FlattenedJws::parse(&body(&jws)).unwrap_err();
        assert!(matches!(error, JwsError::Encoding { part: found, .. } if found == part));
    }
}

#[rstest]
#[case(r#"{"alg":"ES256","alg":"ES256","nonce":"bm9uY2U","url":"u","kid":"k"}"#)]
#[case(r#"{"alg":"ES256","nonce":"bm9uY2U","url":"u","url":"v","kid":"k"}"#)]
#[case(r#"{"alg":"ES256","nonce":"bm9uY2U","url":"u","kid":"k","\u006bid":"k"}"#)]
#[case(r#"{"alg":"ES256","nonce":"bm9uY2U","url":"u","kid":"k","x":{"y":1,"y":2}}"#)]
fn p03_a_header_member_given_twice_is_refused(#[case] header: &str) {
    let jws = FlattenedJws {
        protected: encode(header),
        payload: String::new(),
        signature: String::new(),
    };
    let error = FlattenedJws::parse(&body(&jws)).unwrap_err();
    assert_eq!(error.problem().kind, ProblemType::Malformed);
    assert!(error.to_string().contains("twice"), "{error}");
}

#[test]
fn p03_a_body_member_given_twice_is_refused() {
    let body = r#"{"protected":"e30","protected":"e30","payload":"","signature":""}"#;
    let error = FlattenedJws::parse(body.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("twice"), "{error}");
}

#[rstest]
#[case("https://ca.example/acme/default/new-orde")]
#[case("https://ca.example/acme/default/new-order/")]
#[case("https://ca.example/acme/default/New-order")]
#[case("https://ca.example/acme/default/new-order?")]
#[case("https://ca.example:443/acme/default/new-order")]
#[case("https://www.ca.example/acme/default/new-order")]
#[case("HTTPS://ca.example/acme/default/new-order")]
fn p04_a_request_signed_for_another_url_is_unauthorized(#[case] requested: &str) {
    let jws = FlattenedJws::parse(&request(json!({}))).unwrap();
    assert_eq!(jws.check_url(URL), Ok(()));
    let problem = jws.check_url(requested).unwrap_err().problem();
    assert_eq!(problem.kind, ProblemType::Unauthorized);
    assert_eq!(problem.status, Some(403));
}

#[test]
fn a_signature_of_another_key_is_refused() {
    let other = Signer::ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let jws = FlattenedJws::parse(&request(json!({}))).unwrap();
    assert_eq!(
        jws.verify(&other.verifying()).unwrap_err(),
        JwsError::Signature
    );
}

#[test]
fn a_key_other_than_the_one_in_the_header_is_refused() {
    let other = Signer::ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let header = json!({"alg": "ES256", "nonce": NONCE, "url": URL, "jwk": jwk_json()});
    let jws = FlattenedJws::parse(&body(&other.jws(&header, b"{}"))).unwrap();
    assert_eq!(
        jws.verify(&other.verifying()).unwrap_err(),
        JwsError::Signature
    );
}

#[rstest]
#[case(vec![])]
#[case(vec![0; 64])]
#[case(vec![0; 63])]
#[case(vec![0; 65])]
#[case([vec![0; 31], vec![1], vec![0; 31], vec![1]].concat())]
#[case(vec![0xff; 64])]
fn an_ecdsa_signature_of_special_numbers_is_refused(#[case] signature: Vec<u8>) {
    let header = Header::with_kid(Algorithm::Es256, KID, NONCE, URL);
    let input = SigningInput::new(&header, b"{}").unwrap();
    let jws = FlattenedJws::parse(&body(&input.with_signature(&signature))).unwrap();
    assert_eq!(
        jws.verify(&signer().verifying()).unwrap_err(),
        JwsError::Signature
    );
}

#[test]
fn an_ecdsa_signature_in_der_is_refused() {
    let key =
        EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let verifying = VerifyingKey::new(Jwk::from_spki_der(der.as_ref()).unwrap()).unwrap();
    let header = Header::with_kid(Algorithm::Es256, KID, NONCE, URL);
    let input = SigningInput::new(&header, b"{}").unwrap();
    let signature = key.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
    let jws = FlattenedJws::parse(&body(&input.with_signature(signature.as_ref()))).unwrap();
    assert_eq!(jws.verify(&verifying).unwrap_err(), JwsError::Signature);
}

#[test]
fn n06_an_oversized_body_is_malformed() {
    let error = FlattenedJws::parse(&vec![b' '; 50_001]).unwrap_err();
    assert_eq!(error.problem().kind, ProblemType::Malformed);
}

proptest! {
    #[test]
    fn n07_no_octets_make_the_reader_panic(octets: Vec<u8>) {
        let _ = FlattenedJws::parse(&octets);
    }

    #[test]
    fn n07_no_header_makes_the_reader_panic(header in ".{0,64}", payload: Vec<u8>) {
        let jws = FlattenedJws {
            protected: encode(header),
            payload: encode(payload),
            signature: String::new(),
        };
        prop_assert!(jws.into_request().is_err());
    }

    #[test]
    fn a_request_changed_in_one_character_does_not_verify(position in 0_usize..2000, to in "[A-Za-z0-9_-]") {
        let good = request(json!({"kid": "absent", "jwk": jwk_json()}));
        let mut text = String::from_utf8(good.clone()).unwrap();
        let position = position % text.len();
        text.replace_range(position..=position, &to);
        prop_assume!(text.as_bytes() != good);
        let verified = FlattenedJws::parse(text.as_bytes())
            .and_then(|jws| jws.verify(&signer().verifying()));
        prop_assert!(verified.is_err());
    }
}
