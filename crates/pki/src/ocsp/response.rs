//! Writing OCSP responses.

use aws_lc_rs::digest;

use super::CertId;
use super::request::write_nonce;
use crate::asn1::{Writer, tag};
use crate::key::{KeyError, PublicKey, SigningKey};
use crate::oid;
use crate::revocation::RevocationReason;
use crate::time::Timestamp;

/// What a response says, RFC 6960 section 4.2.1.
#[derive(Clone, Debug)]
pub struct ResponseContent {
    /// When the response is made.
    pub produced_at: Timestamp,
    /// One answer for each certificate asked about.
    pub responses: Vec<SingleResponse>,
    /// The request's nonce; `None` in answers that are made ahead.
    pub nonce: Option<Vec<u8>>,
}

/// The answer for one certificate.
#[derive(Clone, Debug)]
pub struct SingleResponse {
    /// As it was asked.
    pub cert_id: CertId,
    /// The answer.
    pub status: CertStatus,
    /// The time of which the status is known.
    pub this_update: Timestamp,
    /// When something newer is known at the latest.
    pub next_update: Timestamp,
}

/// The status of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertStatus {
    /// Issued and not revoked
    Good,
    /// Revoked
    Revoked {
        /// Since when.
        at: Timestamp,
        /// Why.
        reason: RevocationReason,
    },
    /// Never issued here
    Unknown,
}

/// Answers that are not signed, RFC 6960 section 4.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorStatus {
    /// The request cannot be read
    MalformedRequest,
    /// The responder has a fault
    InternalError,
    /// The responder has no answer now
    TryLater,
    /// The request must be signed
    SigRequired,
    /// The responder does not answer for that issuer
    Unauthorized,
}

/// A signed response. `certificates` are those of a delegated responder, in DER; none if the CA
/// itself signs.
pub fn sign(
    content: &ResponseContent,
    key: &dyn SigningKey,
    certificates: &[&[u8]],
) -> Result<Vec<u8>, KeyError> {
    let tbs = Writer::encode(|w| write_response_data(w, content, key.public_key()));
    let signature = key.sign(&tbs)?;
    let basic = Writer::encode(|w| {
        w.sequence(|w| {
            w.raw(&tbs);
            key.signature_algorithm().encode(w);
            w.bit_string(&signature);
            if !certificates.is_empty() {
                w.constructed(0, |w| {
                    w.sequence(|w| certificates.iter().for_each(|der| w.raw(der)));
                });
            }
        });
    });
    Ok(Writer::encode(|w| {
        w.sequence(|w| {
            w.tlv(tag::ENUMERATED, &[0]);
            w.constructed(0, |w| {
                w.sequence(|w| {
                    w.oid(&oid::OCSP_BASIC);
                    w.octet_string(&basic);
                });
            });
        });
    }))
}

/// An answer without content.
pub fn error_response(status: ErrorStatus) -> Vec<u8> {
    let code = match status {
        ErrorStatus::MalformedRequest => 1,
        ErrorStatus::InternalError => 2,
        ErrorStatus::TryLater => 3,
        ErrorStatus::SigRequired => 5,
        ErrorStatus::Unauthorized => 6,
    };
    Writer::encode(|w| w.sequence(|w| w.tlv(tag::ENUMERATED, &[code])))
}

fn write_response_data(w: &mut Writer, content: &ResponseContent, responder: &PublicKey) {
    // RFC 6960 section 4.2.1 fixes SHA-1 for the responder's key hash.
    let key_hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, responder.key_octets());
    w.sequence(|w| {
        w.constructed(2, |w| w.octet_string(key_hash.as_ref()));
        w.generalized_time(content.produced_at);
        w.sequence(|w| {
            for response in &content.responses {
                write_single_response(w, response);
            }
        });
        if let Some(nonce) = &content.nonce {
            w.constructed(1, |w| w.sequence(|w| write_nonce(w, nonce)));
        }
    });
}

fn write_single_response(w: &mut Writer, response: &SingleResponse) {
    w.sequence(|w| {
        w.raw(&response.cert_id.der);
        match response.status {
            CertStatus::Good => w.tlv(tag::primitive(0), &[]),
            CertStatus::Unknown => w.tlv(tag::primitive(2), &[]),
            CertStatus::Revoked { at, reason } => w.constructed(1, |w| {
                w.generalized_time(at);
                if reason != RevocationReason::Unspecified {
                    w.constructed(0, |w| w.tlv(tag::ENUMERATED, &[reason.code()]));
                }
            }),
        }
        w.generalized_time(response.this_update);
        w.constructed(0, |w| w.generalized_time(response.next_update));
    });
}
