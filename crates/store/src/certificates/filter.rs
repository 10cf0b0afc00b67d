//! Which certificates to list.

use domain::access::Visibility;
use domain::certificate::{CertificateStatus, Origin};
use domain::id::{AccountId, IssuerId, ProfileId, TeamId};
use pki::fingerprint::Fingerprint;
use pki::serial::Serial;
use pki::time::Timestamp;

use super::condition::{Condition, Part, Source};
use super::{columns, names, text};
use crate::codec::word;
use crate::{StoreError, Value};

/// Which certificates to list; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct CertificateFilter {
    pub visible: Visibility,
    pub names: Vec<NameQuery>,
    pub serial: Option<Serial>,
    pub fingerprint: Option<Fingerprint>,
    pub issuer: Option<IssuerId>,
    pub profile: Option<ProfileId>,
    pub team: Option<TeamId>,
    pub account: Option<AccountId>,
    /// A status, and the time at which it is asked for.
    pub status: Option<(CertificateStatus, Timestamp)>,
    pub expires_before: Option<Timestamp>,
    pub expires_after: Option<Timestamp>,
    /// By the time in its id, at which it became known.
    pub created_before: Option<Timestamp>,
    pub created_after: Option<Timestamp>,
    pub origin: Option<Origin>,
    pub key_kind: Option<String>,
    pub weak: Option<bool>,
    /// Whether another certificate took its place.
    pub replaced: Option<bool>,
    /// Whether a team owns it.
    pub owned: Option<bool>,
    /// Fields of custom metadata and the values they must have.
    pub metadata: Vec<(String, String)>,
    /// Each stands in names, subject or metadata, or begins the serial number or the fingerprint.
    pub texts: Vec<String>,
}

/// Which names a certificate must have one of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameQuery {
    /// This one.
    Exact(String),
    /// This one or any below it.
    Suffix(String),
    /// One that this is a part of.
    Contains(String),
}

impl CertificateFilter {
    /// All conditions that are set.
    pub(super) fn conditions(&self) -> Result<Vec<Condition<'_>>, StoreError> {
        let mut list: Vec<Condition<'_>> = self.names.iter().map(NameQuery::condition).collect();
        list.extend(
            self.metadata
                .iter()
                .map(|(field, value)| by_value(field, value)),
        );
        list.extend(self.texts.iter().map(|part| text::anywhere(part)));
        list.extend(self.identity());
        list.extend(self.belonging()?);
        list.extend(self.times());
        if let Some((status, now)) = self.status {
            list.extend(with_status(status, now));
        }
        Ok(list)
    }

    /// Under which of its names a certificate stands in a list by name: the first that lies below the
    /// suffix that is asked for, so that the list is a range of all names; without one, the first of all.
    pub(super) fn listed(&self) -> Part<'_> {
        let suffix = self.names.iter().find_map(|name| match name {
            NameQuery::Suffix(suffix) => Some(suffix),
            NameQuery::Exact(_) | NameQuery::Contains(_) => None,
        });
        let Some(suffix) = suffix else {
            return Part::new("listed.is_first = 1", []);
        };
        let own = names::key(suffix.trim_start_matches('.'));
        let (from, to) = names::range_below(suffix);
        Part::new(
            "listed.name >= ? AND listed.name < ? AND (listed.name = ? OR listed.name >= ?) \
             AND NOT EXISTS (SELECT 1 FROM certificate_names AS others \
             WHERE others.certificate_id = listed.certificate_id \
             AND others.name >= ? AND others.name < listed.name \
             AND (others.name = ? OR others.name >= ?))",
            [
                own.clone().into(),
                to.into(),
                own.clone().into(),
                from.clone().into(),
                own.clone().into(),
                own.into(),
                from.into(),
            ],
        )
    }

    fn identity(&self) -> Vec<Condition<'_>> {
        let mut list = Vec::new();
        if let Some(serial) = &self.serial {
            let serial = serial.to_string();
            // Each half has an index of its own.
            let both =
                "((serial = ? AND issuer_id IS NOT NULL) OR (serial = ? AND issuer_id IS NULL))";
            list.push(
                Condition::check(both, [serial.clone().into(), serial.clone().into()]).found_by(
                    Source::unordered(
                        "SELECT id AS certificate_id FROM certificates \
                         WHERE serial = ? AND issuer_id IS NOT NULL \
                         UNION ALL SELECT id FROM certificates \
                         WHERE serial = ? AND issuer_id IS NULL",
                        [serial.clone().into(), serial.into()],
                    ),
                ),
            );
        }
        if let Some(fingerprint) = &self.fingerprint {
            let short = columns::short(fingerprint);
            list.push(
                Condition::check("fingerprint = ?", [short.clone().into()]).found_by(
                    Source::unordered(
                        "SELECT id AS certificate_id FROM certificates WHERE fingerprint = ?",
                        [short.into()],
                    ),
                ),
            );
        }
        list
    }

    fn belonging<'s>(&'s self) -> Result<Vec<Condition<'s>>, StoreError> {
        let origin = self.origin.as_ref().map(word).transpose()?;
        let equal: [(&str, Option<Value<'s>>); 4] = [
            (
                "issuer_id = ?",
                self.issuer.as_ref().map(|id| id.as_str().into()),
            ),
            (
                "profile_id = ?",
                self.profile.as_ref().map(|id| id.as_str().into()),
            ),
            ("key_kind = ?", self.key_kind.as_deref().map(Into::into)),
            ("origin = ?", origin.map(Into::into)),
        ];
        let mut list: Vec<Condition<'s>> = equal
            .into_iter()
            .filter_map(|(check, value)| Some(Condition::check(check, [value?])))
            .collect();
        if let Some(account) = &self.account {
            list.push(owned_by("account_id", account.as_str()));
        }
        if let Some(team) = &self.team {
            list.push(owned_by("team_id", team.as_str()));
        }
        if let Visibility::Teams(teams) = &self.visible {
            list.push(visible(teams.iter().map(TeamId::as_str).collect()));
        }
        list.extend(self.weak.map(|weak| match weak {
            true => Condition::check("is_weak = 1", []).found_by(Source::ordered(
                "SELECT id AS certificate_id FROM certificates WHERE is_weak = 1",
                [],
            )),
            false => Condition::check("is_weak = 0", []),
        }));
        list.extend(self.owned.map(|owned| match owned {
            true => Condition::check("team_id IS NOT NULL", []),
            false => Condition::check("team_id IS NULL", []),
        }));
        list.extend(self.replaced.map(|replaced| match replaced {
            true => Condition::check("replaced_by IS NOT NULL", []),
            false => Condition::check("replaced_by IS NULL", []),
        }));
        Ok(list)
    }

    fn times(&self) -> Vec<Condition<'_>> {
        let mut list = Vec::new();
        let mut bound = |condition: &str, value: Option<Value<'static>>| {
            list.extend(value.map(|value| Condition::check(condition, [value])));
        };
        bound("not_after < ?", self.expires_before.map(Into::into));
        bound("not_after >= ?", self.expires_after.map(Into::into));
        // Ids begin with the time at which they were made.
        bound("id < ?", self.created_before.map(|at| first_id(at).into()));
        bound("id >= ?", self.created_after.map(|at| first_id(at).into()));
        list
    }
}

impl NameQuery {
    fn condition(&self) -> Condition<'_> {
        match self {
            Self::Exact(name) => {
                let key = names::key(name);
                Condition::check(
                    "EXISTS (SELECT 1 FROM certificate_names \
                     WHERE name = ? AND certificate_id = certificates.id)",
                    [key.clone().into()],
                )
                .found_by(Source::ordered(
                    "SELECT certificate_id FROM certificate_names WHERE name = ?",
                    [key.into()],
                ))
            }
            Self::Suffix(suffix) => {
                let (from, to) = names::range_below(suffix);
                let values: [Value<'_>; 3] = [
                    names::key(suffix.trim_start_matches('.')).into(),
                    from.into(),
                    to.into(),
                ];
                Condition::check(
                    "EXISTS (SELECT 1 FROM certificate_names \
                     WHERE certificate_id = certificates.id \
                     AND (name = ? OR (name >= ? AND name < ?)))",
                    values.clone(),
                )
                .found_by(Source::unordered(
                    "SELECT certificate_id FROM certificate_names \
                     WHERE name = ? OR (name >= ? AND name < ?)",
                    values,
                ))
            }
            Self::Contains(part) => text::within_names(part),
        }
    }
}

fn by_value<'a>(field: &'a str, value: &'a str) -> Condition<'a> {
    Condition::check(
        "EXISTS (SELECT 1 FROM certificate_metadata \
         WHERE certificate_id = certificates.id AND field = ? AND value = ?)",
        [field.into(), value.into()],
    )
    .found_by(Source::ordered(
        "SELECT certificate_id FROM certificate_metadata WHERE field = ? AND value = ?",
        [field.into(), value.into()],
    ))
}

/// Columns with an index of their own, in the order of the ids.
fn owned_by<'a>(column: &str, id: &'a str) -> Condition<'a> {
    let select = format!("SELECT id AS certificate_id FROM certificates WHERE {column} = ?");
    Condition::check(&format!("{column} = ?"), [id.into()])
        .found_by(Source::ordered(&select, [id.into()]))
}

fn visible(teams: Vec<&str>) -> Condition<'_> {
    if teams.is_empty() {
        return Condition::check("1 = 0", []).found_by(Source::ordered(
            "SELECT id AS certificate_id FROM certificates WHERE 1 = 0",
            [],
        ));
    }
    if let [team] = teams.as_slice() {
        return owned_by("team_id", team);
    }
    let places = vec!["?"; teams.len()].join(", ");
    let values: Vec<Value<'_>> = teams.into_iter().map(Into::into).collect();
    let select =
        format!("SELECT id AS certificate_id FROM certificates WHERE team_id IN ({places})");
    Condition::check(&format!("team_id IN ({places})"), values.clone())
        .found_by(Source::unordered(&select, values))
}

/// The conditions of [`domain::certificate::InventoryCertificate::status`], in SQL.
fn with_status<'a>(status: CertificateStatus, now: Timestamp) -> Vec<Condition<'a>> {
    let alive = || Condition::check("revoked_at IS NULL", []);
    match status {
        CertificateStatus::Revoked => {
            vec![
                Condition::check("revoked_at IS NOT NULL", []).found_by(Source::unordered(
                    "SELECT id AS certificate_id FROM certificates WHERE revoked_at IS NOT NULL",
                    [],
                )),
            ]
        }
        CertificateStatus::Expired => {
            vec![alive(), Condition::check("not_after < ?", [now.into()])]
        }
        CertificateStatus::NotYetValid => vec![
            alive(),
            Condition::check("not_after >= ?", [now.into()]),
            Condition::check("not_before > ?", [now.into()]),
        ],
        CertificateStatus::Valid => vec![
            alive(),
            Condition::check("not_after >= ?", [now.into()]),
            Condition::check("not_before <= ?", [now.into()]),
        ],
    }
}

/// The least id of its time.
fn first_id(time: Timestamp) -> String {
    struct Zeros;

    impl pki::random::Random for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    domain::id::CertificateId::mint(time, &Zeros)
        .as_str()
        .to_owned()
}
