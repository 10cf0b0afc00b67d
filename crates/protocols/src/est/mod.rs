//! EST: RFC 7030 with the clarifications of RFC 8951 and the CSR attributes of RFC 9908.

pub mod body;
pub mod csr_attributes;
mod csr_template;
pub mod key_answer;

/// The media type of a CSR that is sent (RFC 7030 section 4.2.1).
pub const PKCS10: &str = "application/pkcs10";
/// The media type of certificates that are sent back.
pub const CERTS_ONLY: &str = "application/pkcs7-mime; smime-type=certs-only";
/// The media type of CSR attributes.
pub const CSR_ATTRIBUTES: &str = "application/csrattrs";
/// The media type of a private key in the clear (RFC 7030 section 4.4.2).
pub const PKCS8: &str = "application/pkcs8";
/// The media type of a private key that is encrypted for its owner.
pub const ENVELOPED_KEY: &str = "application/pkcs7-mime; smime-type=server-generated-key";
