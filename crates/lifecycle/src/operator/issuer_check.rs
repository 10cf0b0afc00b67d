//! A look at an issuer: whether it is reached, knows us, lets us do what we have to.

use std::sync::Arc;
use std::time::Duration;

use domain::certificate::Chain;
use domain::issuer::{Aspect, CheckReport, Issuer, IssuerConnector, Outcome};
use pki::certificate::Certificate;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;

use super::ca_chain::CaChain;
use super::issuers::IssuerError;
use super::version_after;
use crate::Lifecycle;
use crate::actor::Caller;

impl Lifecycle {
    /// Looks at an issuer now, in service or not, and keeps what it says of its own certificates.
    pub async fn test_issuer(
        &self,
        name: &str,
        caller: &Caller,
    ) -> Result<CheckReport, IssuerError> {
        let issuer = self.require_issuer(name).await?;
        let report = match self.issuers.try_connect(&issuer) {
            Ok(connector) => self.look_at(&issuer, connector).await?,
            Err(error) => {
                let mut report = CheckReport::default();
                report.failed(Aspect::Reach, error.to_string());
                report
            }
        };
        let data = json!({
            "name": issuer.name, "passed": report.is_sound(), "findings": report.findings,
        });
        let event = self.event(caller, "issuer.tested", issuer.id.as_str(), data);
        self.store
            .write("issuer.test", move |tx| {
                Box::pin(async move { tx.insert_event(&event).await })
            })
            .await?;
        Ok(report)
    }

    /// Everything that can be found out within [`PATIENCE`].
    async fn look_at(
        &self,
        issuer: &Issuer,
        connector: Arc<dyn IssuerConnector>,
    ) -> Result<CheckReport, StoreError> {
        let abilities = connector.abilities();
        let mut report = CheckReport::default();
        if let Some(health) = abilities.health {
            match tokio::time::timeout(PATIENCE, health.check()).await {
                Ok(found) => report = found,
                Err(_) => report.failed(
                    Aspect::Reach,
                    format!(
                        "there was no complete answer within {} s",
                        PATIENCE.as_secs()
                    ),
                ),
            }
        }
        let mut chain = issuer.chain().clone();
        if let Some(fetch) = abilities.chain {
            match tokio::time::timeout(PATIENCE, fetch.fetch_chain()).await {
                Ok(Ok(fetched)) => {
                    if let Some(fetched) = self.keep_chain(issuer, &fetched, &mut report).await? {
                        chain = fetched;
                    }
                }
                Ok(Err(error)) => {
                    let text = format!("the CA's certificates are not to be had: {error}");
                    report.note(Aspect::Chain, Outcome::Warning, text);
                }
                Err(_) => report.note(
                    Aspect::Chain,
                    Outcome::Warning,
                    "the CA's certificates did not come in time",
                ),
            }
        }
        judge_chain(&chain, self.now(), &mut report);
        report.findings.sort_by_key(|finding| finding.aspect);
        Ok(report)
    }

    /// Stores what the CA says its chain is, where it is one and is new.
    async fn keep_chain(
        &self,
        issuer: &Issuer,
        fetched: &Chain,
        report: &mut CheckReport,
    ) -> Result<Option<Chain>, StoreError> {
        let chain = match CaChain::check_remote(fetched.certificates(), self.now()) {
            Ok(chain) => chain.chain(),
            Err(error) => {
                report.failed(Aspect::Chain, format!("the CA's certificates: {error}"));
                return Ok(None);
            }
        };
        if chain == issuer.remote_chain {
            return Ok(Some(chain));
        }
        let data = json!({
            "name": issuer.name,
            "before": issuer.remote_chain.to_pem(),
            "after": chain.to_pem(),
        });
        let event = self.event(
            &Caller::system(),
            "issuer.chain_fetched",
            issuer.id.as_str(),
            data,
        );
        let (id, fresh, now) = (issuer.id.clone(), chain.clone(), self.now());
        self.store
            .write("issuer.chain", move |tx| {
                Box::pin(async move {
                    let Some(mut issuer) = tx.find_issuer_for_update(&id).await? else {
                        return Ok::<_, StoreError>(());
                    };
                    issuer.remote_chain = fresh;
                    issuer.updated_at = version_after(issuer.updated_at, now);
                    tx.update_issuer(&issuer).await?;
                    tx.insert_event(&event).await
                })
            })
            .await?;
        self.issuers.invalidate();
        Ok(Some(chain))
    }
}

/// What can be said of a chain without asking anybody.
pub(crate) fn judge_chain(chain: &Chain, now: Timestamp, report: &mut CheckReport) {
    let already = report
        .findings
        .iter()
        .any(|finding| finding.aspect == Aspect::Chain);
    if chain.certificates().is_empty() {
        if !already {
            let text =
                "the CA's certificates are not known; answers carry their own, or give them as PEM";
            report.note(Aspect::Chain, Outcome::Warning, text);
        }
        return;
    }
    let mut ends = Vec::new();
    for der in chain.certificates() {
        match Certificate::from_der(der) {
            Ok(one) => ends.push((one.not_after, one.subject.to_string())),
            Err(error) => return report.failed(Aspect::Chain, error.to_string()),
        }
    }
    // A chain is as good as its first certificate to end, whichever that is.
    let Some((end, subject)) = ends.into_iter().min() else {
        return;
    };
    if end <= now {
        let text = format!(
            "the certificate of `{subject}` ended at {end}; renew it or move to another CA"
        );
        report.failed(Aspect::Chain, text);
    } else if end <= now + SOON {
        let text = format!(
            "the certificate of `{subject}` ends soon, at {end}: renew it or prepare another CA"
        );
        report.note(Aspect::Chain, Outcome::Warning, text);
    } else {
        report.passed(
            Aspect::Chain,
            format!("the CA's certificates are valid until {end}"),
        );
    }
}

const PATIENCE: Duration = Duration::from_secs(40);
/// A CA certificate is replaced in months, not days.
const SOON: Duration = Duration::from_secs(90 * 24 * 60 * 60);
