//! Absences and delegations: said by who is away, or by an administrator for somebody who cannot.

use domain::access::{Principal, Rights};
use domain::approval::{Delegation, DelegationFault};
use domain::id::DelegationId;
use domain::permission::Permission;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;
use store::delegations::DelegationFilter;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::jobs::Job;

/// An absence to be noted.
#[derive(Clone, Debug)]
pub struct NewDelegation {
    /// Who is away; whoever says so, where it is left out.
    pub principal: Option<Principal>,
    pub delegate: Option<Principal>,
    pub reason: String,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Timestamp,
}

/// Why an absence is not noted, or not ended.
#[derive(Debug, thiserror::Error)]
pub enum DelegationError {
    #[error("there is no delegation {0} that could be ended")]
    Unknown(DelegationId),
    #[error(
        "this speaks for somebody else, which takes the permission `access:administer`; \
         leave `principal` out to speak for yourself"
    )]
    NotYours,
    #[error("there is nobody with the id {0}")]
    NoSuchPrincipal(Principal),
    #[error("the reason is longer than {MAX_REASON} characters; make it shorter")]
    LongReason,
    #[error(transparent)]
    Fault(#[from] DelegationFault),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Notes that somebody is away, and who decides meanwhile.
    pub async fn delegate(
        &self,
        request: NewDelegation,
        by: (&Principal, &Rights),
        caller: &Caller,
    ) -> Result<Delegation, DelegationError> {
        let (own, rights) = by;
        let principal = request.principal.unwrap_or_else(|| own.clone());
        require_own(&principal, own, rights)?;
        for named in std::iter::once(&principal).chain(&request.delegate) {
            if !self.is_usable(named).await? {
                return Err(DelegationError::NoSuchPrincipal(named.clone()));
            }
        }
        if request.reason.chars().count() > MAX_REASON {
            return Err(DelegationError::LongReason);
        }
        let now = self.now();
        let delegation = Delegation {
            id: DelegationId::mint(now, &*self.random),
            principal,
            delegate: request.delegate,
            reason: request.reason,
            starts_at: request.starts_at.unwrap_or(now),
            ends_at: request.ends_at,
            created_by: caller.actor.id.clone(),
            created_at: now,
            ended_at: None,
        };
        delegation.check(now)?;
        let event = self.event(
            caller,
            "approval_delegation.created",
            delegation.id.as_str(),
            data_of(&delegation),
        );
        // Where nobody else is asked, the next are asked at once.
        let review = self.new_job(
            &Job::ReviewApprovals { profile: None },
            delegation.starts_at,
        );
        let stored = delegation.clone();
        self.store
            .write::<(), StoreError, _>("delegation.create", move |tx| {
                Box::pin(async move {
                    tx.insert_delegation(&stored).await?;
                    tx.insert_event(&event).await?;
                    tx.enqueue(&review).await.map(drop)
                })
            })
            .await?;
        self.jobs.notify();
        Ok(delegation)
    }

    /// Ends a delegation before its time.
    pub async fn end_delegation(
        &self,
        id: &DelegationId,
        by: (&Principal, &Rights),
        caller: &Caller,
    ) -> Result<(), DelegationError> {
        let unknown = || DelegationError::Unknown(id.clone());
        let wanted = id.clone();
        let found = self
            .store
            .read("delegation.find", |tx| {
                Box::pin(async move { tx.find_delegation(&wanted).await })
            })
            .await?
            .ok_or_else(unknown)?;
        require_own(&found.principal, by.0, by.1)?;
        let event = self.event(
            caller,
            "approval_delegation.ended",
            id.as_str(),
            data_of(&found),
        );
        let (ended, now) = (id.clone(), self.now());
        let was_there = self
            .store
            .write("delegation.end", move |tx| {
                Box::pin(async move {
                    let ended = tx.end_delegation(&ended, now).await?;
                    if ended {
                        tx.insert_event(&event).await?;
                    }
                    Ok::<_, StoreError>(ended)
                })
            })
            .await?;
        match was_there {
            true => Ok(()),
            false => Err(unknown()),
        }
    }

    /// Delegations that fit the filter, newest first.
    pub async fn list_delegations(
        &self,
        filter: DelegationFilter,
        after: Option<DelegationId>,
        limit: u32,
    ) -> Result<Vec<Delegation>, StoreError> {
        self.store
            .scan("delegation.list", move |tx| {
                Box::pin(async move { tx.list_delegations(&filter, after.as_ref(), limit).await })
            })
            .await
    }
}

fn require_own(
    principal: &Principal,
    own: &Principal,
    rights: &Rights,
) -> Result<(), DelegationError> {
    match principal == own || rights.allows(Permission::AccessAdminister, None) {
        true => Ok(()),
        false => Err(DelegationError::NotYours),
    }
}

fn data_of(delegation: &Delegation) -> serde_json::Value {
    json!({
        "principal": delegation.principal,
        "delegate": delegation.delegate,
        "reason": delegation.reason,
        "starts_at": delegation.starts_at,
        "ends_at": delegation.ends_at,
    })
}

const MAX_REASON: usize = 1000;
