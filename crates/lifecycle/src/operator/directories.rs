//! Changing the rules of an ACME directory.

use domain::access::Rights;
use domain::acme::directory::{Directory, DirectorySpec, TestMode};
use domain::id::{DirectoryId, TeamId};
use pki::time::Timestamp;
use serde_json::json;
use store::{StoreError, Tx};

use super::{Expected, version_after};
use crate::Lifecycle;
use crate::acme::directories::{PutDirectoryError, is_slug};
use crate::actor::Caller;
use crate::bounds::{self, OutOfBounds};

/// Why a directory stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceDirectoryError {
    #[error(transparent)]
    Rule(#[from] PutDirectoryError),
    #[error("the directory was changed since you read it; read it again and repeat your change")]
    Changed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Makes a directory, or changes the rules of the one with that name, if it is as expected. A
    /// new one is of `team`; one that is there stays with its own.
    pub async fn replace_directory(
        &self,
        name: String,
        mut spec: DirectorySpec,
        team: Option<TeamId>,
        expected: Expected<Timestamp>,
        caller: &Caller,
    ) -> Result<Directory, ReplaceDirectoryError> {
        self.check_directory_rules(&name, &spec, &caller.rights)
            .await?;
        self.normalize_directory(&name, &mut spec).await?;
        let now = self.now();
        let fresh = Directory {
            id: DirectoryId::mint(now, &*self.random),
            name: name.clone(),
            spec,
            team_id: team,
            created_at: now,
            updated_at: now,
        };
        let data = json!({ "name": name });
        let mut event = self.event(caller, "directory.changed", &name, data);
        let stored = self
            .store
            .write("directory.replace", move |tx| {
                Box::pin(async move {
                    let known = tx.find_directory_by_name(&fresh.name).await?;
                    event.note("before", known.as_ref().map(|known| &known.spec));
                    event.note("after", &fresh.spec);
                    let directory = store_directory(tx, fresh, known, expected).await?;
                    event.note("team", &directory.team_id);
                    tx.insert_event(&event).await?;
                    Ok::<_, ReplaceDirectoryError>(directory)
                })
            })
            .await?;
        self.directories.forget(&name);
        Ok(stored)
    }

    async fn check_directory_rules(
        &self,
        name: &str,
        spec: &DirectorySpec,
        rights: &Rights,
    ) -> Result<(), PutDirectoryError> {
        if !is_slug(name) {
            return Err(PutDirectoryError::BadName(name.chars().take(80).collect()));
        }
        if spec.profiles.is_empty() {
            return Err(PutDirectoryError::NoProfile);
        }
        if spec.trusted && !spec.external_account_required {
            return Err(PutDirectoryError::TrustedWithoutBinding);
        }
        check_bounds(spec)?;
        for name in &spec.profiles {
            if self.visible_profile(name, rights).await?.is_none() {
                return Err(PutDirectoryError::NoSuchProfile(name.clone()));
            }
        }
        Ok(())
    }
}

/// An order that ends before it can be finished, or a proof that outlives all sense, is a slip.
fn check_bounds(spec: &DirectorySpec) -> Result<(), OutOfBounds> {
    let test = spec.test_mode.unwrap_or(TestMode {
        validation_delay_millis: 0,
        issuance_delay_millis: 0,
        ..TestMode::default()
    });
    bounds::check(&[
        (
            "order_lifetime_seconds",
            spec.order_lifetime_seconds,
            60..=90 * DAY,
        ),
        (
            "pending_authorization_lifetime_seconds",
            spec.pending_authorization_lifetime_seconds,
            60..=90 * DAY,
        ),
        // 398 days are the longest that the Baseline Requirements ever allowed.
        (
            "authorization_reuse_seconds",
            spec.authorization_reuse_seconds,
            0..=398 * DAY,
        ),
        (
            "test_mode.validation_delay_millis",
            test.validation_delay_millis,
            0..=LONGEST_DELAY,
        ),
        (
            "test_mode.issuance_delay_millis",
            test.issuance_delay_millis,
            0..=LONGEST_DELAY,
        ),
        (
            "test_mode.refuse_nonces_percent",
            test.refuse_nonces_percent.into(),
            0..=95,
        ),
        (
            "test_mode.reuse_authorizations_percent",
            test.reuse_authorizations_percent.into(),
            0..=100,
        ),
    ])
}

const DAY: u64 = 24 * 60 * 60;
const LONGEST_DELAY: u64 = 10 * 60 * 1000;

async fn store_directory(
    tx: &mut Tx<'_>,
    mut fresh: Directory,
    known: Option<Directory>,
    expected: Expected<Timestamp>,
) -> Result<Directory, ReplaceDirectoryError> {
    if !expected.agrees(known.as_ref().map(|directory| &directory.updated_at)) {
        return Err(ReplaceDirectoryError::Changed);
    }
    match known {
        None => tx.insert_directory(&fresh).await?,
        Some(known) => {
            fresh.id = known.id;
            fresh.team_id = known.team_id;
            fresh.created_at = known.created_at;
            fresh.updated_at = version_after(known.updated_at, fresh.updated_at);
            tx.update_directory(&fresh).await?;
        }
    }
    Ok(fresh)
}
