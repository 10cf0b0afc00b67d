//! The dry run: which certificates, and which of them cannot be dealt with and why. Nothing changes.

use std::sync::Arc;

use domain::bulk::{
    Bulk, BulkAction, BulkItem, BulkOutcome, BulkState, MAX_CERTIFICATES, PLAN_LIFETIME,
};
use domain::certificate::InventoryCertificate;
use domain::id::{BulkId, CertificateId, TeamId};
use domain::permission::Permission;
use domain::policy::Violation;
use pki::revocation::RevocationReason;
use serde_json::json;
use store::StoreError;
use store::certificates::CertificateFilter;

use super::BulkView;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::issuance::AdmitError;
use crate::issuance::submit::ValidityWish;
use crate::renewal::{RenewError, Renewal, RenewalKey};

/// What is to be planned.
#[derive(Clone, Debug)]
pub struct BulkPlan {
    pub action: BulkAction,
    pub selection: Selection,
    /// Certificates per minute.
    pub per_minute: u32,
}

/// Which certificates.
#[derive(Clone, Debug)]
pub enum Selection {
    Ids(Vec<CertificateId>),
    Filter(Box<CertificateFilter>),
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("no certificate was selected")]
    Nothing,
    #[error("more than {MAX_CERTIFICATES} certificates were selected; select fewer at a time")]
    TooMany,
    #[error("`per_minute` must be from 1 to {MAX_PER_MINUTE}")]
    Rate,
    #[error("certificates cannot be revoked for the reason {0}; use another one")]
    Reason(RevocationReason),
    #[error("no metadata field is named; name those that are to change")]
    NoChange,
    #[error("{}", .0.iter().map(Violation::text).collect::<Vec<_>>().join("; "))]
    Metadata(Vec<Violation>),
    #[error("there is no team `{0}` that you may give certificates to")]
    NoSuchTeam(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a plan says of one certificate.
pub(super) enum Outlook {
    /// It will have its turn; perhaps with what will change.
    Fit(Option<String>),
    /// It is left alone, and why.
    Unfit(String),
}

impl Outlook {
    fn of(fault: Option<String>) -> Self {
        fault.map_or(Self::Fit(None), Self::Unfit)
    }
}

impl Lifecycle {
    /// Makes a plan: fixes the certificates, and says of each that cannot be dealt with why.
    pub async fn plan_bulk(
        self: &Arc<Self>,
        plan: BulkPlan,
        caller: &Caller,
    ) -> Result<BulkView, PlanError> {
        if !(1..=MAX_PER_MINUTE).contains(&plan.per_minute) {
            return Err(PlanError::Rate);
        }
        if let BulkAction::Revoke { reason } = &plan.action
            && !reason_is_fit(*reason)
        {
            return Err(PlanError::Reason(*reason));
        }
        if let BulkAction::EditMetadata { metadata } = &plan.action {
            self.check_change(metadata).await?;
        }
        self.check_target(&plan.action, caller).await?;
        let ids = self.select(plan.selection).await?;
        if ids.is_empty() {
            return Err(PlanError::Nothing);
        }
        let mut items = Vec::with_capacity(ids.len());
        for id in ids {
            let (outcome, detail) = match self.outlook(&plan.action, &id, caller).await? {
                Outlook::Fit(detail) => (BulkOutcome::Pending, detail),
                Outlook::Unfit(reason) => (BulkOutcome::Excluded, Some(reason)),
            };
            items.push(BulkItem {
                certificate: id,
                outcome,
                detail,
            });
        }
        let now = self.now();
        let bulk = Bulk {
            id: BulkId::mint(now, &*self.random),
            action: plan.action,
            planner: caller.actor.clone(),
            per_minute: plan.per_minute,
            state: BulkState::Planned,
            created_at: now,
            expires_at: now + PLAN_LIFETIME,
            started_at: None,
            finished_at: None,
        };
        self.store_plan(bulk, items, caller).await
    }

    async fn store_plan(
        &self,
        bulk: Bulk,
        items: Vec<BulkItem>,
        caller: &Caller,
    ) -> Result<BulkView, PlanError> {
        let event = self.event(
            caller,
            "bulk.planned",
            bulk.id.as_str(),
            json!({ "action": bulk.action, "certificates": items.len() }),
        );
        let view = self
            .store
            .write("bulk.plan", move |tx| {
                Box::pin(async move {
                    tx.insert_bulk(&bulk, &items).await?;
                    tx.insert_event(&event).await?;
                    let counts = tx.count_bulk_items(&bulk.id).await?;
                    Ok::<_, StoreError>(BulkView { bulk, counts })
                })
            })
            .await?;
        Ok(view)
    }

    /// Whoever gives certificates away may change them in the team that gets them, too.
    async fn check_target(&self, action: &BulkAction, caller: &Caller) -> Result<(), PlanError> {
        let BulkAction::Transfer { team } = action else {
            return Ok(());
        };
        let refuse = || PlanError::NoSuchTeam(team.clone().unwrap_or_else(|| "nobody".to_owned()));
        let target = match team {
            None => None,
            Some(name) => Some(self.team(name).await?.ok_or_else(refuse)?.id),
        };
        match caller.rights.allows(action.permission(), target.as_ref()) {
            true => Ok(()),
            false => Err(refuse()),
        }
    }

    async fn select(&self, selection: Selection) -> Result<Vec<CertificateId>, PlanError> {
        let mut ids = match selection {
            Selection::Ids(ids) => ids,
            Selection::Filter(filter) => self.select_by(*filter).await?,
        };
        ids.sort_unstable();
        ids.dedup();
        match ids.len() > MAX_CERTIFICATES {
            true => Err(PlanError::TooMany),
            false => Ok(ids),
        }
    }

    async fn select_by(&self, filter: CertificateFilter) -> Result<Vec<CertificateId>, PlanError> {
        let mut ids = Vec::new();
        let mut after = None;
        loop {
            let page = self
                .list_certificates(filter.clone(), after.take(), PAGE)
                .await?;
            let is_last = page.len() < PAGE as usize;
            ids.extend(page.into_iter().map(|certificate| certificate.id));
            if ids.len() > MAX_CERTIFICATES {
                return Err(PlanError::TooMany);
            }
            if is_last {
                return Ok(ids);
            }
            after = ids.last().cloned();
        }
    }

    /// What will become of a certificate, as far as can be told beforehand.
    async fn outlook(
        self: &Arc<Self>,
        action: &BulkAction,
        id: &CertificateId,
        caller: &Caller,
    ) -> Result<Outlook, StoreError> {
        // What is not seen is not there.
        let visible = caller.rights.visible(Permission::CertificatesRead);
        let found = self.certificate(id).await?;
        let Some(certificate) = found.filter(|found| visible.shows(found.team_id.as_ref())) else {
            return Ok(Outlook::Unfit(format!("there is no certificate {id}")));
        };
        if let Some(refusal) = refusal(action, certificate.team_id.as_ref(), caller) {
            return Ok(Outlook::Unfit(refusal));
        }
        match action {
            BulkAction::Renew => self.renewal_fault(id, caller).await.map(Outlook::of),
            BulkAction::Revoke { .. } => Ok(Outlook::of(revocation_fault(&certificate))),
            BulkAction::Transfer { .. } => Ok(Outlook::Fit(None)),
            BulkAction::EditMetadata { metadata } => {
                self.change_outlook(certificate, metadata).await
            }
        }
    }

    /// The whole decision is made as if to renew, and then nothing is signed or stored.
    async fn renewal_fault(
        self: &Arc<Self>,
        id: &CertificateId,
        caller: &Caller,
    ) -> Result<Option<String>, StoreError> {
        let submission = match self.renewal_submission(unchanged(id), None).await {
            Ok(submission) => submission,
            Err(RenewError::Store(error)) => return Err(error),
            Err(error) => return Ok(Some(error.to_string())),
        };
        let prepared = match self.prepare_submission(submission, caller).await {
            Ok(prepared) => prepared,
            Err(crate::issuance::SubmitError::Store(error)) => return Err(error),
            Err(error) => return Ok(Some(error.to_string())),
        };
        match self.admit(prepared.request).await {
            Ok(_) => Ok(None),
            Err(AdmitError::Store(error)) => Err(error),
            Err(error) => Ok(Some(error.to_string())),
        }
    }
}

/// Why somebody may not do this to what that team owns.
pub(super) fn refusal(
    action: &BulkAction,
    owner: Option<&TeamId>,
    caller: &Caller,
) -> Option<String> {
    let needed = action.permission();
    let refused = !caller.rights.allows(needed, owner);
    refused.then(|| format!("this needs the permission `{needed}` for whose it is"))
}

/// A renewal that changes nothing but the dates.
pub(super) fn unchanged(id: &CertificateId) -> Renewal {
    Renewal {
        key_evidence: None,
        attestation: None,
        certificate: id.clone(),
        key: RenewalKey::Same,
        validity: ValidityWish::default(),
        metadata: std::collections::BTreeMap::new(),
    }
}

fn revocation_fault(certificate: &InventoryCertificate) -> Option<String> {
    if certificate.issuer_id.is_none() {
        return Some("it was not issued here, so it cannot be revoked here".to_owned());
    }
    let revoked = certificate.revocation?;
    Some(format!("it is revoked already, since {}", revoked.at))
}

fn reason_is_fit(reason: RevocationReason) -> bool {
    let operator = domain::revocation::RevocationAuthority::Operator(String::new());
    domain::revocation::reason_is_allowed(&operator, reason)
}

const PAGE: u32 = 500;
const MAX_PER_MINUTE: u32 = 6_000;
