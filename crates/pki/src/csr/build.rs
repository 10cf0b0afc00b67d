//! Building CSRs, for our own CAs below others and for clients.

use super::RequestedExtension;
use crate::asn1::{Reader, Writer, tag};
use crate::certificate::{self, BuildError};
use crate::key::{KeyError, PublicKey, SigningKey};
use crate::name::{DistinguishedName, GeneralName, is_printable};
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

/// What a CSR is to say beside its key.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The subject.
    pub subject: &'a DistinguishedName,
    /// The names of a requested subjectAltName.
    pub subject_alt_names: &'a [GeneralName],
    /// Further requested extensions.
    pub extensions: &'a [RequestedExtension],
    /// The password of PKCS #9, by which SCEP authenticates and EST ties a CSR to its connection.
    pub challenge_password: Option<&'a str>,
}

/// A CSR for the key, signed by it. The names go into a requested subjectAltName.
pub fn build(
    subject: &DistinguishedName,
    subject_alt_names: &[GeneralName],
    extensions: &[RequestedExtension],
    key: &dyn SigningKey,
) -> Result<Vec<u8>, CsrBuildError> {
    let draft = Draft {
        subject,
        subject_alt_names,
        extensions,
        challenge_password: None,
    };
    build_draft(&draft, key)
}

/// The same with everything that a CSR may say.
pub fn build_draft(draft: &Draft<'_>, key: &dyn SigningKey) -> Result<Vec<u8>, CsrBuildError> {
    build_vouched(draft, key.public_key(), key)
}

/// The same for the key of somebody else, which is vouched for by who signs: the key proves nothing by it.
pub fn build_vouched(
    draft: &Draft<'_>,
    subject_key: &PublicKey,
    key: &dyn SigningKey,
) -> Result<Vec<u8>, CsrBuildError> {
    let requested = requested(draft.subject, draft.subject_alt_names, draft.extensions)?;
    let info = Writer::encode(|w| {
        w.sequence(|w| {
            w.small(0);
            w.raw(&draft.subject.to_der());
            w.raw(subject_key.spki_der());
            w.constructed(0, |w| {
                if let Some(password) = draft.challenge_password {
                    challenge_password(w, password);
                }
                if !requested.is_empty() {
                    w.sequence(|w| {
                        w.oid(&oid::EXTENSION_REQUEST);
                        w.set(|w| w.sequence(|w| w.raw(&requested)));
                    });
                }
            });
        });
    });
    // A CertificationRequest has the envelope of a certificate.
    Ok(certificate::sign(&info, key)?)
}

/// RFC 2985 section 5.4.1: a PrintableString where the characters allow it.
fn challenge_password(w: &mut Writer, password: &str) {
    let kind = match password.bytes().all(is_printable) {
        true => tag::PRINTABLE_STRING,
        false => tag::UTF8_STRING,
    };
    w.sequence(|w| {
        w.oid(&oid::CHALLENGE_PASSWORD);
        w.set(|w| w.tlv(kind, password.as_bytes()));
    });
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
