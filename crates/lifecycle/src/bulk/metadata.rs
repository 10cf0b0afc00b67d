//! Metadata of many certificates at once: what would change, and the change.

use domain::bulk::BulkOutcome;
use domain::certificate::InventoryCertificate;
use domain::id::CertificateId;
use domain::metadata::{Change, Circumstance, Values};
use store::StoreError;

use super::plan::{Outlook, PlanError};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::metadata::change::{ChangeMetadataError, changed, difference};
use crate::operator::Expected;

impl Lifecycle {
    /// Refuses what no certificate could be given.
    pub(super) async fn check_change(&self, change: &Change) -> Result<(), PlanError> {
        if change.is_empty() {
            return Err(PlanError::NoChange);
        }
        let given: Values = change
            .iter()
            .filter_map(|(name, wish)| Some((name.clone(), wish.clone()?)))
            .collect();
        let fields = self.fields().await?;
        // What a key could pass on is what a certificate could have.
        match fields.check_passed_on(&given, Circumstance::EabKey) {
            Ok(_) => Ok(()),
            Err(violations) => Err(PlanError::Metadata(violations)),
        }
    }

    /// What a change would do to a certificate.
    pub(super) async fn change_outlook(
        &self,
        certificate: InventoryCertificate,
        change: &Change,
    ) -> Result<Outlook, StoreError> {
        let (fields, change) = (self.fields().await?, change.clone());
        let before = certificate.metadata.clone();
        let outcome = self
            .store
            .read("bulk.metadata", |tx| {
                Box::pin(async move { changed(tx, &fields, &certificate, &change).await })
            })
            .await;
        match outcome {
            Ok(after) if after == before => {
                Ok(Outlook::Unfit("it has these values already".to_owned()))
            }
            Ok(after) => Ok(Outlook::Fit(Some(told(&before, &after)))),
            Err(ChangeMetadataError::Store(error)) => Err(error),
            Err(error) => Ok(Outlook::Unfit(error.to_string())),
        }
    }

    /// Changes a certificate. Repeated after a crash, it changes nothing more.
    pub(super) async fn change_item(
        &self,
        certificate: &CertificateId,
        change: &Change,
        caller: &Caller,
    ) -> Result<(BulkOutcome, Option<String>), StoreError> {
        let change = change.clone();
        let changed = self
            .change_certificate_metadata(certificate, change, Expected::Anything, caller)
            .await;
        match changed {
            Ok(_) => Ok((BulkOutcome::Done, None)),
            Err(ChangeMetadataError::Store(error)) => Err(error),
            Err(error) => Ok((BulkOutcome::Failed, Some(error.to_string()))),
        }
    }
}

/// `cost_center: 4711 -> 4712, contact: none -> a@example.org`.
fn told(before: &Values, after: &Values) -> String {
    let (before, after) = difference(before, after);
    let shown = |value: Option<&&str>| value.map_or("none", |value| *value).to_owned();
    let changes = before.iter().map(|(field, was)| {
        let is = after.get(field).and_then(Option::as_ref);
        format!("{field}: {} -> {}", shown(was.as_ref()), shown(is))
    });
    changes.collect::<Vec<_>>().join(", ")
}
