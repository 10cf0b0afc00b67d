//! Certificate revocation lists, RFC 5280 section 5.

mod encode;
mod parse;

pub use encode::{CrlBuildError, encode_tbs, sign};
pub use parse::{Crl, CrlError};

use crate::certificate::IssuerFacts;
use crate::revocation::RevocationReason;
use crate::serial::Serial;
use crate::time::Timestamp;

/// What a CRL is to say.
#[derive(Clone, Debug)]
pub struct CrlContent {
    /// Who signs it; its key identifier becomes the authority key identifier.
    pub issuer: IssuerFacts,
    /// The CRL number, greater than that of every earlier one of this issuer.
    pub number: u64,
    /// When it is made.
    pub this_update: Timestamp,
    /// When the next one is there at the latest.
    pub next_update: Timestamp,
    /// The revoked certificates.
    pub entries: Vec<CrlEntry>,
    /// If it does not cover all certificates of the issuer: which ones.
    pub issuing_distribution_point: Option<IssuingDistributionPoint>,
}

/// One revoked certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlEntry {
    /// Its serial number.
    pub serial: Serial,
    /// When it was revoked.
    pub revoked_at: Timestamp,
    /// Why.
    pub reason: RevocationReason,
}

/// What a partial CRL covers, RFC 5280 section 5.2.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuingDistributionPoint {
    /// The URL, octet for octet as in the certificates it covers.
    pub url: String,
    /// Which certificates.
    pub scope: CrlScope,
}

/// Which kind of certificates a CRL covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrlScope {
    /// All of the issuer
    All,
    /// Those that are not of CAs
    EndEntities,
    /// Those of CAs
    CertificationAuthorities,
}
