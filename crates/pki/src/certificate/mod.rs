//! Certificates, RFC 5280: what is to be signed, and what a signed one says.

mod content;
mod encode;
mod extended_key_usage;
mod extensions;
mod extra;
mod key_usage;
mod observed;
mod parse;

pub use content::{BasicConstraints, CertificateContent, IssuerFacts};
pub use encode::{BuildError, assemble, encode_tbs, sign};
pub use extended_key_usage::{ExtendedKeyUsage, ParseExtendedKeyUsageError};
pub use extra::{ExtensionValueError, ExtraExtension};
pub use key_usage::{KeyUsage, ParseKeyUsageError};
pub use parse::{Certificate, CertificateError};

pub(crate) use extensions::{
    authority_key_identifier, check_url, distribution_point, extension, subject_alt_names,
};
pub(crate) use observed::RawExtension;
pub(crate) use parse::Envelope;
