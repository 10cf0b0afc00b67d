//! Changing an account's key (RFC 8555 section 7.3.5): a JWS by the new key inside one by the old key.

use serde::{Deserialize, Serialize};

use super::json::{self, JsonError, Limits};
use super::jwk::{Jwk, JwkError, Thumbprint};
use super::jws::{FlattenedJws, JwsError, KeyReference, VerifiedJws, VerifyingKey};
use super::problem::{Problem, ProblemType};

/// What the new key signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyChange {
    /// The account's URL.
    pub account: String,
    /// The key to be replaced.
    pub old_key: Jwk,
}

/// Why a key change is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyChangeError {
    /// The request itself does not name an account.
    #[error("key change: the request must be signed with `kid`")]
    OuterKey,
    /// The inner JWS is not of the prescribed form, or its signature does not verify.
    #[error("key change, inner JWS: {0}")]
    Jws(#[from] JwsError),
    /// The new key is refused.
    #[error("key change, new key: {0}")]
    NewKey(#[from] JwkError),
    /// The inner payload is not a key change.
    #[error("key change, inner payload: {0}")]
    Payload(#[from] JsonError),
    /// The inner JWS is made for another URL.
    #[error("key change: the inner `url` is not the URL of the request")]
    Url,
    /// The inner payload names another account.
    #[error("key change: the inner `account` is not the account that signed the request")]
    Account,
    /// The inner payload names another old key.
    #[error("key change: `oldKey` is not the account's key")]
    OldKey,
}

impl KeyChangeError {
    /// The problem document for this refusal.
    pub fn problem(&self) -> Problem {
        let inner = match self {
            Self::Jws(error) => error.problem(),
            Self::NewKey(error) => error.problem(),
            Self::OuterKey | Self::Payload(_) | Self::Url | Self::Account | Self::OldKey => {
                Problem::new(ProblemType::Malformed, "")
            }
        };
        Problem {
            detail: self.to_string(),
            ..inner
        }
    }
}

/// The checks of RFC 8555 section 7.3.5 but the first, which made `outer`, and the last, whether another
/// account has the new key, which needs the store. Gives the new key.
pub fn verify(
    outer: &VerifiedJws,
    account_key: &Thumbprint,
) -> Result<VerifyingKey, KeyChangeError> {
    let KeyReference::Kid(account) = outer.key() else {
        return Err(KeyChangeError::OuterKey);
    };
    let inner = FlattenedJws::read(outer.payload(), Limits::ACME)?.into_key_change()?;
    let KeyReference::Jwk(new_key) = &inner.key else {
        return Err(JwsError::JwkNeeded.into());
    };
    let new_key = VerifyingKey::new(new_key.clone())?;
    inner.verify(&new_key)?;
    new_key.jwk().check_strength()?;
    let change: KeyChange = json::read(&inner.payload)?;
    if inner.url != outer.url() {
        return Err(KeyChangeError::Url);
    }
    if change.account != *account {
        return Err(KeyChangeError::Account);
    }
    if change.old_key.thumbprint() != *account_key {
        return Err(KeyChangeError::OldKey);
    }
    Ok(new_key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acme::jws::{Header, SigningInput};
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use rstest::rstest;
    use serde_json::{Value, json};

    const URL: &str = "https://ca.example/acme/default/key-change";
    const KID: &str = "https://ca.example/acme/default/account/acc_1";

    struct Keys {
        old: Ed25519KeyPair,
        new: Ed25519KeyPair,
    }

    fn jwk(key: &Ed25519KeyPair) -> Jwk {
        let x = super::super::base64url::encode(key.public_key());
        serde_json::from_value(json!({"kty": "OKP", "crv": "Ed25519", "x": x})).unwrap()
    }

    fn sign(key: &Ed25519KeyPair, header: &impl Serialize, payload: &[u8]) -> FlattenedJws {
        let input = SigningInput::new(header, payload).unwrap();
        let signature = key.sign(input.as_bytes());
        input.with_signature(signature.as_ref())
    }

    impl Keys {
        fn new() -> Self {
            let generate = || Ed25519KeyPair::generate().unwrap();
            Self {
                old: generate(),
                new: generate(),
            }
        }

        fn outer(&self, inner: &FlattenedJws) -> VerifiedJws {
            let header = json!({"alg": "EdDSA", "kid": KID, "nonce": "bm9uY2U", "url": URL});
            let payload = serde_json::to_vec(inner).unwrap();
            let body = serde_json::to_vec(&sign(&self.old, &header, &payload)).unwrap();
            let key = VerifyingKey::new(jwk(&self.old)).unwrap();
            FlattenedJws::parse(&body).unwrap().verify(&key).unwrap()
        }

        /// What becomes of an inner JWS that differs from a good one by these members.
        fn change(&self, header: Value, payload: Value) -> Result<VerifyingKey, KeyChangeError> {
            let mut inner = json!({"alg": "EdDSA", "jwk": jwk(&self.new), "url": URL});
            let mut body = json!({"account": KID, "oldKey": jwk(&self.old)});
            for (target, changes) in [(&mut inner, header), (&mut body, payload)] {
                for (name, value) in changes.as_object().unwrap() {
                    target[name] = value.clone();
                }
            }
            let inner = sign(&self.new, &inner, body.to_string().as_bytes());
            verify(&self.outer(&inner), &jwk(&self.old).thumbprint())
        }
    }

    #[test]
    fn p10_the_new_key_is_given_when_both_keys_agree() {
        let keys = Keys::new();
        let new = keys.change(json!({}), json!({})).unwrap();
        assert_eq!(new.jwk(), &jwk(&keys.new));
    }

    #[rstest]
    #[case(json!({"url": "https://ca.example/acme/default/new-order"}), json!({}), KeyChangeError::Url)]
    #[case(json!({"nonce": "bm9uY2U"}), json!({}), KeyChangeError::Jws(JwsError::InnerNonce))]
    #[case(json!({"kid": KID}), json!({}), KeyChangeError::Jws(JwsError::TwoKeys))]
    #[case(json!({"crit": ["x"]}), json!({}), KeyChangeError::Jws(JwsError::Critical))]
    #[case(json!({}), json!({"account": "https://ca.example/acme/default/account/acc_2"}), KeyChangeError::Account)]
    fn p10_an_inner_jws_that_does_not_match_is_refused(
        #[case] header: Value,
        #[case] payload: Value,
        #[case] expected: KeyChangeError,
    ) {
        assert_eq!(Keys::new().change(header, payload).unwrap_err(), expected);
    }

    #[test]
    fn p10_another_old_key_is_refused() {
        let keys = Keys::new();
        let payload = json!({"oldKey": jwk(&keys.new)});
        assert_eq!(
            keys.change(json!({}), payload).unwrap_err(),
            KeyChangeError::OldKey
        );
        let error = keys
            .change(json!({}), json!({"oldKey": "key"}))
            .unwrap_err();
        assert_eq!(error.problem().kind, ProblemType::Malformed);
    }

    #[test]
    fn p10_an_inner_jws_not_signed_by_the_new_key_is_refused() {
        let keys = Keys::new();
        let header = json!({"alg": "EdDSA", "jwk": jwk(&keys.new), "url": URL});
        let body = json!({"account": KID, "oldKey": jwk(&keys.old)});
        let inner = sign(&keys.old, &header, body.to_string().as_bytes());
        let error = verify(&keys.outer(&inner), &jwk(&keys.old).thumbprint()).unwrap_err();
        assert_eq!(error, KeyChangeError::Jws(JwsError::Signature));
    }

    #[test]
    fn p10_an_outer_request_that_holds_its_key_is_refused() {
        let keys = Keys::new();
        let old = jwk(&keys.old);
        let header = Header::with_jwk(&old, Some("bm9uY2U"), URL);
        let body = serde_json::to_vec(&sign(&keys.old, &header, b"{}")).unwrap();
        let key = VerifyingKey::new(old.clone()).unwrap();
        let outer = FlattenedJws::parse(&body).unwrap().verify(&key).unwrap();
        assert_eq!(
            verify(&outer, &old.thumbprint()).unwrap_err(),
            KeyChangeError::OuterKey
        );
    }
}
