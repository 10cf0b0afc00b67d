//! The run: a leased job that looks every minute whether the wave is through and begins the next.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::event::Event;
use domain::id::{IssuerId, MigrationId};
use domain::issuer::BreakerState;
use domain::issuer_migration::{IssuerMigration, ItemState, MigrationState, RouteBefore, Verdict};
use domain::profile::IssuerChoice;
use pki::time::Timestamp;
use serde_json::{Value, json};
use store::jobs::JobRow;
use store::{StoreError, Tx};

use crate::Lifecycle;
use crate::actor::Caller;
use crate::operator::Expected;
use crate::operator::profiles::ReplaceProfileError;

impl Lifecycle {
    /// One look. Says when to come back; if not at all, the job's row is gone.
    pub(crate) async fn run_issuer_migration(
        &self,
        row: &JobRow,
        id: &MigrationId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let Some(view) = self.issuer_migration(id).await? else {
            return self.complete_job(row).await.map(|()| None);
        };
        match view.migration.state {
            MigrationState::Running => {
                let fault = self.route_profiles(&view.migration).await?;
                self.advance_migration(id, fault).await?;
            }
            MigrationState::RollingBack => self.put_profiles_back(&view.migration).await?,
            // Also while it is paused clients renew; the report is to say so.
            MigrationState::Paused { .. } => self.note_renewed(&view.migration).await?,
            MigrationState::Finished | MigrationState::RolledBack => {
                return self.complete_job(row).await.map(|()| None);
            }
        }
        Ok(Some(self.now() + PAUSE))
    }

    /// Every profile that named the old issuer names the new one from now on. Says which does not: its
    /// clients would renew with the old one.
    async fn route_profiles(
        &self,
        migration: &IssuerMigration,
    ) -> Result<Option<String>, StoreError> {
        let mut refusals = BTreeMap::new();
        if !migration.routed {
            for route in &migration.routes_before {
                let told = self
                    .reroute(&migration.id, &route.profile, &route.before, &route.after)
                    .await?;
                if let Some(refusal) = told {
                    refusals.insert(route.profile.clone(), refusal);
                }
            }
        }
        let left = self.profiles_of(&migration.from).await?;
        if left.is_empty() {
            if !migration.routed {
                self.change_migration(&migration.id, |migration| migration.routed = true)
                    .await?;
            }
            return Ok(None);
        }
        let left: Vec<String> = left
            .into_iter()
            .map(|profile| match refusals.remove(&profile) {
                Some(refusal) => format!("`{profile}` ({refusal})"),
                None => format!("`{profile}`"),
            })
            .collect();
        Ok(Some(format!(
            "these profiles still name the old issuer, so whoever renews would stay with it: {}; name \
             the new one in them, then resume, or roll back",
            left.join(", ")
        )))
    }

    /// The profiles that name an issuer.
    async fn profiles_of(&self, issuer: &IssuerId) -> Result<Vec<String>, StoreError> {
        let all = self.list_issuers().await?;
        let Some(issuer) = all.into_iter().find(|known| known.id == *issuer) else {
            return Ok(Vec::new());
        };
        let profiles = self.profiles().await?.into_iter();
        let naming = profiles.filter(|profile| {
            let mut choices = profile.spec.issuers.iter();
            choices.any(|choice| choice.issuer == issuer.name)
        });
        Ok(naming.map(|profile| profile.name.clone()).collect())
    }

    async fn put_profiles_back(&self, migration: &IssuerMigration) -> Result<(), StoreError> {
        let mut not_put_back = BTreeMap::new();
        for RouteBefore {
            profile,
            before,
            after,
        } in &migration.routes_before
        {
            if let Some(refusal) = self.reroute(&migration.id, profile, after, before).await? {
                not_put_back.insert(profile, refusal);
            }
        }
        let (id, now) = (migration.id.clone(), self.now());
        let event = self.event(
            &Caller::system(),
            "issuer_migration.rolled_back",
            id.as_str(),
            json!({
                "profiles": migration.routes_before.len() - not_put_back.len(),
                "not_put_back": not_put_back,
            }),
        );
        self.store
            .write("issuer_migration.put_back", move |tx| {
                Box::pin(async move {
                    for state in [ItemState::Waiting, ItemState::Pulled, ItemState::Late] {
                        tx.move_migration_items(&id, state, ItemState::Left).await?;
                    }
                    if let Some(mut migration) = tx.find_issuer_migration_for_update(&id).await? {
                        migration.state = MigrationState::RolledBack;
                        migration.finished_at = Some(now);
                        tx.update_issuer_migration(&migration).await?;
                        tx.insert_event(&event).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Says why a profile is not routed so. One that somebody changed in the meantime is left as they
    /// want it.
    async fn reroute(
        &self,
        id: &MigrationId,
        profile: &str,
        expected: &[IssuerChoice],
        wanted: &[IssuerChoice],
    ) -> Result<Option<String>, StoreError> {
        // Not what this node remembers of it: another one may have changed it a moment ago.
        let all = self.profiles().await?;
        let Some(current) = all.into_iter().find(|known| known.name == profile) else {
            return Ok(None);
        };
        if current.spec.issuers == wanted {
            return Ok(None);
        }
        if current.spec.issuers != expected {
            return Ok(Some(
                "somebody changed its issuers in the meantime".to_owned(),
            ));
        }
        let mut spec = current.spec.clone();
        spec.issuers = wanted.to_vec();
        let caller = Caller::system().with_reason(Some(format!("issuer migration {id}")));
        let version = Expected::Version(current.version);
        let changed = self
            .replace_profile(profile.to_owned(), spec, None, version, &caller)
            .await;
        match changed {
            Ok(_) => Ok(None),
            Err(ReplaceProfileError::Store(error)) => Err(error),
            Err(error @ (ReplaceProfileError::Rules(_) | ReplaceProfileError::Changed)) => {
                tracing::error!(profile, error = %error, "the profile is not routed to the other issuer");
                Ok(Some(error.to_string()))
            }
        }
    }

    async fn note_renewed(&self, migration: &IssuerMigration) -> Result<(), StoreError> {
        let (id, to) = (migration.id.clone(), migration.to.clone());
        self.store
            .write("issuer_migration.settle", move |tx| {
                Box::pin(async move { tx.settle_migration_items(&id, &to).await.map(drop) })
            })
            .await
    }

    /// Whether the new issuer is left alone for its failures: then nobody should be sent to it.
    async fn fault_of_target(
        &self,
        migration: &IssuerMigration,
    ) -> Result<Option<String>, StoreError> {
        let Some(connected) = self.issuer_by_id(&migration.to).await? else {
            return Ok(Some("the new issuer cannot be connected".to_owned()));
        };
        let figures = self.live_figures(&connected.issuer).await?;
        Ok(match figures.breaker {
            BreakerState::Closed => None,
            BreakerState::Open { .. } | BreakerState::HalfOpen => Some(format!(
                "the issuer `{}` fails; test it, then resume or roll back",
                connected.issuer.name
            )),
        })
    }

    async fn advance_migration(
        &self,
        id: &MigrationId,
        fault: Option<String>,
    ) -> Result<(), StoreError> {
        let Some(view) = self.issuer_migration(id).await? else {
            return Ok(());
        };
        let fault = match fault {
            Some(fault) => Some(fault),
            None => self.fault_of_target(&view.migration).await?,
        };
        let event = self.event(
            &Caller::system(),
            "issuer_migration",
            id.as_str(),
            json!({}),
        );
        let (id, now) = (id.clone(), self.now());
        self.store
            .write("issuer_migration.advance", move |tx| {
                Box::pin(async move { advance(tx, &id, fault, event, now).await })
            })
            .await
    }

    async fn change_migration(
        &self,
        id: &MigrationId,
        change: impl FnOnce(&mut IssuerMigration) + Send + 'static,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.store
            .write("issuer_migration.change", move |tx| {
                Box::pin(async move {
                    if let Some(mut migration) = tx.find_issuer_migration_for_update(&id).await? {
                        change(&mut migration);
                        tx.update_issuer_migration(&migration).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// One transaction: what was renewed is noted, the wave judged, the next one begun.
async fn advance(
    tx: &mut Tx<'_>,
    id: &MigrationId,
    fault: Option<String>,
    mut event: Event,
    now: Timestamp,
) -> Result<(), StoreError> {
    let found = tx.find_issuer_migration_for_update(id).await?;
    let Some(mut migration) = found.filter(|found| found.state == MigrationState::Running) else {
        return Ok(());
    };
    tx.settle_migration_items(id, &migration.to).await?;
    let wave = tx.count_migration_items(id, Some(migration.wave)).await?;
    let verdict = match fault {
        Some(reason) => Verdict::Stop { reason },
        None => migration.verdict(wave, now),
    };
    if verdict == Verdict::Wait {
        return Ok(());
    }
    tx.move_migration_items(id, ItemState::Pulled, ItemState::Late)
        .await?;
    let (name, data) = match verdict {
        Verdict::Stop { reason } => stop(&mut migration, reason),
        Verdict::Wait | Verdict::Next => next_wave(tx, &mut migration, now).await?,
    };
    tx.update_issuer_migration(&migration).await?;
    event.name = name.to_owned();
    event.data = data;
    tx.insert_event(&event).await
}

fn stop(migration: &mut IssuerMigration, reason: String) -> (&'static str, Value) {
    let data = json!({ "reason": reason, "wave": migration.wave });
    migration.judged_wave = migration.wave;
    migration.state = MigrationState::Paused { reason };
    ("issuer_migration.stopped", data)
}

async fn next_wave(
    tx: &mut Tx<'_>,
    migration: &mut IssuerMigration,
    now: Timestamp,
) -> Result<(&'static str, Value), StoreError> {
    let (id, size) = (migration.id.clone(), migration.pace.wave_size);
    let next = migration.wave + 1;
    let pulled = tx.pull_migration_items(&id, next, size, now).await?;
    if pulled > 0 {
        migration.wave = next;
        migration.wave_started_at = Some(now);
        let data = json!({ "wave": next, "certificates": pulled });
        return Ok(("issuer_migration.wave_begun", data));
    }
    migration.state = MigrationState::Finished;
    migration.finished_at = Some(now);
    let counts = tx.count_migration_items(&id, None).await?;
    let data = json!({
        "renewed": counts.renewed, "late": counts.late, "left": counts.left,
    });
    Ok(("issuer_migration.finished", data))
}

const PAUSE: Duration = Duration::from_secs(60);
