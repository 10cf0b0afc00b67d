//! What an upload is made of, and what became of each part.

use domain::id::CertificateId;
use domain::metadata::Values;
use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;

/// A part of an upload, not yet looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Certificate {
        /// Where in the upload: `certificate 3`, `line 17`.
        place: String,
        der: Vec<u8>,
        /// Values of its own, beside those of the whole import.
        metadata: Values,
    },
    /// Something else than a certificate.
    Broken { place: String, reason: String },
    /// Private keys, already thrown away.
    Secrets(usize),
}

/// Forms of uploads that are read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleForm {
    Der,
    Pkcs7,
    Pkcs12,
}

/// What became of a part of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub place: String,
    pub verdict: Verdict,
    /// What the certificate says, where it can be read.
    pub certificate: Option<Summary>,
}

/// The little of a certificate by which a person recognises it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub fingerprint: Fingerprint,
    pub subject: String,
    pub names: Vec<String>,
    pub issuer_name: String,
    pub not_after: Timestamp,
    /// How many certificates above it are known, each of which signed the one below.
    pub chain: usize,
    /// Whether one of our issuers signed it.
    pub is_ours: bool,
    /// Whether its key can be broken.
    pub is_weak: bool,
}

/// The three ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the inventory now, or would be.
    New(CertificateId),
    /// It was there before and is as it was.
    Known(CertificateId),
    /// It is no certificate, or cannot be what it says.
    Broken(String),
}
