//! How each issuer is: looked at every quarter of an hour, and told when it changes.

mod answers;
mod published;

use std::time::Duration;

use domain::event::Event;
use domain::id::IssuerId;
use domain::issuer::published::{Published, PublishedKind};
use domain::issuer::{Aspect, Backlog, CheckReport, Finding, Issuer, IssuerState, Outcome};
use pki::certificate::Certificate;
use pki::crl::Crl;
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
    /// Where a CA elsewhere tells of revocations, and how that was found.
    #[serde(default)]
    pub published: Vec<Published>,
    /// What waits for a CA elsewhere.
    #[serde(default)]
    pub backlog: Backlog,
}

/// What a look brought.
#[derive(Default)]
struct Look {
    report: CheckReport,
    published: Vec<Published>,
    backlog: Backlog,
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
            let before = self.issuer_health(&issuer.id).await?;
            let found = connected.iter().find(|one| one.issuer.id == issuer.id);
            let look = match found {
                Some(connected) => self.examine(connected, before.as_ref()).await?,
                None => {
                    let mut look = Look::default();
                    let text = "it cannot be connected; its test says why";
                    look.report.failed(Aspect::Reach, text);
                    look
                }
            };
            self.note_health(&issuer, before, look).await?;
        }
        Ok(self.now() + PAUSE)
    }

    async fn examine(
        &self,
        connected: &ConnectedIssuer,
        before: Option<&IssuerHealth>,
    ) -> Result<Look, StoreError> {
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
        let mut look = Look::default();
        if connected.connector.local_ca().is_some() {
            self.examine_crl(connected, now, &mut report).await?;
        } else {
            let before = before.map_or(&[][..], |before| &before.published);
            let found = self
                .examine_published(connected, before, &mut report)
                .await?;
            look.published = found;
            let issuer = &connected.issuer;
            look.backlog = self.examine_backlog(issuer, now, &mut report).await?;
        }
        self.examine_answers(&connected.issuer, &mut report).await?;
        look.report = report;
        Ok(look)
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
        } else if !is_signed_by(&crl.der, connected) {
            let text = "the CRL is not signed by the key of the CA's certificate; \
                        `certwright issuer refresh-crl` makes another one";
            report.failed(Aspect::Revocation, text);
        } else {
            report.passed(
                Aspect::Revocation,
                format!("the CRL is fresh until {}", crl.next_update),
            );
        }
        Ok(())
    }

    /// Keeps what was found. An issuer that is well or unwell since this look is an event.
    async fn note_health(
        &self,
        issuer: &Issuer,
        before: Option<IssuerHealth>,
        look: Look,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let report = look.report;
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
        show_figures(issuer, healthy, &look.published);
        let event = changed.then(|| self.health_event(issuer, healthy, &findings));
        let health = IssuerHealth {
            healthy,
            since,
            checked_at: now,
            findings,
            published: look.published,
            backlog: look.backlog,
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

/// Whether the key in the CA's certificate made the signature.
fn is_signed_by(crl: &[u8], connected: &ConnectedIssuer) -> bool {
    let Some(Ok(own)) = connected.connector.chain().leaf() else {
        return false;
    };
    Crl::from_der(crl).is_ok_and(|crl| crl.is_signed_with(&own.public_key))
}

fn show_figures(issuer: &Issuer, healthy: bool, published: &[Published]) {
    metrics::gauge!("certwright_issuer_healthy", "issuer" => issuer.name.clone()).set(if healthy {
        1.0
    } else {
        0.0
    });
    let at = |time: Timestamp| {
        #[expect(clippy::cast_precision_loss, reason = "seconds are small enough")]
        let seconds = time.seconds() as f64;
        seconds
    };
    let ends = issuer.chain().certificates().iter();
    let ends = ends.filter_map(|der| Certificate::from_der(der).ok());
    if let Some(end) = ends.map(|certificate| certificate.not_after).min() {
        metrics::gauge!("certwright_issuer_chain_not_after_seconds", "issuer" => issuer.name.clone())
            .set(at(end));
    }
    for (kind, name) in [(PublishedKind::Crl, "crl"), (PublishedKind::Ocsp, "ocsp")] {
        let of_kind = published.iter().filter(|one| one.kind == kind);
        if let Some(end) = of_kind.filter_map(|one| one.fresh_until).min() {
            metrics::gauge!("certwright_issuer_published_fresh_until_seconds",
                "issuer" => issuer.name.clone(), "kind" => name)
            .set(at(end));
        }
    }
}

fn setting(issuer: &IssuerId) -> String {
    format!("issuer-health/{issuer}")
}

const PAUSE: Duration = Duration::from_secs(15 * 60);
const PATIENCE: Duration = Duration::from_secs(20);
