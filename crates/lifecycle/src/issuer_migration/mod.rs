//! Moving what one issuer signed to another: planned, begun, paused, resumed, rolled back, reported.

mod plan;
mod run;

use domain::id::{CertificateId, MigrationId};
use domain::issuer_migration::{
    IssuerMigration, ItemState, MigrationCounts, MigrationState, NamedItem, Pace, Readiness,
};
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::jobs::Job;
pub use plan::{MigrationPlan, PlanRequest};

/// A migration and how far it is.
#[derive(Clone, Debug)]
pub struct MigrationView {
    pub migration: IssuerMigration,
    pub counts: MigrationCounts,
    pub wave: MigrationCounts,
    pub readiness: Vec<(Readiness, u64)>,
}

/// Why there is no migration, or it does not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error("there is no issuer `{0}`")]
    NoSuchIssuer(String),
    #[error("`from` and `to` are the same issuer")]
    Same,
    #[error("the issuer `{0}` is not active; activate it, and test it first")]
    NotActive(String),
    #[error("the issuer `{0}` cannot be connected; test it first")]
    NotConnected(String),
    #[error("{0}")]
    Pace(&'static str),
    #[error("more than {MAX_CERTIFICATES} certificates were selected; select fewer with a filter")]
    TooMany,
    #[error("nothing is to be moved: no valid certificate and no profile of `{0}` fits")]
    Nothing(String),
    #[error("another migration from `{0}` is under way; let it end first")]
    UnderWay(String),
    #[error("there is no migration {0}")]
    Unknown(MigrationId),
    #[error("the migration is {0}; that cannot be done now")]
    State(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) const MAX_CERTIFICATES: usize = 100_000;

impl Lifecycle {
    /// Migrations, newest first.
    pub async fn list_issuer_migrations(
        &self,
        after: Option<MigrationId>,
        limit: u32,
    ) -> Result<Vec<IssuerMigration>, StoreError> {
        self.store
            .read("issuer_migration.list", |tx| {
                Box::pin(async move { tx.list_issuer_migrations(after.as_ref(), limit).await })
            })
            .await
    }

    /// One migration, and how far it is.
    pub async fn issuer_migration(
        &self,
        id: &MigrationId,
    ) -> Result<Option<MigrationView>, StoreError> {
        let id = id.clone();
        self.store
            .read("issuer_migration.find", |tx| {
                Box::pin(async move {
                    let Some(migration) = tx.find_issuer_migration(&id).await? else {
                        return Ok(None);
                    };
                    Ok(Some(MigrationView {
                        counts: tx.count_migration_items(&id, None).await?,
                        wave: tx.count_migration_items(&id, Some(migration.wave)).await?,
                        readiness: tx.count_migration_readiness(&id).await?,
                        migration,
                    }))
                })
            })
            .await
    }

    /// Certificates of a migration, in the order of their ids.
    pub async fn issuer_migration_items(
        &self,
        id: &MigrationId,
        state: Option<ItemState>,
        after: Option<CertificateId>,
        limit: u32,
    ) -> Result<Vec<NamedItem>, StoreError> {
        let id = id.clone();
        self.store
            .read("issuer_migration.items", |tx| {
                Box::pin(async move {
                    tx.list_migration_items(&id, state, after.as_ref(), limit)
                        .await
                })
            })
            .await
    }

    /// Plans a migration and begins it: profiles are routed, and the first wave is pulled forward.
    pub async fn begin_issuer_migration(
        &self,
        request: PlanRequest,
        caller: &Caller,
    ) -> Result<MigrationView, MigrationError> {
        let pace = request.pace;
        let (from, to) = (request.from.clone(), request.to.clone());
        let plan = self.plan_issuer_migration(request).await?;
        let now = self.now();
        let migration = IssuerMigration {
            id: MigrationId::mint(now, &*self.random),
            from: plan.from.clone(),
            to: plan.to.clone(),
            pace,
            state: MigrationState::Running,
            wave: 0,
            wave_started_at: None,
            judged_wave: 0,
            routed: false,
            routes_before: plan.routes.clone(),
            created_by: caller.actor.clone(),
            created_at: now,
            finished_at: None,
        };
        let event = self.event(
            caller,
            "issuer_migration.begun",
            migration.id.as_str(),
            json!({
                "from": from, "to": to, "certificates": plan.items.len(), "pace": pace,
                "profiles": plan.routes,
            }),
        );
        let id = migration.id.clone();
        let job = self.new_job(
            &Job::RunIssuerMigration {
                migration: id.clone(),
            },
            now,
        );
        self.store
            .write("issuer_migration.begin", move |tx| {
                Box::pin(async move {
                    let others = tx.list_issuer_migrations(None, 100).await?;
                    let is_busy = others
                        .iter()
                        .any(|other| !other.state.is_over() && other.from == migration.from);
                    if is_busy {
                        return Err(MigrationError::UnderWay(from));
                    }
                    tx.insert_issuer_migration(&migration, &plan.items).await?;
                    tx.enqueue(&job).await?;
                    Ok(tx.insert_event(&event).await?)
                })
            })
            .await?;
        self.jobs.notify();
        let view = self.issuer_migration(&id).await?;
        view.ok_or(MigrationError::Unknown(id))
    }

    /// Nothing new is pulled forward until it is resumed.
    pub async fn pause_issuer_migration(
        &self,
        id: &MigrationId,
        caller: &Caller,
    ) -> Result<MigrationView, MigrationError> {
        let reason = caller.why.clone();
        let reason = reason.unwrap_or_else(|| "somebody paused it".to_owned());
        self.command_migration(id, "issuer_migration.paused", caller, move |migration| {
            match migration.state {
                MigrationState::Running => {
                    migration.state = MigrationState::Paused { reason };
                    Ok(())
                }
                ref other => Err(MigrationError::State(other.name())),
            }
        })
        .await
    }

    /// Goes on with the next wave, whatever became of the one before.
    pub async fn resume_issuer_migration(
        &self,
        id: &MigrationId,
        caller: &Caller,
    ) -> Result<MigrationView, MigrationError> {
        self.command_migration(
            id,
            "issuer_migration.resumed",
            caller,
            |migration| match migration.state {
                MigrationState::Paused { .. } => {
                    migration.state = MigrationState::Running;
                    Ok(())
                }
                ref other => Err(MigrationError::State(other.name())),
            },
        )
        .await
    }

    /// Puts the profiles back and tells no client any more to renew. What was renewed stays renewed.
    pub async fn roll_back_issuer_migration(
        &self,
        id: &MigrationId,
        caller: &Caller,
    ) -> Result<MigrationView, MigrationError> {
        self.command_migration(id, "issuer_migration.rollback_begun", caller, |migration| {
            match migration.state {
                MigrationState::Running | MigrationState::Paused { .. } => {
                    migration.state = MigrationState::RollingBack;
                    Ok(())
                }
                ref other => Err(MigrationError::State(other.name())),
            }
        })
        .await
    }

    async fn command_migration(
        &self,
        id: &MigrationId,
        event: &'static str,
        caller: &Caller,
        change: impl FnOnce(&mut IssuerMigration) -> Result<(), MigrationError> + Send + 'static,
    ) -> Result<MigrationView, MigrationError> {
        let mut event = self.event(caller, event, id.as_str(), json!({}));
        let job = Job::RunIssuerMigration {
            migration: id.clone(),
        };
        let job = self.new_job(&job, self.now());
        let wanted = id.clone();
        self.store
            .write("issuer_migration.command", move |tx| {
                Box::pin(async move {
                    let found = tx.find_issuer_migration_for_update(&wanted).await?;
                    let mut migration = found.ok_or(MigrationError::Unknown(wanted))?;
                    let before = migration.state.clone();
                    change(&mut migration)?;
                    event.data = json!({ "before": before, "after": migration.state });
                    tx.update_issuer_migration(&migration).await?;
                    tx.enqueue_or_hasten(&job).await?;
                    Ok::<_, MigrationError>(tx.insert_event(&event).await?)
                })
            })
            .await?;
        self.jobs.notify();
        let view = self.issuer_migration(id).await?;
        view.ok_or_else(|| MigrationError::Unknown(id.clone()))
    }
}

/// What a pace may be.
fn check_pace(pace: Pace) -> Result<(), MigrationError> {
    let Pace {
        wave_size,
        wave_seconds,
        stop_above_percent,
    } = pace;
    if !(1..=100_000).contains(&wave_size) {
        return Err(MigrationError::Pace("`wave_size` must be from 1 to 100000"));
    }
    if !(600..=30 * 24 * 3600).contains(&wave_seconds) {
        return Err(MigrationError::Pace(
            "a wave must have ten minutes at least, and thirty days at most",
        ));
    }
    match stop_above_percent <= 100 {
        true => Ok(()),
        false => Err(MigrationError::Pace(
            "`stop_above_percent` must be from 0 to 100",
        )),
    }
}
