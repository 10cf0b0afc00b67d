//! Certificates by day: how many end on each day to come, how many came in on each day past.

use domain::certificate::Origin;
use domain::enrollment::Requester;
use domain::id::{CertificateId, IssuerId, ProfileId, TeamId};
use pki::random::Random;
use pki::time::Timestamp;

use super::figures::read_facet;
use crate::{StoreError, Tx, params};

const DAY: i64 = 86_400_000;

/// Certificates that are not revoked and end on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Days since 1970, UTC.
    pub day: i64,
    pub team: Option<TeamId>,
    pub count: i64,
}

/// Certificates that came into the inventory in a span of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    pub team: Option<TeamId>,
    pub issuer: Option<IssuerId>,
    pub profile: Option<ProfileId>,
    pub origin: Origin,
    /// Whether an ACME account asked.
    pub is_acme: bool,
    /// Who else asked; not for what came in otherwise.
    pub requester: Option<Requester>,
    pub count: i64,
}

impl Tx<'_> {
    /// What ends on the days from `first` to `last`, in sums by day and team, from what figures are made of.
    pub async fn certificates_ending(
        &mut self,
        first: i64,
        last: i64,
    ) -> Result<Vec<Ending>, StoreError> {
        let mut endings = Vec::new();
        for table in ["certificate_counts", "certificate_changes"] {
            let sql = format!(
                "SELECT facet, end_day, CAST(sum(certificates) AS BIGINT) FROM {table} \
                 WHERE end_day >= $1 AND end_day <= $2 AND certificates <> 0 \
                 GROUP BY facet, end_day"
            );
            for row in self.query(&sql, params![first, last]).await? {
                let key: &str = row.get(0)?;
                let facet = read_facet(key)
                    .ok_or_else(|| StoreError::corrupt(format!("the facet `{key}` has no form")))?;
                if !facet.is_revoked {
                    endings.push(Ending {
                        day: row.get(1)?,
                        team: facet.team,
                        count: row.get(2)?,
                    });
                }
            }
        }
        Ok(endings)
    }

    /// What came in on a day. Ids begin with their time, so one index answers.
    pub async fn certificates_arrived(&mut self, day: i64) -> Result<Vec<Arrived>, StoreError> {
        let first = |day: i64| CertificateId::mint(Timestamp::from_millis(day * DAY), &Zeros);
        // Of ACME there is an order of its own in each requester: they are not told apart.
        let sql = "SELECT c.team_id, c.issuer_id, c.profile_id, c.origin, \
                       CAST(CASE WHEN c.account_id IS NULL THEN 0 ELSE 1 END AS BIGINT) AS is_acme, \
                       CASE WHEN c.account_id IS NULL THEN e.requester END AS asked_by, count(*) \
                   FROM certificates c LEFT JOIN enrollments e ON e.id = c.enrollment_id \
                   WHERE c.id >= $1 AND c.id < $2 \
                   GROUP BY c.team_id, c.issuer_id, c.profile_id, c.origin, is_acme, asked_by";
        let (from, to) = (first(day), first(day + 1));
        let rows = self.query(sql, params![from.as_str(), to.as_str()]).await?;
        rows.iter()
            .map(|row| {
                Ok(Arrived {
                    team: row.parse_opt(0)?,
                    issuer: row.parse_opt(1)?,
                    profile: row.parse_opt(2)?,
                    origin: row.word(3)?,
                    is_acme: row.get::<i64>(4)? != 0,
                    requester: row.json_opt(5)?,
                    count: row.get(6)?,
                })
            })
            .collect()
    }
}

/// Makes the least id of its time.
struct Zeros;

impl Random for Zeros {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}
