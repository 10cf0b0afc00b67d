//! How a message is protected, RFC 9810 section 5.1.3.

use pki::asn1::DerError;
use pki::key::{SignatureAlgorithm, UnknownSignatureAlgorithm};

use super::{FailInfo, MacParameters};

/// The kind of protection that a header names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// None at all
    None,
    /// A MAC with a shared secret
    Mac(MacParameters),
    /// A signature
    Signature(SignatureAlgorithm),
}

/// Why protection is not accepted, before anyone's secret is looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtectionError {
    /// Not DER, or not of the structure.
    #[error("the protection is malformed: {0}")]
    Der(#[from] DerError),
    /// An algorithm that is not used here.
    #[error("the protection uses the algorithm {0}, which is not accepted")]
    Algorithm(String),
    /// The same for signatures.
    #[error(transparent)]
    Signature(#[from] UnknownSignatureAlgorithm),
    /// A salt that is too short or too long.
    #[error("the protection's salt has {0} octets; 8 to 128 are accepted")]
    Salt(usize),
    /// Fewer iterations than are safe, or more than anyone waits for.
    #[error("the protection wants {0} iterations; 100 to 100000 are accepted")]
    Iterations(u32),
    /// A derived key that is too short or too long.
    #[error("the protection wants a key of {0} octets; 16 to 128 are accepted")]
    KeyLength(usize),
    /// An algorithm without protection, or the other way round.
    #[error("the message names a protection and has none, or has one and does not name it")]
    Half,
}

impl ProtectionError {
    pub(super) fn algorithm(kind: &[u8]) -> Self {
        Self::Algorithm(pki::oid::to_text(kind).unwrap_or_else(|| "(malformed)".to_owned()))
    }

    /// The failure that the other side is told.
    pub fn fail_info(&self) -> FailInfo {
        match self {
            Self::Der(_) => FailInfo::BadDataFormat,
            Self::Half => FailInfo::BadMessageCheck,
            Self::Algorithm(_)
            | Self::Signature(_)
            | Self::Salt(_)
            | Self::Iterations(_)
            | Self::KeyLength(_) => FailInfo::BadAlg,
        }
    }
}

impl Protection {
    /// Reads the AlgorithmIdentifier of a header.
    pub fn read(algorithm: Option<&[u8]>) -> Result<Self, ProtectionError> {
        let Some(der) = algorithm else {
            return Ok(Self::None);
        };
        match MacParameters::from_der(der)? {
            Some(parameters) => Ok(Self::Mac(parameters)),
            None => Ok(Self::Signature(SignatureAlgorithm::from_der(der)?)),
        }
    }
}
