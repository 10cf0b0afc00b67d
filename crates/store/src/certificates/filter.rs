//! Which certificates to list.

use domain::access::Visibility;
use domain::certificate::{CertificateStatus, Origin};
use domain::id::{AccountId, IssuerId, ProfileId};
use pki::fingerprint::Fingerprint;
use pki::serial::Serial;
use pki::time::Timestamp;

use super::names;
use crate::StoreError;
use crate::codec::word;
use crate::list::List;

/// Which certificates to list; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct CertificateFilter {
    pub visible: Visibility,
    pub name: Option<NameQuery>,
    pub serial: Option<Serial>,
    pub fingerprint: Option<Fingerprint>,
    pub issuer: Option<IssuerId>,
    pub profile: Option<ProfileId>,
    pub account: Option<AccountId>,
    /// A status, and the time at which it is asked for.
    pub status: Option<(CertificateStatus, Timestamp)>,
    pub expires_before: Option<Timestamp>,
    pub expires_after: Option<Timestamp>,
    pub origin: Option<Origin>,
    /// Fields of custom metadata and the values they must have.
    pub metadata: Vec<(String, String)>,
}

/// Which names a certificate must have one of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameQuery {
    /// This one.
    Exact(String),
    /// This one or any below it.
    Suffix(String),
}

/// How a suffix is searched for: few names are looked up first; with many the newest certificates are
/// gone through instead, of which one in every so many fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    Few,
    Many,
}

impl CertificateFilter {
    /// Adds the conditions that are set.
    pub(super) fn apply<'a>(
        &'a self,
        list: List<'a>,
        spread: Spread,
    ) -> Result<List<'a>, StoreError> {
        let list = match &self.name {
            None => list,
            Some(query) => query.apply(list, spread),
        };
        let origin = self.origin.as_ref().map(word).transpose()?;
        let list = list
            .visible("team_id", &self.visible)
            .and_if(
                // Each half has an index of its own.
                "((serial = ? AND issuer_id IS NOT NULL) OR (serial = ? AND issuer_id IS NULL))",
                self.serial.as_ref().map(Serial::to_string),
            )
            .and_if(
                "fingerprint = ?",
                self.fingerprint.map(|hash| hash.to_string()),
            )
            .and_if("issuer_id = ?", self.issuer.as_ref().map(IssuerId::as_str))
            .and_if(
                "profile_id = ?",
                self.profile.as_ref().map(ProfileId::as_str),
            )
            .and_if(
                "account_id = ?",
                self.account.as_ref().map(AccountId::as_str),
            )
            .and_if("not_after < ?", self.expires_before)
            .and_if("not_after >= ?", self.expires_after)
            .and_if("origin = ?", origin);
        Ok(match self.status {
            None => list,
            Some((status, now)) => with_status(list, status, now),
        })
    }
}

impl CertificateFilter {
    /// Adds the conditions on metadata. The certificates of the value at `rare` are few and looked
    /// up first; other values are looked at for each certificate that fits so far.
    pub(super) fn apply_metadata<'a>(&'a self, list: List<'a>, rare: Option<usize>) -> List<'a> {
        let mut list = list;
        for (index, (field, value)) in self.metadata.iter().enumerate() {
            let condition = match rare == Some(index) {
                true => {
                    "id IN (SELECT certificate_id FROM certificate_metadata \
                     WHERE field = ? AND value = ?)"
                }
                false => {
                    "EXISTS (SELECT 1 FROM certificate_metadata \
                     WHERE certificate_id = certificates.id AND field = ? AND value = ?)"
                }
            };
            list = list.and_each(condition, [field, value]);
        }
        list
    }
}

impl NameQuery {
    fn apply<'a>(&self, list: List<'a>, spread: Spread) -> List<'a> {
        match self {
            Self::Exact(name) => list.and_if(
                "id IN (SELECT certificate_id FROM certificate_names WHERE name = ?)",
                Some(names::key(name)),
            ),
            Self::Suffix(suffix) => {
                let (from, to) = names::range_below(suffix);
                let condition = match spread {
                    Spread::Few => {
                        "id IN (SELECT certificate_id FROM certificate_names \
                         WHERE name = ? OR (name >= ? AND name < ?))"
                    }
                    Spread::Many => {
                        "EXISTS (SELECT 1 FROM certificate_names \
                         WHERE certificate_id = certificates.id \
                         AND (name = ? OR (name >= ? AND name < ?)))"
                    }
                };
                list.and_each(
                    condition,
                    [names::key(suffix.trim_start_matches('.')), from, to],
                )
            }
        }
    }
}

/// The conditions of [`domain::certificate::InventoryCertificate::status`], in SQL.
fn with_status(list: List<'_>, status: CertificateStatus, now: Timestamp) -> List<'_> {
    match status {
        CertificateStatus::Revoked => list.and("revoked_at IS NOT NULL"),
        CertificateStatus::Expired => list
            .and("revoked_at IS NULL")
            .and_if("not_after < ?", Some(now)),
        CertificateStatus::NotYetValid => list
            .and("revoked_at IS NULL")
            .and_if("not_before > ?", Some(now)),
        CertificateStatus::Valid => list
            .and("revoked_at IS NULL")
            .and_if("not_after >= ?", Some(now))
            .and_if("not_before <= ?", Some(now)),
    }
}
