//! Why an attestation does not hold; each text goes into the challenge's `badAttestationStatement`.

use super::AttestationFormat;
use crate::certificate::CertificateError;

/// Why an attestation does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// More octets than any attestation has.
    #[error("the attestation object is too large")]
    TooLarge,
    /// Not CBOR, or in forms that are not used here.
    #[error("the attestation object is not the CBOR that is expected: {0}")]
    Cbor(&'static str),
    /// A member that is missing or of another type.
    #[error("the attestation has no `{0}` of the right type")]
    Member(&'static str),
    /// A format that is not understood.
    #[error("attestations of the format `{0}` are not known here; use tpm, step or apple")]
    Format(String),
    /// A format that nobody trusts a maker for.
    #[error(
        "attestations of the format `{0}` are not taken here: no root of a maker is trusted for it"
    )]
    NotTaken(AttestationFormat),
    /// A certificate of the statement that cannot be read.
    #[error("the attestation's certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// A path that ends in no root.
    #[error("no trusted root of the maker is above the attestation's certificate `{0}`")]
    Untrusted(String),
    /// A path with a certificate that is over or not begun.
    #[error("the attestation's certificate `{0}` is not valid now")]
    NotValid(String),
    /// A path with a CA that may not be where it is.
    #[error("the CA `{0}` above the attestation's certificate may not issue it")]
    NotIssuer(String),
    /// A certificate with demands that are not understood.
    #[error("the attestation's certificate `{0}` has a critical extension that is not known here")]
    CriticalExtension(String),
    /// A signature that was not made over what it has to be made over.
    #[error("the attestation's signature is not valid")]
    Signature,
    /// An algorithm that is not taken.
    #[error("the attestation is signed with the COSE algorithm {0}, which is not taken")]
    Algorithm(i64),
    /// Not made for this challenge.
    #[error("the attestation was made for another challenge")]
    OtherChallenge,
    /// What a TPM says of a key cannot be read.
    #[error("what the TPM says cannot be read: {0}")]
    Tpm(&'static str),
    /// A key that can leave the device, or was made outside of it.
    #[error("the key is not one that was made in the device and stays there")]
    NotBound,
    /// An attestation certificate that is none.
    #[error("the attestation's certificate is not for attesting: {0}")]
    Purpose(&'static str),
}
