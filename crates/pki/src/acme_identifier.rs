//! The certificate with which a server answers a tls-alpn-01 challenge, RFC 8737 section 3.

use crate::asn1::{DerError, Reader, tag};
use crate::certificate::Certificate;
use crate::name::{GeneralName, GeneralNameError};
use crate::oid;

/// What such a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeIdentifier {
    /// The one subject alternative name.
    pub name: GeneralName,
    /// The SHA-256 digest of the key authorization.
    pub digest: [u8; 32],
}

/// Why a certificate does not answer a challenge; the text goes to the ACME client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcmeIdentifierError {
    /// Not a certificate, or one with broken extensions.
    #[error("the server's certificate is malformed: {0}")]
    Malformed(String),
    /// No extension, or several.
    #[error("the server's certificate has {0} acmeIdentifier extensions instead of one")]
    Count(usize),
    /// An extension that is not critical.
    #[error("the acmeIdentifier extension of the server's certificate is not critical")]
    NotCritical,
    /// A value that is not an OCTET STRING of 32 octets.
    #[error("the acmeIdentifier extension of the server's certificate does not hold 32 octets")]
    Digest,
    /// No alternative name, or several.
    #[error("the server's certificate has {0} subject alternative names instead of one")]
    Names(usize),
}

/// Reads the certificate that a server presented.
pub fn read(der: &[u8]) -> Result<AcmeIdentifier, AcmeIdentifierError> {
    let certificate = Certificate::from_der(der).map_err(malformed)?;
    let mut digests = certificate.extension_values(oid::EXT_ACME_IDENTIFIER.as_bytes());
    let (critical, value) = match (digests.pop(), digests.len()) {
        (Some(found), 0) => found,
        (None, _) => return Err(AcmeIdentifierError::Count(0)),
        (Some(_), others) => return Err(AcmeIdentifierError::Count(others + 1)),
    };
    if !critical {
        return Err(AcmeIdentifierError::NotCritical);
    }
    Ok(AcmeIdentifier {
        name: only_name(&certificate)?,
        digest: read_digest(value).map_err(|_| AcmeIdentifierError::Digest)?,
    })
}

/// The extension's value is an OCTET STRING of its own, inside the one of every extension.
fn read_digest(value: &[u8]) -> Result<[u8; 32], DerError> {
    let element = Reader::single(value)?;
    element.open(tag::OCTET_STRING)?;
    element
        .content
        .try_into()
        .map_err(|_| DerError::Content("OCTET STRING"))
}

fn only_name(certificate: &Certificate) -> Result<GeneralName, AcmeIdentifierError> {
    // Read anew: `Certificate::names` leaves out what it does not know, but here every name counts.
    let names = certificate
        .extension_values(oid::EXT_SUBJECT_ALT_NAME.as_bytes())
        .into_iter()
        .map(|(_, value)| GeneralName::read_all(value))
        .collect::<Result<Vec<_>, GeneralNameError>>()
        .map_err(malformed)?
        .concat();
    match <[GeneralName; 1]>::try_from(names) {
        Ok([name]) => Ok(name),
        Err(names) => Err(AcmeIdentifierError::Names(names.len())),
    }
}

fn malformed(error: impl std::fmt::Display) -> AcmeIdentifierError {
    AcmeIdentifierError::Malformed(error.to_string())
}
