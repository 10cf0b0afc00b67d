//! When CAs elsewhere want their certificates renewed: asked, noted, and passed on to our own clients.

use std::time::Duration;

use domain::certificate::InventoryCertificate;
use domain::id::{CertificateId, IssuerId};
use domain::issuer::{Advised, IssueError};
use domain::renewal::{RenewalAdvice, RenewalWindow};
use pki::ari::CertId;
use pki::certificate::Certificate;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;
use store::renewal_advice::ToAskAbout;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::issuers::ConnectedIssuer;

/// Why a CA was not asked about all that is due; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum AdviceError {
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Asks an issuer's CA about the certificates that are due. Says when to go on; `None` for an issuer
    /// that has no way to be asked.
    pub(crate) async fn ask_renewal_advice(
        &self,
        issuer: &IssuerId,
    ) -> Result<Option<Timestamp>, AdviceError> {
        let now = self.now();
        let Some(connected) = self.issuer_by_id(issuer).await? else {
            return Ok(Some(now + LOOK));
        };
        let Some(advisor) = connected.connector.abilities().renewal else {
            return Ok(None);
        };
        let id = issuer.clone();
        let due = self
            .store
            .write("renewal_advice.due", move |tx| {
                Box::pin(async move {
                    tx.delete_renewal_advice_before(now).await?;
                    tx.list_to_ask_about(&id, now, PAGE).await
                })
            })
            .await?;
        let is_all = u32::try_from(due.len()).is_ok_and(|len| len < PAGE);
        for certificate in due {
            let advised = match advisor.advise(&certificate.der).await {
                Ok(None) => return Ok(Some(now + DAY)),
                Ok(Some(advised)) => Some(advised),
                // It knows nothing of this one, which says nothing of the others.
                Err(IssueError::Refused(_) | IssueError::Lint(_)) => None,
                Err(
                    error @ (IssueError::Unavailable(_)
                    | IssueError::NotReached(_)
                    | IssueError::Throttled { .. }),
                ) => {
                    return Err(error.into());
                }
            };
            self.note_advice(certificate, advised).await?;
        }
        Ok(Some(now + if is_all { LOOK } else { AT_ONCE }))
    }

    async fn note_advice(
        &self,
        certificate: ToAskAbout,
        advised: Option<Advised>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let ask_again = advised.as_ref().map_or(DAY, |advised| advised.ask_again);
        let advice = RenewalAdvice {
            window: advised.as_ref().map(|advised| advised.window),
            explanation_url: advised.and_then(|advised| advised.explanation_url),
            asked_at: now,
            ask_at: now + ask_again,
        };
        let known = self.renewal_advice(&certificate.id).await?;
        let before = known.and_then(|known| known.window);
        let event = (before != advice.window).then(|| {
            let told = |window: Option<RenewalWindow>| {
                window.map(|window| json!({ "start": window.start, "end": window.end }))
            };
            self.event(
                &Caller::system(),
                "certificate.renewal_advised",
                certificate.id.as_str(),
                json!({
                    "before": told(before), "after": told(advice.window),
                    "explanation_url": advice.explanation_url,
                }),
            )
        });
        self.store
            .write("renewal_advice.put", move |tx| {
                Box::pin(async move {
                    let end = certificate.not_after;
                    tx.put_renewal_advice(&certificate.id, &advice, end).await?;
                    match &event {
                        Some(event) => tx.insert_event(event).await,
                        None => Ok(()),
                    }
                })
            })
            .await
    }

    async fn renewal_advice(
        &self,
        certificate: &CertificateId,
    ) -> Result<Option<RenewalAdvice>, StoreError> {
        let id = certificate.clone();
        self.store
            .read("renewal_advice.find", |tx| {
                Box::pin(async move { tx.find_renewal_advice(&id).await })
            })
            .await
    }

    /// The window that the CA of a certificate gives it, with its page that says why.
    pub(crate) async fn advised(
        &self,
        certificate: &InventoryCertificate,
    ) -> Result<Option<RenewalWindow>, StoreError> {
        let advice = self.renewal_advice(&certificate.id).await?;
        Ok(advice.and_then(|advice| advice.window))
    }

    /// What the CA that signs calls the certificate that is replaced, where it signed that one as well
    /// and is told of such things (RFC 9773 section 5).
    pub(crate) async fn predecessor_at(
        &self,
        issuer: &ConnectedIssuer,
        replaced: Option<&CertificateId>,
    ) -> Result<Option<CertId>, StoreError> {
        let Some(id) = replaced.cloned() else {
            return Ok(None);
        };
        if issuer.connector.abilities().renewal.is_none() {
            return Ok(None);
        }
        let found = self
            .store
            .read("certificate.find", |tx| {
                Box::pin(async move { tx.find_certificate(&id).await })
            })
            .await?;
        let same = found.filter(|found| found.issuer_id.as_ref() == Some(&issuer.issuer.id));
        let parsed = same.and_then(|found| Certificate::from_der(&found.der).ok());
        Ok(parsed.as_ref().and_then(CertId::of))
    }
}

/// A quarter of an hour: no longer does a new certificate wait for its first question.
const LOOK: Duration = Duration::from_secs(15 * 60);
const AT_ONCE: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const PAGE: u32 = 100;
