//! External account binding (RFC 8555 section 7.3.4): a new account vouched for by a key handed out before.
//!
//! The caller parses the binding, looks the MAC key up by [`Binding::kid`], and then verifies.

use super::jwk::{Jwk, JwkError};
use super::jws::{
    FlattenedJws, Header, JwsError, MacAlgorithm, MacKey, SigningInput, UnverifiedMac,
};
use super::problem::{Problem, ProblemType};

/// Why a binding is refused. No account may be created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EabError {
    /// The JWS is not of the prescribed form, or its MAC does not verify.
    #[error("external account binding: {0}")]
    Jws(#[from] JwsError),
    /// The binding is made for another resource than the request around it.
    #[error("external account binding: its `url` is not the URL of the request around it")]
    Url,
    /// The payload is not a key.
    #[error("external account binding: its payload is not the account's key: {0}")]
    Payload(JwkError),
    /// The payload is another key.
    #[error("external account binding: its payload is not the key that signed the request")]
    OtherKey,
}

impl EabError {
    /// The problem document for this refusal.
    pub fn problem(&self) -> Problem {
        let kind = match self {
            Self::Jws(error) => error.problem().kind,
            Self::Url | Self::OtherKey => ProblemType::Unauthorized,
            Self::Payload(_) => ProblemType::Malformed,
        };
        Problem::new(kind, self.to_string())
    }
}

/// A binding whose MAC has not been checked.
#[derive(Debug)]
pub struct Binding(UnverifiedMac);

impl Binding {
    /// Reads the header: a MAC algorithm, `kid` and `url`, no nonce.
    pub fn parse(jws: &FlattenedJws) -> Result<Self, EabError> {
        Ok(Self(jws.clone().into_mac()?))
    }

    /// The name of the MAC key.
    pub fn kid(&self) -> &str {
        self.0.kid()
    }

    /// Checks that the MAC key's holder vouches for this account key at this URL.
    pub fn verify(&self, account_key: &Jwk, outer_url: &str, key: &MacKey) -> Result<(), EabError> {
        if self.0.url() != outer_url {
            return Err(EabError::Url);
        }
        let payload = self.0.verify_hmac(key)?;
        match Jwk::parse(payload).map_err(EabError::Payload)? {
            vouched if vouched == *account_key => Ok(()),
            _ => Err(EabError::OtherKey),
        }
    }
}

/// Reads and checks a binding in one go, for a caller that knows the MAC key beforehand.
pub fn verify(
    jws: &FlattenedJws,
    account_key: &Jwk,
    outer_url: &str,
    key: &MacKey,
) -> Result<(), EabError> {
    Binding::parse(jws)?.verify(account_key, outer_url, key)
}

/// Makes a binding: the client's side.
pub fn bind(
    algorithm: MacAlgorithm,
    kid: &str,
    key: &MacKey,
    account_key: &Jwk,
    url: &str,
) -> serde_json::Result<FlattenedJws> {
    let header = Header::with_mac(algorithm, kid, url);
    let payload = account_key.to_canonical_json();
    Ok(SigningInput::new(&header, payload.as_bytes())?.with_mac(algorithm, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    const URL: &str = "https://ca.example/acme/default/new-account";

    fn jwk(last: u8) -> Jwk {
        let mut x = [7; 32];
        x[31] = last;
        let x = super::super::base64url::encode(x);
        serde_json::from_value(json!({"kty": "OKP", "crv": "Ed25519", "x": x})).unwrap()
    }

    fn key(first: u8) -> MacKey {
        MacKey::new([[first].as_slice(), &[9; 31]].concat()).unwrap()
    }

    #[test]
    fn a_binding_under_every_mac_is_verified() {
        for algorithm in [
            MacAlgorithm::Hs256,
            MacAlgorithm::Hs384,
            MacAlgorithm::Hs512,
        ] {
            let jws = bind(algorithm, "kid-1", &key(1), &jwk(1), URL).unwrap();
            let binding = Binding::parse(&jws).unwrap();
            assert_eq!(binding.kid(), "kid-1");
            assert_eq!(binding.verify(&jwk(1), URL, &key(1)), Ok(()));
        }
    }

    #[test]
    fn p09_wrong_mac_url_or_key_is_refused() {
        let jws = bind(MacAlgorithm::Hs256, "kid-1", &key(1), &jwk(1), URL).unwrap();
        let mac = verify(&jws, &jwk(1), URL, &key(2)).unwrap_err();
        assert_eq!(mac, EabError::Jws(JwsError::Mac(MacAlgorithm::Hs256)));
        assert_eq!(mac.problem().kind, ProblemType::Unauthorized);
        let elsewhere = "https://ca.example/acme/other/new-account";
        assert_eq!(
            verify(&jws, &jwk(1), elsewhere, &key(1)),
            Err(EabError::Url)
        );
        assert_eq!(verify(&jws, &jwk(2), URL, &key(1)), Err(EabError::OtherKey));
    }

    #[test]
    fn p09_a_shortened_mac_is_refused() {
        let mut jws = bind(MacAlgorithm::Hs256, "kid-1", &key(1), &jwk(1), URL).unwrap();
        jws.signature.truncate(22);
        jws.signature.replace_range(20.., "AA");
        assert!(verify(&jws, &jwk(1), URL, &key(1)).is_err());
        jws.signature.clear();
        assert!(verify(&jws, &jwk(1), URL, &key(1)).is_err());
    }

    #[rstest]
    #[case(json!({"alg": "RS256"}))]
    #[case(json!({"alg": "ES256"}))]
    #[case(json!({"alg": "none"}))]
    #[case(json!({"alg": "HS256", "nonce": "bm9uY2U"}))]
    #[case(json!({"alg": "HS256", "kid": null}))]
    #[case(json!({"alg": "HS256", "url": null}))]
    #[case(json!({"alg": "HS256", "jwk": {"kty": "oct", "k": "AA"}}))]
    #[case(json!({"alg": "HS256", "crit": ["x"]}))]
    fn p09_a_header_of_the_wrong_form_is_refused(#[case] changes: Value) {
        let mut header = json!({"kid": "kid-1", "url": URL});
        for (name, value) in changes.as_object().unwrap() {
            header[name] = value.clone();
        }
        let input = SigningInput::new(&header, jwk(1).to_canonical_json().as_bytes()).unwrap();
        let jws = input.with_mac(MacAlgorithm::Hs256, &key(1));
        assert!(verify(&jws, &jwk(1), URL, &key(1)).is_err());
    }

    #[test]
    fn p09_a_payload_that_is_no_key_is_malformed() {
        let header = Header::with_mac(MacAlgorithm::Hs256, "kid-1", URL);
        let input = SigningInput::new(&header, b"[]").unwrap();
        let jws = input.with_mac(MacAlgorithm::Hs256, &key(1));
        let error = verify(&jws, &jwk(1), URL, &key(1)).unwrap_err();
        assert_eq!(error.problem().kind, ProblemType::Malformed);
    }

    #[test]
    fn a_short_mac_key_is_refused_and_no_mac_key_is_shown() {
        assert!(MacKey::new(vec![1; 31]).is_err());
        assert!(MacKey::from_base64url("AQ==").is_err());
        assert_eq!(format!("{:?}", key(1)), "MacKey(redacted)");
    }
}
