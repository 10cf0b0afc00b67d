//! A public key made ready for verification, once per account rather than once per request.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::ParsedPublicKey;

use super::super::jwk::{Jwk, JwkError, Material, Thumbprint};
use super::Algorithm;

/// A parsed key with its JWK and thumbprint; cloning shares it.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Inner>);

struct Inner {
    jwk: Jwk,
    thumbprint: Thumbprint,
    algorithm: Algorithm,
    parsed: ParsedPublicKey,
}

impl VerifyingKey {
    /// Parses the key; a point off its curve or an impossible modulus is refused here.
    pub fn new(jwk: Jwk) -> Result<Self, JwkError> {
        let kind = jwk.kind();
        let algorithm = Algorithm::of(kind);
        let parse = |octets: &[u8]| ParsedPublicKey::new(algorithm.verification(), octets);
        let parsed = match &jwk.0 {
            Material::Ec { point, .. } => parse(point),
            Material::Rsa { .. } => parse(&jwk.to_spki_der()),
            Material::Ed25519(key) => parse(key),
        };
        Ok(Self(Arc::new(Inner {
            thumbprint: jwk.thumbprint(),
            parsed: parsed.map_err(|_| JwkError::Invalid(kind))?,
            algorithm,
            jwk,
        })))
    }

    /// The key itself.
    pub fn jwk(&self) -> &Jwk {
        &self.0.jwk
    }

    /// The key's thumbprint.
    pub fn thumbprint(&self) -> Thumbprint {
        self.0.thumbprint
    }

    /// The only algorithm this key verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    pub(super) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.parsed.verify_sig(message, signature).is_ok()
    }
}

impl TryFrom<Jwk> for VerifyingKey {
    type Error = JwkError;

    fn try_from(jwk: Jwk) -> Result<Self, JwkError> {
        Self::new(jwk)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "VerifyingKey({}, {})",
            self.0.jwk.kind(),
            self.0.thumbprint
        )
    }
}
