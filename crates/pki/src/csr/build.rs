//! Building CSRs, for our own CAs below others and for clients.

use super::RequestedExtension;
use crate::asn1::{Reader, Writer, tag};
use crate::certificate::{self, BuildError};
use crate::key::{KeyError, SigningKey};
use crate::name::{DistinguishedName, GeneralName};
use crate::oid;

/// Why a CSR cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum CsrBuildError {
    /// A name or extension that cannot be written.
    #[error(transparent)]
    Content(#[from] BuildError),
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A CSR for the key, signed by it. The names go into a requested subjectAltName.
pub fn build(
    subject: &DistinguishedName,
    subject_alt_names: &[GeneralName],
    extensions: &[RequestedExtension],
    key: &dyn SigningKey,
) -> Result<Vec<u8>, CsrBuildError> {
    let requested = requested(subject, subject_alt_names, extensions)?;
    let info = Writer::encode(|w| {
        w.sequence(|w| {
            w.small(0);
            w.raw(&subject.to_der());
            w.raw(key.public_key().spki_der());
            w.constructed(0, |w| {
                if requested.is_empty() {
                    return;
                }
                w.sequence(|w| {
                    w.oid(&oid::EXTENSION_REQUEST);
                    w.set(|w| w.sequence(|w| w.raw(&requested)));
                });
            });
        });
    });
    // A CertificationRequest has the envelope of a certificate.
    Ok(certificate::sign(&info, key)?)
}

/// The requested extensions, one after the other, the names as subjectAltName first.
pub(crate) fn requested(
    subject: &DistinguishedName,
    names: &[GeneralName],
    extensions: &[RequestedExtension],
) -> Result<Vec<u8>, BuildError> {
    let mut writer = Writer::new();
    certificate::subject_alt_names(&mut writer, names, subject.is_empty())?;
    for extension in extensions {
        let oid = oid::from_text(&extension.oid)
            .filter(|_| Reader::single(&extension.der).is_ok())
            .ok_or_else(|| BuildError::Oid(extension.oid.clone()))?;
        writer.sequence(|w| {
            w.tlv(tag::OID, &oid);
            if extension.critical {
                w.boolean_true();
            }
            w.octet_string(&extension.der);
        });
    }
    Ok(writer.finish())
}
