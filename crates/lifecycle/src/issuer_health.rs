//! How each issuer is: looked at every quarter of an hour, and told when it changes.

use std::time::Duration;

use domain::event::Event;
use domain::id::IssuerId;
use domain::issuer::{Aspect, BreakerState, CheckReport, Finding, Issuer, IssuerState, Outcome};
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::issuers::ConnectedIssuer;
use crate::operator::issuer_check::judge_chain;

/// How an issuer was when it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerHealth {
    pub healthy: bool,
    /// Since when it is so.
    pub since: Timestamp,
    pub checked_at: Timestamp,
    /// What does not work, or not for long.
    pub findings: Vec<Finding>,
}

impl Lifecycle {
    /// How an issuer was when it was last looked at; `None` before the first look.
    pub async fn issuer_health(&self, id: &IssuerId) -> Result<Option<IssuerHealth>, StoreError> {
        let name = setting(id);
        let text = self
            .store
            .read("issuer.health", |tx| {
                Box::pin(async move { tx.find_setting(&name).await })
            })
            .await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Looks at every issuer that is in service or still answers for what it signed.
    pub(crate) async fn watch_issuers(&self) -> Result<Timestamp, StoreError> {
        let connected = self.connected_issuers().await?;
        for issuer in self.list_issuers().await? {
            if issuer.state == IssuerState::AwaitingCertificate {
                continue;
            }
            let found = connected.iter().find(|one| one.issuer.id == issuer.id);
            let report = match found {
                Some(connected) => self.examine(connected).await?,
                None => {
                    let mut report = CheckReport::default();
                    report.failed(Aspect::Reach, "it cannot be connected; its test says why");
                    report
                }
            };
            self.note_health(&issuer, report).await?;
        }
        Ok(self.now() + PAUSE)
    }

    async fn examine(&self, connected: &ConnectedIssuer) -> Result<CheckReport, StoreError> {
        let now = self.now();
        let mut report = CheckReport::default();
        if let Some(health) = connected.connector.abilities().health
            && connected.issuer.state == IssuerState::Active
        {
            match tokio::time::timeout(PATIENCE, health.check()).await {
                Ok(found) => report = found,
                Err(_) => report.failed(Aspect::Reach, "there was no complete answer in time"),
            }
        }
        judge_chain(connected.connector.chain(), now, &mut report);
        if connected.connector.local_ca().is_some() {
            self.examine_crl(connected, now, &mut report).await?;
        }
        self.examine_answers(&connected.issuer, &mut report).await?;
        Ok(report)
    }

    /// Our own CRL: there, fresh, and signed by the key that the certificate has now.
    async fn examine_crl(
        &self,
        connected: &ConnectedIssuer,
        now: Timestamp,
        report: &mut CheckReport,
    ) -> Result<(), StoreError> {
        let Some(crl) = self.latest_crl(&connected.issuer.id).await? else {
            report.failed(Aspect::Revocation, "there is no CRL yet");
            return Ok(());
        };
        if crl.next_update <= now {
            let text = format!("the CRL is stale since {}", crl.next_update);
            report.failed(Aspect::Revocation, text);
        } else if crl.this_update > now {
            report.failed(Aspect::Revocation, "the CRL begins in the future");
        } else {
            report.passed(
                Aspect::Revocation,
                format!("the CRL is fresh until {}", crl.next_update),
            );
        }
        Ok(())
    }

    /// What requests of the last hour met with.
    async fn examine_answers(
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
        if counts.asked >= ENOUGH && counts.failed * 2 > counts.asked {
            let text = format!(
                "{} of {} requests of the last hour failed",
                counts.failed, counts.asked
            );
            report.failed(Aspect::Answers, text);
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

    /// Keeps what was found. An issuer that is well or unwell since this look is an event.
    async fn note_health(&self, issuer: &Issuer, report: CheckReport) -> Result<(), StoreError> {
        let now = self.now();
        let before = self.issuer_health(&issuer.id).await?;
        let healthy = report.is_sound();
        let changed = before
            .as_ref()
            .map_or(!healthy, |before| before.healthy != healthy);
        let since = match before {
            Some(before) if before.healthy == healthy => before.since,
            Some(_) | None => now,
        };
        let notable = report.findings.into_iter();
        let findings: Vec<Finding> = notable
            .filter(|finding| matches!(finding.outcome, Outcome::Failed | Outcome::Warning))
            .collect();
        metrics::gauge!("certwright_issuer_healthy", "issuer" => issuer.name.clone())
            .set(if healthy { 1.0 } else { 0.0 });
        let event = changed.then(|| self.health_event(issuer, healthy, &findings));
        let health = IssuerHealth {
            healthy,
            since,
            checked_at: now,
            findings,
        };
        let (name, text) = (setting(&issuer.id), serde_json::to_string(&health));
        let text = text.unwrap_or_default();
        self.store
            .write("issuer.health", move |tx| {
                Box::pin(async move {
                    tx.put_setting(&name, &text, now).await?;
                    match &event {
                        Some(event) => tx.insert_event(event).await,
                        None => Ok(()),
                    }
                })
            })
            .await
    }

    fn health_event(&self, issuer: &Issuer, healthy: bool, findings: &[Finding]) -> Event {
        let name = match healthy {
            true => "issuer.recovered",
            false => "issuer.unhealthy",
        };
        let data = json!({ "name": issuer.name, "findings": findings });
        self.event(&Caller::system(), name, issuer.id.as_str(), data)
    }
}

fn setting(issuer: &IssuerId) -> String {
    format!("issuer-health/{issuer}")
}

const PAUSE: Duration = Duration::from_secs(15 * 60);
const PATIENCE: Duration = Duration::from_secs(20);
/// Fewer requests say nothing about a rate.
const ENOUGH: u64 = 10;
