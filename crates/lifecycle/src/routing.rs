//! Who signs: a profile's issuers, how each of them stands, and what this process has seen of them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::id::IssuerId;
use domain::issuer::{
    Breaker, BreakerState, Issuer, IssuerState, OutReason, Period, RouteCondition, RouteFacts,
    Standing, Usage, route,
};
use parking_lot::Mutex;
use pki::time::Timestamp;
use store::StoreError;
use store::usage::SpendError;

use crate::Lifecycle;
use crate::issuance::EnrollmentRequest;
use crate::issuers::{ConnectedIssuer, RouteError};

/// What this process has seen of its issuers within the last hour.
#[derive(Default)]
pub(crate) struct Figures(Mutex<HashMap<IssuerId, Seen>>);

#[derive(Default)]
struct Seen {
    breaker: Breaker,
    /// By minute, the oldest first.
    minutes: VecDeque<(i64, Counts)>,
    last_error: Option<(Timestamp, String)>,
}

/// How often an issuer was asked, and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub asked: u64,
    /// Signed, taken, or refused for a reason of the request's.
    pub answered: u64,
    /// Not reached, no answer, or none that makes sense.
    pub failed: u64,
}

/// What is drawn for each profile when an issuer is chosen: evenly spread, so that the shares of the
/// load are the weights after some dozens of requests already, and not after thousands.
#[derive(Default)]
pub(crate) struct Draws(Mutex<HashMap<String, f64>>);

impl Draws {
    /// The next one, uniform in 0..1; the first of a profile is `first`.
    fn next(&self, profile: &str, first: f64) -> f64 {
        let mut all = self.0.lock();
        match all.get_mut(profile) {
            Some(last) => {
                // Weyl's sequence of the golden ratio: no other leaves smaller gaps.
                *last = (*last + GOLDEN_RATIO).fract();
                *last
            }
            None => *all.entry(profile.to_owned()).or_insert(first),
        }
    }
}

const GOLDEN_RATIO: f64 = 0.618_033_988_749_894_9;

/// How an issuer does, as this process sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveFigures {
    pub breaker: BreakerState,
    pub failures_in_a_row: u32,
    /// Of the last hour.
    pub counts: Counts,
    /// Its part of all that was asked of issuers in the last hour, 0 to 1.
    pub share: f64,
    pub last_error: Option<(Timestamp, String)>,
    pub usage: Vec<Usage>,
}

impl Figures {
    fn with<T>(&self, id: &IssuerId, now: Timestamp, act: impl FnOnce(&mut Seen) -> T) -> T {
        let mut all = self.0.lock();
        let seen = all.entry(id.clone()).or_default();
        seen.forget_before(now);
        act(seen)
    }

    fn standing(&self, id: &IssuerId, now: Timestamp) -> Standing {
        self.with(id, now, |seen| seen.breaker.standing(now))
    }

    pub(crate) fn asked(&self, id: &IssuerId, now: Timestamp) {
        self.with(id, now, |seen| {
            seen.breaker.asked(now);
            seen.minute(now).asked += 1;
        });
    }

    pub(crate) fn answered(&self, id: &IssuerId, now: Timestamp) {
        self.with(id, now, |seen| {
            seen.breaker.answered();
            seen.minute(now).answered += 1;
        });
    }

    /// Says whether the issuer is left alone from now on, which it was not before.
    pub(crate) fn failed(&self, id: &IssuerId, now: Timestamp, error: &str) -> bool {
        self.with(id, now, |seen| {
            seen.minute(now).failed += 1;
            seen.last_error = Some((now, error.chars().take(300).collect()));
            seen.breaker.failed(now)
        })
    }

    /// Whether the issuer is left alone.
    pub(crate) fn rests(&self, id: &IssuerId, now: Timestamp) -> bool {
        let state = self.with(id, now, |seen| seen.breaker.state(now));
        matches!(state, BreakerState::Open { .. })
    }

    /// Whether the issuer's last answer was none.
    fn fails(&self, id: &IssuerId, now: Timestamp) -> bool {
        self.with(id, now, |seen| seen.breaker.failures() > 0)
    }

    fn counts(&self, now: Timestamp) -> (u64, HashMap<IssuerId, Counts>) {
        let mut all = self.0.lock();
        let mut counts = HashMap::new();
        for (id, seen) in all.iter_mut() {
            seen.forget_before(now);
            counts.insert(id.clone(), seen.total());
        }
        (counts.values().map(|counts| counts.asked).sum(), counts)
    }
}

impl Seen {
    fn minute(&mut self, now: Timestamp) -> &mut Counts {
        let minute = now.seconds().div_euclid(60);
        if self.minutes.back().is_none_or(|(last, _)| *last != minute) {
            self.minutes.push_back((minute, Counts::default()));
        }
        // Unwrap safety: one was just put there if there was none.
        &mut self.minutes.back_mut().expect("there is a minute").1
    }

    /// What is older than an hour, or of a time that a clock has been set back from.
    fn forget_before(&mut self, now: Timestamp) {
        let minute = now.seconds().div_euclid(60);
        self.minutes
            .retain(|(of, _)| (minute - 59..=minute).contains(of));
    }

    fn total(&self) -> Counts {
        let mut total = Counts::default();
        for (_, counts) in &self.minutes {
            total.asked += counts.asked;
            total.answered += counts.answered;
            total.failed += counts.failed;
        }
        total
    }
}

impl Lifecycle {
    /// Chooses who signs a request: by condition, order of preference and weight, among those that are
    /// fit to.
    pub(crate) async fn route(
        &self,
        request: &EnrollmentRequest,
        now: Timestamp,
    ) -> Result<Arc<ConnectedIssuer>, RouteError> {
        self.route_after(request, 0, now).await
    }

    /// The same after so many issuers that were not reached: whoever failed last and has not answered
    /// since is left to others, or the same request would try the same issuer for ever.
    pub(crate) async fn route_after(
        &self,
        request: &EnrollmentRequest,
        attempts: u32,
        now: Timestamp,
    ) -> Result<Arc<ConnectedIssuer>, RouteError> {
        let choices = &request.profile.spec.issuers;
        let list = self.connected_issuers().await?;
        let mut standings: HashMap<&str, Standing> = HashMap::new();
        for choice in choices {
            let found = list.iter().find(|c| c.issuer.name == choice.issuer);
            let standing = match found {
                None => Standing::Out(OutReason::NotConnected),
                Some(connected) => match self.standing(connected, now).await? {
                    Standing::Fit
                        if attempts > 0 && self.figures.fails(&connected.issuer.id, now) =>
                    {
                        Standing::Resting { until: now }
                    }
                    standing => standing,
                },
            };
            standings.insert(&choice.issuer, standing);
        }
        let conditions = || choices.iter().filter_map(|choice| choice.when.as_ref());
        let team = match conditions().any(|when| !when.teams.is_empty()) {
            true => self.name_of_team(request).await?,
            false => None,
        };
        let metadata = match conditions().any(RouteCondition::reads_metadata) {
            true => self.resolve_metadata(request.subject()).await?.values,
            false => BTreeMap::new(),
        };
        let facts = RouteFacts {
            names: &request.identifiers,
            team: team.as_deref(),
            metadata: &metadata,
        };
        let standing = |name: &str| {
            let found = standings.get(name).copied();
            found.unwrap_or(Standing::Out(OutReason::Unknown))
        };
        let draw = match attempts {
            0 => self.draws.next(&request.profile.name, self.draw()),
            // What is asked for again has taken its turn.
            _ => self.draw(),
        };
        let chosen = route(choices, &facts, standing, draw)?;
        let found = list.iter().find(|c| c.issuer.name == chosen.issuer);
        found.cloned().ok_or(RouteError::Gone)
    }

    async fn standing(
        &self,
        connected: &ConnectedIssuer,
        now: Timestamp,
    ) -> Result<Standing, StoreError> {
        let issuer = &connected.issuer;
        if issuer.state != IssuerState::Active {
            return Ok(Standing::Out(OutReason::Retired));
        }
        if connected.connector.not_after() <= now {
            return Ok(Standing::Out(OutReason::Ended));
        }
        let spent = self.usage_of(issuer, now).await?;
        if let Some(until) = spent.iter().filter_map(Usage::spent_until).max() {
            return Ok(Standing::Spent { until });
        }
        Ok(self.figures.standing(&issuer.id, now))
    }

    /// How much of its limits an issuer has used; nothing where it has none.
    pub(crate) async fn usage_of(
        &self,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<Vec<Usage>, StoreError> {
        if issuer.limits.is_unlimited() {
            return Ok(Vec::new());
        }
        let id = issuer.id.clone();
        let used = self
            .store
            .read("issuer.usage", |tx| {
                Box::pin(async move { tx.list_issuer_usage(&id).await })
            })
            .await?;
        let of = |(period, limit): (Period, u64)| {
            let (begins, resets_at) = period.around(now);
            let found = used
                .iter()
                .find(|used| used.period == period.name() && used.begins_at == begins);
            Usage {
                period,
                used: found.map_or(0, |used| used.used),
                limit,
                resets_at,
            }
        };
        Ok(issuer.limits.each().map(of).collect())
    }

    /// Takes one certificate off what the issuer may still sign, or says until when there is none.
    pub(crate) async fn spend(
        &self,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<Result<(), Timestamp>, StoreError> {
        if issuer.limits.is_unlimited() {
            return Ok(Ok(()));
        }
        let (id, limits) = (issuer.id.clone(), issuer.limits);
        let spent = self
            .store
            .write("issuer.spend", move |tx| {
                Box::pin(async move {
                    for (period, limit) in limits.each() {
                        tx.spend_issuer_usage(&id, period, limit, now).await?;
                    }
                    Ok::<_, SpendError>(())
                })
            })
            .await;
        match spent {
            Ok(()) => Ok(Ok(())),
            Err(SpendError::Spent { until }) => Ok(Err(until)),
            Err(SpendError::Store(error)) => Err(error),
        }
    }

    /// How an issuer does, as this process sees it.
    pub async fn live_figures(&self, issuer: &Issuer) -> Result<LiveFigures, StoreError> {
        let now = self.now();
        let (total, mut counts) = self.figures.counts(now);
        let counts = counts.remove(&issuer.id).unwrap_or_default();
        let usage = self.usage_of(issuer, now).await?;
        Ok(self.figures.with(&issuer.id, now, |seen| LiveFigures {
            breaker: seen.breaker.state(now),
            failures_in_a_row: seen.breaker.failures(),
            #[expect(clippy::cast_precision_loss, reason = "a share, not a count")]
            share: match total {
                0 => 0.0,
                total => counts.asked as f64 / total as f64,
            },
            counts,
            last_error: seen.last_error.clone(),
            usage,
        }))
    }

    async fn name_of_team(
        &self,
        request: &EnrollmentRequest,
    ) -> Result<Option<String>, StoreError> {
        let Some(id) = request.team.clone() else {
            return Ok(None);
        };
        let found = self
            .store
            .read("team.find", |tx| {
                Box::pin(async move { tx.find_team(&id).await })
            })
            .await?;
        Ok(found.map(|team| team.name))
    }
}

/// How long a request waits for an issuer that took it before it is asked again: a tenth of the time
/// that has gone by, so that a CA behind which people decide is not asked all day.
pub(crate) fn poll_wait(since: Timestamp, now: Timestamp) -> Duration {
    const SHORTEST: Duration = Duration::from_secs(5);
    const LONGEST: Duration = Duration::from_secs(60 * 60);
    (now.since(since) / 10).clamp(SHORTEST, LONGEST)
}
