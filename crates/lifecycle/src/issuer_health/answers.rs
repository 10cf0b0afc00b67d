//! What requests to an issuer met with of late, and what still waits for it.

use std::time::Duration;

use domain::issuer::{Aspect, Backlog, BreakerState, CheckReport, Issuer, Outcome};
use pki::time::Timestamp;
use store::StoreError;

use crate::Lifecycle;

impl Lifecycle {
    /// What requests of the last hour met with.
    pub(super) async fn examine_answers(
        &self,
        issuer: &Issuer,
        report: &mut CheckReport,
    ) -> Result<(), StoreError> {
        let figures = self.live_figures(issuer).await?;
        let counts = figures.counts;
        match figures.breaker {
            BreakerState::Closed => {}
            BreakerState::Open { .. } | BreakerState::HalfOpen => {
                let text = figures.last_error.map_or_else(
                    || "it failed too often".to_owned(),
                    |(_, error)| format!("it failed too often, last: {error}"),
                );
                report.failed(Aspect::Answers, text);
            }
        }
        if counts.asked >= ENOUGH && counts.failed * 10 >= counts.asked {
            let text = format!(
                "{} of {} requests of the last hour failed",
                counts.failed, counts.asked
            );
            let outcome = match counts.failed * 2 > counts.asked {
                true => Outcome::Failed,
                false => Outcome::Warning,
            };
            report.note(Aspect::Answers, outcome, text);
        }
        for usage in figures.usage {
            if usage.used * 10 >= usage.limit * 9 {
                let text = format!(
                    "{} of {} certificates of this {} are used; it begins anew at {}",
                    usage.used,
                    usage.limit,
                    usage.period.name(),
                    usage.resets_at
                );
                report.note(Aspect::Limits, Outcome::Warning, text);
            }
        }
        Ok(())
    }

    /// What waits for a CA elsewhere.
    pub(super) async fn examine_backlog(
        &self,
        issuer: &Issuer,
        now: Timestamp,
        report: &mut CheckReport,
    ) -> Result<Backlog, StoreError> {
        let id = issuer.id.clone();
        let backlog = self
            .store
            .read("issuer.backlog", |tx| {
                Box::pin(async move { tx.issuer_backlog(&id).await })
            })
            .await?;
        judge_backlog(&backlog, now, report);
        let gauge = |state: &'static str, count: u64| {
            #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
            metrics::gauge!("certwright_issuer_backlog", "issuer" => issuer.name.clone(), "state" => state)
                .set(count as f64);
        };
        gauge("unanswered", backlog.unanswered);
        gauge("pending", backlog.pending);
        let oldest = backlog.oldest().map_or(Duration::ZERO, |at| now.since(at));
        metrics::gauge!("certwright_issuer_backlog_oldest_seconds", "issuer" => issuer.name.clone())
            .set(oldest.as_secs_f64());
        Ok(backlog)
    }
}

fn judge_backlog(backlog: &Backlog, now: Timestamp, report: &mut CheckReport) {
    if let Some(since) = backlog.unanswered_since
        && now.since(since) >= NO_ANSWER
    {
        let text = format!(
            "{} requests got no answer yet, the oldest waits since {since}; they are asked again by \
             themselves, `certwright enrollment list --status signing` shows them",
            backlog.unanswered
        );
        report.failed(Aspect::Backlog, text);
    }
    if let Some(since) = backlog.pending_since
        && now.since(since) >= NO_DECISION
    {
        let text = format!(
            "{} requests lie at the CA, the oldest since {since}: does somebody there have to agree?",
            backlog.pending
        );
        report.note(Aspect::Backlog, Outcome::Warning, text);
    }
    if backlog.unanswered + backlog.pending >= MANY {
        let text = format!(
            "{} requests wait for it; give the profiles another issuer beside it if it cannot keep up",
            backlog.unanswered + backlog.pending
        );
        report.note(Aspect::Backlog, Outcome::Warning, text);
    }
}

/// Fewer requests say nothing about a rate.
const ENOUGH: u64 = 10;
/// A CA that is up answers sooner, be it that the request has to wait.
const NO_ANSWER: Duration = Duration::from_secs(60 * 60);
/// People who decide have had a day.
const NO_DECISION: Duration = Duration::from_secs(24 * 60 * 60);
const MANY: u64 = 1_000;
