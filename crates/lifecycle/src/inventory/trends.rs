//! The inventory by day: what ends when, and what came in.

use std::collections::{BTreeMap, HashMap};

use domain::access::Visibility;
use domain::certificate::Origin;
use domain::enrolling::entry_point::Protocol;
use domain::enrollment::Requester;
use domain::id::{EntryPointId, IssuerId, ProfileId, TeamId};
use pki::time::Timestamp;
use store::StoreError;
use store::certificates::trends::Arrived;

use crate::Lifecycle;

const DAY: i64 = 86_400_000;

/// Days are counted from 1970, in UTC.
#[derive(Clone, Debug)]
pub struct Trends {
    /// The moment that they are of.
    pub at: Timestamp,
    /// How many that are not revoked end on each day from today on; days without any are left out.
    pub ending: BTreeMap<i64, i64>,
    /// How many came in on each day up to today.
    pub arrived: BTreeMap<Arrival, i64>,
}

/// What certificates that came in have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival {
    pub day: i64,
    pub issuer: Option<IssuerId>,
    pub profile: Option<ProfileId>,
    pub team: Option<TeamId>,
    pub origin: &'static str,
    /// By which protocol it was asked for; not for what came in otherwise.
    pub protocol: Option<&'static str>,
}

impl Lifecycle {
    /// What ends in the `ahead` days to come and what came in during the last `back` days, of the
    /// certificates that are seen.
    pub async fn certificate_trends(
        &self,
        visible: &Visibility,
        ahead: u16,
        back: u16,
    ) -> Result<Trends, StoreError> {
        let at = self.now();
        let today = at.millis() / DAY;
        let mut trends = Trends {
            at,
            ending: BTreeMap::new(),
            arrived: BTreeMap::new(),
        };
        let last = today + i64::from(ahead);
        let endings = self
            .store
            .scan("certificate.ending", move |tx| {
                Box::pin(async move { tx.certificates_ending(today, last).await })
            })
            .await?;
        for ending in endings {
            if visible.shows(ending.team.as_ref()) {
                *trends.ending.entry(ending.day).or_default() += ending.count;
            }
        }
        trends.ending.retain(|_, count| *count > 0);
        let entrances = self.entrances().await?;
        for day in today - i64::from(back) + 1..=today {
            let arrived = self
                .store
                .scan("certificate.arrived", move |tx| {
                    Box::pin(async move { tx.certificates_arrived(day).await })
                })
                .await?;
            for row in arrived {
                if visible.shows(row.team.as_ref()) {
                    let count = row.count;
                    let arrival = Arrival {
                        day,
                        protocol: protocol_of(&row, &entrances),
                        issuer: row.issuer,
                        profile: row.profile,
                        team: row.team,
                        origin: origin_name(row.origin),
                    };
                    *trends.arrived.entry(arrival).or_default() += count;
                }
            }
        }
        Ok(trends)
    }

    /// The protocol that is spoken at each entry point there is.
    async fn entrances(&self) -> Result<HashMap<EntryPointId, &'static str>, StoreError> {
        let mut found = HashMap::new();
        for protocol in [Protocol::Est, Protocol::Scep] {
            let points = self.list_entry_points(protocol).await?;
            found.extend(
                points
                    .into_iter()
                    .map(|point| (point.id, protocol.as_str())),
            );
        }
        let endpoints = self.list_cmp_endpoints().await?;
        found.extend(endpoints.into_iter().map(|endpoint| (endpoint.id, "cmp")));
        Ok(found)
    }
}

fn protocol_of(
    row: &Arrived,
    entrances: &HashMap<EntryPointId, &'static str>,
) -> Option<&'static str> {
    if row.is_acme {
        return Some("acme");
    }
    match row.requester.as_ref()? {
        Requester::AcmeAccount { .. } => Some("acme"),
        Requester::User { .. } | Requester::Token { .. } => Some("rest"),
        Requester::Client { entry_point, .. } => entrances.get(entry_point).copied(),
        Requester::System => Some("system"),
    }
}

fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Issued => "issued",
        Origin::Discovered => "discovered",
        Origin::Imported => "imported",
    }
}
