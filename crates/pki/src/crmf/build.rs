//! Building a CertReqMsg: the client's side.

use super::{CertTemplate, IssuerAndSerial};
use crate::asn1::{Reader, Writer, tag};
use crate::certificate::BuildError;
use crate::csr::{self, CsrBuildError, RequestedExtension};
use crate::key::{PublicKey, SigningKey};
use crate::name::{DistinguishedName, GeneralName};
use crate::oid;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// The number by which the answer will refer to it.
    pub request_id: i64,
    /// The subject.
    pub subject: &'a DistinguishedName,
    /// The names for the subject alternative name.
    pub subject_alt_names: &'a [GeneralName],
    /// Further extensions.
    pub extensions: &'a [RequestedExtension],
    /// The certificate that is updated.
    pub old_certificate: Option<&'a IssuerAndSerial>,
}

/// Who shows possession of the key, and how.
pub enum Possession<'a> {
    /// The key signs.
    Key(&'a dyn SigningKey),
    /// An authority has seen to it that this key is the requester's.
    Authority(&'a PublicKey),
}

/// A CertReqMsg in DER.
pub fn build(wish: &Wish<'_>, possession: &Possession<'_>) -> Result<Vec<u8>, CsrBuildError> {
    let key = match possession {
        Possession::Key(key) => key.public_key(),
        Possession::Authority(key) => key,
    };
    let template = CertTemplate {
        subject: Some(wish.subject.clone()),
        public_key: Some(key.clone()),
        extensions: extensions(wish)?,
        ..CertTemplate::default()
    };
    let request = Writer::encode(|w| {
        w.sequence(|w| {
            w.signed(wish.request_id);
            template.encode(w);
            if let Some(old) = wish.old_certificate {
                w.sequence(|w| {
                    w.sequence(|w| {
                        w.oid(&oid::CRMF_OLD_CERT_ID);
                        old.encode(w);
                    });
                });
            }
        });
    });
    let proof = match possession {
        Possession::Key(key) => {
            let signature = key.sign(&request)?;
            Writer::encode(|w| {
                w.constructed(1, |w| {
                    w.raw(&key.signature_algorithm().to_der());
                    w.bit_string(&signature);
                });
            })
        }
        Possession::Authority(_) => Writer::encode(|w| w.tlv(tag::primitive(0), &[])),
    };
    Ok(Writer::encode(|w| {
        w.sequence(|w| {
            w.raw(&request);
            w.raw(&proof);
        });
    }))
}

/// The names and extensions, as the template has them.
fn extensions(wish: &Wish<'_>) -> Result<Vec<RequestedExtension>, CsrBuildError> {
    let der = csr::requested(wish.subject, wish.subject_alt_names, wish.extensions)?;
    let mut read = Vec::new();
    // What was written a line above reads back, unless an extension is there twice.
    csr::read_extensions(Reader::new(&der), &mut read)
        .map_err(|error| BuildError::Oid(error.to_string()))?;
    Ok(read)
}
