//! Changing the rules of an ACME directory.

use domain::acme::directory::{Directory, DirectorySpec};
use domain::id::DirectoryId;
use pki::time::Timestamp;
use serde_json::json;
use store::{StoreError, Tx};

use super::Expected;
use crate::Lifecycle;
use crate::acme::directories::{PutDirectoryError, is_slug};
use crate::actor::Caller;

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
    /// Makes a directory, or changes the rules of the one with that name, if it is as expected.
    pub async fn replace_directory(
        &self,
        name: String,
        spec: DirectorySpec,
        expected: Expected<Timestamp>,
        caller: &Caller,
    ) -> Result<Directory, ReplaceDirectoryError> {
        self.check_directory_rules(&name, &spec).await?;
        let now = self.now();
        let fresh = Directory {
            id: DirectoryId::mint(now, &*self.random),
            name: name.clone(),
            spec,
            created_at: now,
            updated_at: now,
        };
        let data = json!({ "name": name, "spec": fresh.spec });
        let event = self.event(caller, "directory.changed", &name, data);
        let stored = self
            .store
            .write("directory.replace", move |tx| {
                Box::pin(async move {
                    let directory = store_directory(tx, fresh, expected).await?;
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
        for profile in &spec.profiles {
            if self.profile(profile).await?.is_none() {
                return Err(PutDirectoryError::NoSuchProfile(profile.clone()));
            }
        }
        Ok(())
    }
}

async fn store_directory(
    tx: &mut Tx<'_>,
    mut fresh: Directory,
    expected: Expected<Timestamp>,
) -> Result<Directory, ReplaceDirectoryError> {
    let known = tx.find_directory_by_name(&fresh.name).await?;
    if !expected.agrees(known.as_ref().map(|directory| &directory.updated_at)) {
        return Err(ReplaceDirectoryError::Changed);
    }
    match known {
        None => tx.insert_directory(&fresh).await?,
        Some(known) => {
            fresh.id = known.id;
            fresh.created_at = known.created_at;
            // Two changes within a millisecond are still two versions.
            let next = Timestamp::from_millis(known.updated_at.millis() + 1);
            fresh.updated_at = fresh.updated_at.max(next);
            tx.update_directory(&fresh).await?;
        }
    }
    Ok(fresh)
}
