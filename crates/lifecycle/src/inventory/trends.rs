//! The inventory by day: what ends when, and what came in.

use std::collections::BTreeMap;

use domain::access::Visibility;
use domain::certificate::Origin;
use domain::id::{IssuerId, ProfileId};
use pki::time::Timestamp;
use store::StoreError;

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
    pub origin: &'static str,
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
        for day in today - i64::from(back) + 1..=today {
            let arrived = self
                .store
                .scan("certificate.arrived", move |tx| {
                    Box::pin(async move { tx.certificates_arrived(day).await })
                })
                .await?;
            for row in arrived {
                if visible.shows(row.team.as_ref()) {
                    let arrival = Arrival {
                        day,
                        issuer: row.issuer,
                        profile: row.profile,
                        origin: origin_name(row.origin),
                    };
                    *trends.arrived.entry(arrival).or_default() += row.count;
                }
            }
        }
        Ok(trends)
    }
}

fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Issued => "issued",
        Origin::Discovered => "discovered",
        Origin::Imported => "imported",
    }
}
