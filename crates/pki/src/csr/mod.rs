//! Certification requests, PKCS #10 (RFC 2986).

mod build;
mod parse;

pub(crate) use build::requested;
pub use build::{CsrBuildError, Draft, build, build_draft, build_vouched};
pub use parse::{Csr, CsrError, CsrForm};
pub(crate) use parse::{read_extensions, subject_alt_names, verify_possession};

/// An extension that a CSR asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedExtension {
    /// The dotted object identifier.
    pub oid: String,
    /// Whether it is marked critical.
    pub critical: bool,
    /// The DER of the value.
    pub der: Vec<u8>,
}
