//! ACME directories by name, remembered for a second.

use std::sync::Arc;

use domain::acme::directory::{Directory, DirectorySpec};
use domain::id::DirectoryId;
use domain::metadata::Circumstance;
use domain::policy::Violation;
use store::StoreError;

use crate::Lifecycle;
use crate::bounds::OutOfBounds;
use crate::remembered::Remembered;

/// Directories by name.
pub(crate) type DirectoryCache = Remembered<String, Arc<Directory>>;

/// Why a directory is not stored.
#[derive(Debug, thiserror::Error)]
pub enum PutDirectoryError {
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
    #[error(
        "`{0}` is no name for a directory; use lower-case letters, digits and hyphens, 1 to 63"
    )]
    BadName(String),
    #[error("there is no profile `{0}`; create it first, or name another")]
    NoSuchProfile(String),
    #[error("a directory needs at least one profile")]
    NoProfile,
    #[error("metadata: {}", .0.iter().map(Violation::text).collect::<Vec<_>>().join("; "))]
    Metadata(Vec<Violation>),
    #[error("a trusted directory takes its names from EAB keys; set external_account_required too")]
    TrustedWithoutBinding,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// The directory of that name.
    pub async fn directory(&self, name: &str) -> Result<Option<Arc<Directory>>, StoreError> {
        let read = self.store.read("directory.find", |tx| {
            let wanted = name.to_owned();
            Box::pin(async move { tx.find_directory_by_name(&wanted).await })
        });
        let found = async { Ok(read.await?.map(Arc::new)) };
        self.directories.get_or_read(name, found).await
    }

    /// Every directory.
    pub async fn list_directories(&self) -> Result<Vec<Directory>, StoreError> {
        self.store
            .scan("directory.list", |tx| {
                Box::pin(async move { tx.list_directories().await })
            })
            .await
    }

    /// The directory with that id.
    pub(crate) async fn directory_by_id(
        &self,
        id: &DirectoryId,
    ) -> Result<Option<Directory>, StoreError> {
        let id = id.clone();
        self.store
            .read("directory.by_id", |tx| {
                Box::pin(async move { tx.find_directory(&id).await })
            })
            .await
    }
    /// Checks the values that a directory passes on, and brings them into their normal form.
    pub(crate) async fn normalize_directory(
        &self,
        name: &str,
        spec: &mut DirectorySpec,
    ) -> Result<(), PutDirectoryError> {
        let by = Circumstance::Directory(name);
        let fields = self.fields().await?;
        spec.metadata = fields
            .check_passed_on(&spec.metadata, by)
            .map_err(PutDirectoryError::Metadata)?;
        Ok(())
    }
}

/// Whether a text can be a name in a URL.
pub(crate) fn is_slug(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
        && !text.starts_with('-')
}
