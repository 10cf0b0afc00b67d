//! What a device's maker says of a key in it: attestation objects of WebAuthn section 6.5, as
//! draft-ietf-acme-device-attest uses them, and bare certificate chains of security modules.
//!
//! What comes of a statement that holds is the key it is about and the names it vouches for.

mod apple;
mod cbor;
mod chain;
mod error;
mod path;
mod step;
mod tpm;
mod tpm_structure;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::certificate::Certificate;
use crate::fingerprint::Fingerprint;
use crate::key::PublicKey;
use crate::name::{GeneralName, HardwareModule, PermanentIdentifier};
use crate::time::Timestamp;

use cbor::Value;
pub use error::AttestationError;

/// The formats that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttestationFormat {
    /// A key in a TPM 2.0, certified by an attestation key
    Tpm,
    /// A key in a security key's PIV applet
    Step,
    /// Managed Device Attestation by Apple
    Apple,
    /// A key in a hardware security module, by a chain of its maker's certificates; not in ACME
    Hsm,
}

impl AttestationFormat {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Tpm, Self::Step, Self::Apple, Self::Hsm];

    /// The `fmt` of the attestation object.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tpm => "tpm",
            Self::Step => "step",
            Self::Apple => "apple",
            Self::Hsm => "hsm",
        }
    }
}

impl fmt::Display for AttestationFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no format.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no format of attestations; use tpm, step, apple or hsm")]
pub struct ParseFormatError(String);

impl FromStr for AttestationFormat {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, ParseFormatError> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| ParseFormatError(text.chars().take(32).collect()))
    }
}

/// What shows that a statement was made for this occasion.
#[derive(Clone, Copy, Debug)]
pub enum Freshness<'a> {
    /// A challenge of ACME, which the statement has to answer.
    Challenge {
        /// The key authorization (RFC 8555 section 8.1).
        key_authorization: &'a str,
        /// The token, which is all that Apple's servers see.
        token: &'a str,
    },
    /// A request that the attested key itself signed: its possession is shown there.
    SignedRequest,
}

/// A root of a maker, and the format that it is trusted for.
pub type TrustedRoot = (AttestationFormat, Certificate);

/// What a statement is held against.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// What the statement has to answer.
    pub freshness: Freshness<'a>,
    /// Roots of makers.
    pub roots: &'a [TrustedRoot],
    /// Now.
    pub now: Timestamp,
}

/// A statement that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// How it was stated.
    pub format: AttestationFormat,
    /// The key in the device, which has to be the certified one.
    pub key: PublicKey,
    /// The values of `permanent-identifier` that the maker vouches for.
    pub permanent: Vec<PermanentIdentifier>,
    /// The same for `hardware-module`.
    pub modules: Vec<HardwareModule>,
    /// The maker's root.
    pub root: Fingerprint,
    /// The root's subject.
    pub root_subject: String,
}

/// Checks an attestation object.
pub fn verify(object: &[u8], expected: &Expectation<'_>) -> Result<Attested, AttestationError> {
    if object.len() > MAX_OCTETS {
        return Err(AttestationError::TooLarge);
    }
    let object = Value::read(object)?;
    let name = object
        .member("fmt")
        .and_then(Value::as_text)
        .ok_or(AttestationError::Member("fmt"))?;
    let format: AttestationFormat = name
        .parse()
        .map_err(|_| AttestationError::Format(name.chars().take(32).collect()))?;
    let statement = object
        .member("attStmt")
        .ok_or(AttestationError::Member("attStmt"))?;
    match format {
        AttestationFormat::Step => step::verify(statement, expected),
        AttestationFormat::Apple => apple::verify(statement, expected),
        AttestationFormat::Tpm => tpm::verify(statement, expected),
        // A chain answers no challenge, so there is no object of it.
        AttestationFormat::Hsm => Err(AttestationError::Format(name.to_owned())),
    }
}

/// Checks what came with a request that its key signed: an attestation object, or a chain of
/// certificates in PEM.
pub fn verify_with_request(
    octets: &[u8],
    roots: &[TrustedRoot],
    now: Timestamp,
) -> Result<Attested, AttestationError> {
    if octets.len() > MAX_OCTETS {
        return Err(AttestationError::TooLarge);
    }
    let expected = Expectation {
        freshness: Freshness::SignedRequest,
        roots,
        now,
    };
    match octets.starts_with(b"-----BEGIN") {
        true => chain::verify(octets, &expected),
        false => verify(octets, &expected),
    }
}

/// What holds, with the names in the subjectAltName of the maker's certificate.
fn attested(format: AttestationFormat, key: PublicKey, path: path::Path) -> Attested {
    let each = |name: &GeneralName| PermanentIdentifier::from_general_name(name);
    Attested {
        format,
        key,
        permanent: path.leaf.names.iter().filter_map(each).collect(),
        modules: path
            .leaf
            .names
            .iter()
            .filter_map(HardwareModule::from_general_name)
            .collect(),
        root: path.root.fingerprint(),
        root_subject: path.root.subject.to_string(),
    }
}

/// Larger than any attestation, with four certificates of RSA in it.
const MAX_OCTETS: usize = 64 * 1024;
