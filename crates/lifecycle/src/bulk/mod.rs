//! Bulk actions: looked at as a plan, run as they were looked at, paced, paused, ended.

mod metadata;
mod plan;
mod run;

use domain::bulk::{
    Bulk, BulkCommand, BulkCommandError, BulkCounts, BulkItem, BulkOutcome, BulkState,
};
use domain::id::{BulkId, CertificateId};
use serde_json::json;
use store::StoreError;

pub use plan::{BulkPlan, PlanError, Selection};

use crate::Lifecycle;
use crate::actor::Caller;
use crate::jobs::Job;

/// A bulk action and how far it is.
#[derive(Clone, Debug)]
pub struct BulkView {
    pub bulk: Bulk,
    pub counts: BulkCounts,
}

/// Why a command is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("there is no bulk action {0}")]
    Unknown(BulkId),
    #[error("only who planned it may run it: what one person looked at is not another's to start")]
    NotYours,
    #[error(transparent)]
    State(#[from] BulkCommandError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// The bulk action with that id.
    pub async fn bulk(&self, id: &BulkId) -> Result<Option<BulkView>, StoreError> {
        let id = id.clone();
        self.store
            .scan("bulk.find", move |tx| {
                Box::pin(async move {
                    let Some(bulk) = tx.find_bulk(&id).await? else {
                        return Ok(None);
                    };
                    let counts = tx.count_bulk_items(&id).await?;
                    Ok(Some(BulkView { bulk, counts }))
                })
            })
            .await
    }

    /// Bulk actions, all or those of one planner, newest first.
    pub async fn list_bulks(
        &self,
        planner: Option<String>,
        after: Option<BulkId>,
        limit: u32,
    ) -> Result<Vec<BulkView>, StoreError> {
        self.store
            .scan("bulk.list", move |tx| {
                Box::pin(async move {
                    let mut views = Vec::new();
                    for bulk in tx
                        .list_bulks(planner.as_deref(), after.as_ref(), limit)
                        .await?
                    {
                        let counts = tx.count_bulk_items(&bulk.id).await?;
                        views.push(BulkView { bulk, counts });
                    }
                    Ok(views)
                })
            })
            .await
    }

    /// The certificates of a bulk action, all or those of one outcome.
    pub async fn list_bulk_items(
        &self,
        id: &BulkId,
        outcome: Option<BulkOutcome>,
        after: Option<CertificateId>,
        limit: u32,
    ) -> Result<Vec<BulkItem>, StoreError> {
        let id = id.clone();
        self.store
            .scan("bulk.items", move |tx| {
                Box::pin(async move {
                    tx.list_bulk_items(&id, outcome, after.as_ref(), limit)
                        .await
                })
            })
            .await
    }

    /// Runs, pauses, resumes or cancels. What a running action has done stays done.
    pub async fn command_bulk(
        &self,
        id: &BulkId,
        command: BulkCommand,
        caller: &Caller,
    ) -> Result<(), CommandError> {
        let now = self.now();
        let who = caller.actor.clone();
        let name = match command {
            BulkCommand::Run => "bulk.started",
            BulkCommand::Pause => "bulk.paused",
            BulkCommand::Resume => "bulk.resumed",
            BulkCommand::Cancel => "bulk.cancelled",
        };
        let mut event = self.event(caller, name, id.as_str(), json!({}));
        let job = self.new_job(&Job::RunBulk { bulk: id.clone() }, now);
        let id = id.clone();
        self.store
            .write("bulk.command", move |tx| {
                Box::pin(async move {
                    let mut bulk = tx
                        .find_bulk_for_update(&id)
                        .await?
                        .ok_or_else(|| CommandError::Unknown(id.clone()))?;
                    let is_planner = bulk.planner.kind == who.kind && bulk.planner.id == who.id;
                    if command == BulkCommand::Run && !is_planner {
                        return Err(CommandError::NotYours);
                    }
                    let before = bulk.state;
                    bulk.state = bulk.after(command, now)?;
                    match bulk.state {
                        BulkState::Running => {
                            bulk.started_at.get_or_insert(now);
                            tx.enqueue_or_hasten(&job).await?;
                        }
                        BulkState::Cancelled => bulk.finished_at = Some(now),
                        BulkState::Planned | BulkState::Paused | BulkState::Finished => {}
                    }
                    event.data = json!({
                        "action": bulk.action, "before": before, "after": bulk.state,
                    });
                    tx.update_bulk(&bulk).await?;
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await?;
        self.jobs.notify();
        Ok(())
    }

    /// Deletes named requests whose time is over, and bulk actions that ended long ago.
    pub(crate) async fn purge_attempts_and_bulks(&self) -> Result<(), StoreError> {
        let now = self.now();
        let before = now - self.settings.retention;
        self.store
            .write("clean_up.passing", move |tx| {
                Box::pin(async move {
                    tx.purge_attempts(now).await?;
                    tx.purge_bulks(before).await.map(drop)
                })
            })
            .await
    }
}
