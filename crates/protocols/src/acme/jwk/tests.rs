use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::acme::jws::VerifyingKey;

/// RFC 7638 section 3.1.
const RSA_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn parse(value: &Value) -> Result<Jwk, JwkError> {
    Jwk::parse(value.to_string().as_bytes())
}

fn p256() -> Value {
    // RFC 7517 appendix A.1.
    json!({
        "kty": "EC", "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    })
}

fn ed25519() -> Value {
    // RFC 8037 appendix A.2.
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

fn with(mut key: Value, member: &str, value: impl Into<Value>) -> Value {
    key[member] = value.into();
    key
}

fn without(mut key: Value, member: &str) -> Value {
    key.as_object_mut().unwrap().remove(member);
    key
}

#[rstest]
#[case(json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}),
    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")]
#[case(ed25519(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
fn thumbprints_are_those_of_the_texts(#[case] key: Value, #[case] thumbprint: &str) {
    let jwk = parse(&key).unwrap();
    assert_eq!(jwk.thumbprint().to_string(), thumbprint);
    assert_eq!(thumbprint.parse(), Ok(jwk.thumbprint()));
}

#[test]
fn a_key_survives_every_spelling() {
    for key in [
        p256(),
        ed25519(),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB"}),
    ] {
        let jwk = parse(&key).unwrap();
        assert_eq!(
            Jwk::parse(jwk.to_canonical_json().as_bytes()),
            Ok(jwk.clone())
        );
        assert_eq!(Jwk::from_spki_der(&jwk.to_spki_der()), Ok(jwk.clone()));
        assert_eq!(serde_json::to_value(&jwk).unwrap(), key);
        assert_eq!(serde_json::from_value::<Jwk>(key).unwrap(), jwk);
    }
}

#[test]
fn spki_is_what_the_cryptographic_library_writes() {
    for algorithm in [
        &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
    ] {
        let key = EcdsaKeyPair::generate(algorithm).unwrap();
        let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let jwk = Jwk::from_spki_der(der.as_ref()).unwrap();
        assert_eq!(jwk.to_spki_der(), der.as_ref());
        assert!(VerifyingKey::new(jwk).is_ok());
    }
    let key = Ed25519KeyPair::generate().unwrap();
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    assert_eq!(
        Jwk::from_spki_der(der.as_ref()).unwrap().to_spki_der(),
        der.as_ref()
    );
}

#[rstest]
#[case(json!({"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}))]
#[case(with(p256(), "d", "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"))]
#[case(with(p256(), "d", Value::Null))]
#[case(with(json!({"kty": "RSA", "n": RSA_N, "e": "AQAB"}), "qi", "AQ"))]
#[case(with(p256(), "k", "AQ"))]
#[case(with(p256(), "crv", "secp256k1"))]
#[case(with(p256(), "crv", "P-384"))]
#[case(with(p256(), "crv", "Ed25519"))]
#[case(with(p256(), "x", "AAAwoEJM0hwpRIOKLXXJKzfnbqINnwCJOjtO7oo8Cq_sPg"))]
#[case(with(p256(), "x", "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4="))]
#[case(with(p256(), "use", "enc"))]
#[case(with(p256(), "kty", "ec"))]
#[case(without(p256(), "y"))]
#[case(without(p256(), "kty"))]
#[case(with(ed25519(), "crv", "Ed448"))]
#[case(with(ed25519(), "crv", "X25519"))]
#[case(with(ed25519(), "x", "AQ"))]
#[case(json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AQ"}))]
fn p01_a_key_outside_the_table_is_bad_public_key(#[case] key: Value) {
    let problem = parse(&key).unwrap_err().problem();
    assert_eq!(problem.kind, ProblemType::BadPublicKey, "{problem}");
}

fn rsa_key(bits: usize, last: u8, exponent: &[u8]) -> Result<Jwk, JwkError> {
    let mut modulus = vec![0; bits.div_ceil(8)];
    modulus[0] = 1 << ((bits - 1) % 8);
    *modulus.last_mut().unwrap() |= last;
    parse(&json!({
        "kty": "RSA",
        "n": base64url::encode(modulus),
        "e": base64url::encode(exponent),
    }))
}

#[rstest]
#[case(2047, 1, &[1, 0, 1], JwkError::RsaSize { bits: 2047 })]
#[case(4097, 1, &[1, 0, 1], JwkError::RsaSize { bits: 4097 })]
#[case(2048, 0, &[1, 0, 1], JwkError::RsaEvenModulus)]
#[case(2048, 1, &[3], JwkError::RsaExponent)]
#[case(2048, 1, &[1, 0, 0], JwkError::RsaExponent)]
#[case(2048, 1, &[1, 0, 0, 0, 1], JwkError::RsaExponent)]
fn a_weak_or_costly_rsa_key_is_refused(
    #[case] bits: usize,
    #[case] last: u8,
    #[case] exponent: &[u8],
    #[case] expected: JwkError,
) {
    assert_eq!(rsa_key(bits, last, exponent), Err(expected));
}

#[test]
fn rsa_sizes_at_the_limits_are_accepted() {
    for bits in [2048, 3072, 4096] {
        assert_eq!(
            rsa_key(bits, 1, &[1, 0, 1]).unwrap().kind(),
            KeyKind::Rsa { bits }
        );
    }
}

#[test]
fn a_leading_zero_would_give_a_key_two_thumbprints() {
    let refused = rsa_key(2048, 1, &[0, 1, 0, 1]).unwrap_err();
    assert!(matches!(refused, JwkError::Member { member: "e", .. }));
}

#[test]
fn i03_a_modulus_with_a_small_factor_is_bad_public_key() {
    // 2^2047 + 1 is divisible by 3.
    let jwk = rsa_key(2048, 1, &[1, 0, 1]).unwrap();
    let error = jwk.check_strength().unwrap_err();
    assert_eq!(error, JwkError::Weak(WeakKey::SmallFactor(3)));
    assert_eq!(error.problem().kind, ProblemType::BadPublicKey);
    let sound = json!({"kty": "RSA", "n": RSA_N, "e": "AQAB"});
    assert_eq!(parse(&sound).unwrap().check_strength(), Ok(()));
}

#[rstest]
#[case(&[0; 32], &[0; 32])]
#[case(&[1; 32], &[1; 32])]
#[case(&[0xff; 32], &[0xff; 32])]
fn i03_a_point_off_its_curve_is_refused(#[case] x: &[u8], #[case] y: &[u8]) {
    let key = with(p256(), "x", base64url::encode(x));
    let jwk = parse(&with(key, "y", base64url::encode(y))).unwrap();
    let error = VerifyingKey::new(jwk).unwrap_err();
    assert_eq!(error, JwkError::Invalid(KeyKind::Ec(Curve::P256)));
}

#[test]
fn an_ec_key_of_a_certificate_with_a_foreign_curve_is_refused() {
    let key = EcdsaKeyPair::generate(&signature::ECDSA_P256K1_SHA256_ASN1_SIGNING).unwrap();
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    assert!(matches!(
        Jwk::from_spki_der(der.as_ref()),
        Err(SpkiError::Algorithm(_))
    ));
}

proptest! {
    #[test]
    fn n07_no_octets_make_the_readers_panic(octets: Vec<u8>) {
        let _ = Jwk::parse(&octets);
        let _ = Jwk::from_spki_der(&octets);
    }

    #[test]
    fn n07_any_members_are_read_or_refused(
        kty in "EC|RSA|OKP|oct|.{0,4}",
        crv in "P-256|P-384|P-521|Ed25519|.{0,4}",
        x in "[A-Za-z0-9_-]{0,90}",
        n in "[A-Za-z0-9_-]{340,344}",
    ) {
        let key = json!({"kty": kty, "crv": crv, "x": x, "y": x, "n": n, "e": "AQAB"});
        if let Ok(jwk) = parse(&key) {
            prop_assert_eq!(Jwk::parse(jwk.to_canonical_json().as_bytes()), Ok(jwk.clone()));
            let _ = VerifyingKey::new(jwk);
        }
    }

    #[test]
    fn n07_a_damaged_spki_is_read_or_refused(position in 0_usize..91, value: u8) {
        let mut der = parse(&p256()).unwrap().to_spki_der();
        der[position] = value;
        if let Ok(jwk) = Jwk::from_spki_der(&der) {
            prop_assert_eq!(jwk.to_spki_der(), der);
        }
    }
}
