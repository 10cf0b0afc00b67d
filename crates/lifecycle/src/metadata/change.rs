//! Changes to the values of certificates.

use std::collections::BTreeMap;

use domain::certificate::InventoryCertificate;
use domain::event::Event;
use domain::id::CertificateId;
use domain::metadata::{Change, Facts, Fields, Values};
use domain::policy::Violation;
use serde_json::{Value, json};
use store::{StoreError, Tx};

use super::version_of;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::operator::Expected;

/// Why values stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum ChangeMetadataError {
    #[error("there is no {0}")]
    Unknown(String),
    #[error("the metadata was changed since you read it; read it again and repeat your change")]
    Changed,
    #[error("{}", list(.0))]
    Rejected(Vec<Violation>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn list(violations: &[Violation]) -> String {
    let texts: Vec<String> = violations.iter().map(Violation::text).collect();
    texts.join("; ")
}

impl Lifecycle {
    /// Changes single values of a certificate, if they are as expected, and gives them all.
    pub async fn change_certificate_metadata(
        &self,
        id: &CertificateId,
        change: Change,
        expected: Expected<i64>,
        caller: &Caller,
    ) -> Result<Values, ChangeMetadataError> {
        let fields = self.fields().await?;
        let event = self.event(caller, CHANGED, id.as_str(), Value::Null);
        let id = id.clone();
        self.store
            .write("certificate.metadata", move |tx| {
                Box::pin(async move {
                    let found = tx.find_certificate_for_update(&id).await?;
                    let certificate = found
                        .ok_or_else(|| ChangeMetadataError::Unknown(format!("certificate {id}")))?;
                    if !expected.agrees(Some(&version_of(&certificate.metadata))) {
                        return Err(ChangeMetadataError::Changed);
                    }
                    let after = changed(tx, &fields, &certificate, &change).await?;
                    store_change(tx, &certificate, &after, event).await?;
                    Ok(after)
                })
            })
            .await
    }
}

impl Lifecycle {
    /// The values that a certificate would have after a change.
    pub async fn preview_certificate_metadata(
        &self,
        id: &CertificateId,
        change: Change,
    ) -> Result<Values, ChangeMetadataError> {
        let fields = self.fields().await?;
        let id = id.clone();
        self.store
            .scan("certificate.metadata_preview", move |tx| {
                Box::pin(async move {
                    let found = tx.find_certificate(&id).await?;
                    let certificate = found
                        .ok_or_else(|| ChangeMetadataError::Unknown(format!("certificate {id}")))?;
                    changed(tx, &fields, &certificate, &change).await
                })
            })
            .await
    }
}

/// The values of a certificate after a change, or why they cannot be so.
pub(crate) async fn changed(
    tx: &mut Tx<'_>,
    fields: &Fields,
    certificate: &InventoryCertificate,
    change: &Change,
) -> Result<Values, ChangeMetadataError> {
    let known = Known::read(tx, certificate).await?;
    let after = fields.change(&certificate.metadata, change, &known.facts(certificate));
    after.map_err(ChangeMetadataError::Rejected)
}

/// Writes values and what they were before; nothing where nothing changed.
pub(crate) async fn store_change(
    tx: &mut Tx<'_>,
    certificate: &InventoryCertificate,
    after: &Values,
    mut event: Event,
) -> Result<bool, StoreError> {
    if *after == certificate.metadata {
        return Ok(false);
    }
    tx.set_certificate_metadata(&certificate.id, after).await?;
    let (before, now) = difference(&certificate.metadata, after);
    event.data = json!({
        "before": before,
        "after": now,
        "names": certificate.names,
        "serial": certificate.serial,
        "metadata": after,
    });
    tx.insert_event(&event).await?;
    Ok(true)
}

/// Values by field, on one side of a change.
type Side<'a> = BTreeMap<&'a str, Option<&'a str>>;

/// What a value was and is, of those that changed; `null` where there was or is none.
pub(crate) fn difference<'a>(before: &'a Values, after: &'a Values) -> (Side<'a>, Side<'a>) {
    let names = before.keys().chain(after.keys());
    let moved = names.filter(|name| before.get(*name) != after.get(*name));
    moved
        .map(|name| {
            let at = |values: &'a Values| values.get(name).map(String::as_str);
            ((name.as_str(), at(before)), (name.as_str(), at(after)))
        })
        .unzip()
}

/// What templates may stand on for a certificate that is there already.
struct Known {
    profile: String,
    required: Vec<String>,
    directory: Option<String>,
    team: Option<String>,
    eab_key: Option<(String, String)>,
}

impl Known {
    async fn read(tx: &mut Tx<'_>, certificate: &InventoryCertificate) -> Result<Self, StoreError> {
        let profile = match (&certificate.profile_id, certificate.profile_version) {
            (Some(id), Some(version)) => tx.find_profile_version(id, version).await?,
            _ => None,
        };
        let directory = match &certificate.directory_id {
            Some(id) => tx.find_directory(id).await?,
            None => None,
        };
        let team = match &certificate.team_id {
            Some(id) => tx.find_team(id).await?,
            None => None,
        };
        let account = match &certificate.account_id {
            Some(id) => tx.find_account(id).await?,
            None => None,
        };
        let eab_key = match account.and_then(|account| account.eab_key_id) {
            Some(id) => tx.find_eab_key(&id).await?,
            None => None,
        };
        let (profile, required) = profile
            .map(|profile| (profile.name, profile.spec.required_metadata))
            .unwrap_or_default();
        Ok(Self {
            profile,
            required,
            directory: directory.map(|directory| directory.name),
            team: team.map(|team| team.name),
            eab_key: eab_key.map(|key| (key.id.to_string(), key.name)),
        })
    }

    fn facts<'a>(&'a self, certificate: &'a InventoryCertificate) -> Facts<'a> {
        Facts {
            profile: &self.profile,
            required: &self.required,
            directory: self.directory.as_deref(),
            team: self.team.as_deref(),
            eab_key: self
                .eab_key
                .as_ref()
                .map(|(id, name)| (id.as_str(), name.as_str())),
            account: certificate.account_id.as_ref().map(|id| id.as_str()),
            name: certificate.names.first().map(String::as_str),
            can_be_asked: true,
        }
    }
}

pub(crate) const CHANGED: &str = "certificate.metadata_changed";
