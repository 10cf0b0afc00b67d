//! Flattened JWS with ES256 (RFC 7515, RFC 7518 section 3.4) as ACME wants it (RFC 8555 section 6.2).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The provider could not make a key or a signature.
#[derive(Debug, thiserror::Error)]
#[error("the cryptographic provider failed")]
pub struct CryptoError;

/// An account's P-256 key.
pub struct AccountKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    jwk: String,
    thumbprint: String,
}

/// How the server finds the key that signed (RFC 8555 section 6.2): exactly one of the two.
pub enum KeyReference<'a> {
    /// The whole public key, for `newAccount`.
    Jwk,
    /// The account's URL, for everything else.
    Kid(&'a str),
}

impl AccountKey {
    /// A fresh key.
    pub fn generate() -> Result<Self, CryptoError> {
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| CryptoError)?;
        let point = pair.public_key().as_ref();
        let (x, y) = (point.get(1..33), point.get(33..65));
        let (Some(x), Some(y)) = (x, y) else {
            return Err(CryptoError);
        };
        // Members in lexical order, no spaces: this text is also what RFC 7638 hashes.
        let jwk = format!(
            r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
            base64url(x),
            base64url(y)
        );
        let thumbprint = base64url(digest(&SHA256, jwk.as_bytes()).as_ref());
        Ok(Self {
            pair,
            random: SystemRandom::new(),
            jwk,
            thumbprint,
        })
    }

    /// The JWK thumbprint (RFC 7638).
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The signed request body; an empty `payload` makes a POST-as-GET (RFC 8555 section 6.3).
    pub fn sign(
        &self,
        key: &KeyReference<'_>,
        nonce: &str,
        url: &str,
        payload: &str,
    ) -> Result<String, CryptoError> {
        // Nonces and URLs come from the server as header values and carry no quotes: RFC 8555 section 6.5.1
        // restricts the one to base64url, RFC 3986 the other.
        let header = match key {
            KeyReference::Jwk => format!(
                r#"{{"alg":"ES256","nonce":"{nonce}","url":"{url}","jwk":{}}}"#,
                self.jwk
            ),
            KeyReference::Kid(kid) => {
                format!(r#"{{"alg":"ES256","nonce":"{nonce}","url":"{url}","kid":"{kid}"}}"#)
            }
        };
        let mut input = base64url(header.as_bytes());
        let header_end = input.len();
        input.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut input);
        let signature = self
            .pair
            .sign(&self.random, input.as_bytes())
            .map_err(|_| CryptoError)?;
        let (protected, dotted_payload) = input.split_at(header_end);
        Ok(format!(
            r#"{{"protected":"{protected}","payload":"{}","signature":"{}"}}"#,
            dotted_payload.trim_start_matches('.'),
            base64url(signature.as_ref())
        ))
    }
}

/// Base64url without padding (RFC 7515 section 2).
pub fn base64url(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_signed_body_verifies_under_the_accounts_key() {
        let key = AccountKey::generate().unwrap();
        let reference = KeyReference::Kid("https://localhost/a/1");
        let body = key
            .sign(&reference, "bm9uY2U", "https://localhost/o", "{}")
            .unwrap();
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let part = |name: &str| body[name].as_str().unwrap().to_owned();
        let decode = |text: String| URL_SAFE_NO_PAD.decode(text).unwrap();
        let signed = format!("{}.{}", part("protected"), part("payload"));
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.pair.public_key())
            .verify(signed.as_bytes(), &decode(part("signature")))
            .unwrap();
        let header: serde_json::Value = serde_json::from_slice(&decode(part("protected"))).unwrap();
        assert_eq!(header["kid"], "https://localhost/a/1");
        assert_eq!(header["nonce"], "bm9uY2U");
        assert_eq!(decode(part("payload")), b"{}");
    }

    #[test]
    fn a_post_as_get_has_an_empty_payload() {
        let key = AccountKey::generate().unwrap();
        let body = key.sign(&KeyReference::Jwk, "bg", "https://localhost/o", "");
        assert!(body.unwrap().contains(r#""payload":"""#));
    }
}
