//! The port behind which private keys sit.

use super::{PublicKey, SignatureAlgorithm};

/// A private key that signs. It may be in memory, in a hardware module or in another process; no
/// private octet passes this trait.
pub trait SigningKey: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// What [`Self::sign`] signs with.
    fn signature_algorithm(&self) -> SignatureAlgorithm;

    /// Signs a message (not its digest). ECDSA signatures are DER, as X.509 wants them.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;
}

/// Why a key cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A key that is malformed, inconsistent or of forbidden size.
    #[error("the private key is malformed, or its parts do not fit together")]
    Malformed,
    /// A form or algorithm that is not supported.
    #[error("the private key is not supported: {0}")]
    Unsupported(String),
    /// The provider refused a sound request.
    #[error("the cryptographic provider could not {0}")]
    Provider(&'static str),
    /// A hardware module or a signing process could not be reached, or refused.
    #[error("the signing device refused")]
    Device(#[source] Box<dyn std::error::Error + Send + Sync>),
}
