//! Writing CRLs.

use super::{CrlContent, CrlEntry, CrlScope, IssuingDistributionPoint};
use crate::asn1::{Writer, tag};
use crate::certificate::{
    self, BuildError, authority_key_identifier, check_url, distribution_point, extension,
};
use crate::key::{KeyError, SigningKey};
use crate::oid;
use crate::revocation::RevocationReason;

/// Why content cannot be written as a CRL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrlBuildError {
    /// A CRL that ends before it begins.
    #[error("the CRL's next update would not be after this one")]
    Validity,
    /// A reason that only a delta CRL may give.
    #[error("removeFromCRL has no place in a complete CRL: leave the entry out instead")]
    RemoveFromCrl,
    /// A URL that cannot be written.
    #[error(transparent)]
    Url(#[from] BuildError),
}

/// The octets of the TBSCertList that are signed.
pub fn encode_tbs(content: &CrlContent) -> Result<Vec<u8>, CrlBuildError> {
    check(content)?;
    // An entry with a reason takes about fifty octets.
    let mut writer = Writer::with_capacity(512 + content.entries.len() * 56);
    writer.sequence(|w| {
        // version v2
        w.small(1);
        content.issuer.signature_algorithm.encode(w);
        w.raw(&content.issuer.subject_der);
        w.time(content.this_update);
        w.time(content.next_update);
        // RFC 5280 section 5.1.2.6: without entries the list is left out, not empty.
        if !content.entries.is_empty() {
            w.sequence(|w| {
                content
                    .entries
                    .iter()
                    .for_each(|entry| write_entry(w, entry))
            });
        }
        w.constructed(0, |w| w.sequence(|w| write_extensions(w, content)));
    });
    Ok(writer.finish())
}

/// Signs a TBSCertList.
pub fn sign(tbs: &[u8], key: &dyn SigningKey) -> Result<Vec<u8>, KeyError> {
    certificate::sign(tbs, key)
}

fn check(content: &CrlContent) -> Result<(), CrlBuildError> {
    if content.next_update.floor_to_second() <= content.this_update.floor_to_second() {
        return Err(CrlBuildError::Validity);
    }
    let removed = |entry: &CrlEntry| entry.reason == RevocationReason::RemoveFromCrl;
    if content.entries.iter().any(removed) {
        return Err(CrlBuildError::RemoveFromCrl);
    }
    if let Some(point) = &content.issuing_distribution_point {
        check_url(&point.url)?;
    }
    Ok(())
}

fn write_entry(w: &mut Writer, entry: &CrlEntry) {
    w.sequence(|w| {
        entry.serial.encode(w);
        w.time(entry.revoked_at);
        // RFC 5280 section 5.3.1: unspecified is said by saying nothing.
        if entry.reason != RevocationReason::Unspecified {
            w.sequence(|w| {
                extension(w, &oid::EXT_REASON_CODE, false, |w| {
                    w.tlv(tag::ENUMERATED, &[entry.reason.code()]);
                });
            });
        }
    });
}

fn write_extensions(w: &mut Writer, content: &CrlContent) {
    authority_key_identifier(w, &content.issuer.key_identifier);
    extension(w, &oid::EXT_CRL_NUMBER, false, |w| {
        w.unsigned(&content.number.to_be_bytes());
    });
    if let Some(point) = &content.issuing_distribution_point {
        extension(w, &oid::EXT_ISSUING_DISTRIBUTION_POINT, true, |w| {
            write_issuing_distribution_point(w, point);
        });
    }
}

fn write_issuing_distribution_point(w: &mut Writer, point: &IssuingDistributionPoint) {
    w.sequence(|w| {
        distribution_point(w, &point.url);
        match point.scope {
            CrlScope::All => (),
            CrlScope::EndEntities => w.tlv(tag::primitive(1), &[0xff]),
            CrlScope::CertificationAuthorities => w.tlv(tag::primitive(2), &[0xff]),
        }
    });
}
