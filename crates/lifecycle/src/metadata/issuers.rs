//! Which fields an issuer is told, and what it calls them.

use std::collections::BTreeMap;

use domain::issuer::Issuer;
use serde_json::{Value, json};
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::operator::version_after;

/// Why an issuer is told what it was told before.
#[derive(Debug, thiserror::Error)]
pub enum TellIssuerError {
    #[error("there is no issuer `{0}`")]
    Unknown(String),
    #[error("{}", .0.join("; "))]
    Fields(Vec<String>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Says which fields an issuer is told from now on, instead of those before.
    pub async fn set_issuer_metadata_fields(
        &self,
        name: &str,
        told: BTreeMap<String, String>,
        caller: &Caller,
    ) -> Result<Issuer, TellIssuerError> {
        let fields = self.fields().await?;
        let mut faults: Vec<String> = told
            .keys()
            .filter(|field| fields.find(field).is_none())
            .map(|field| fields.missing(field))
            .collect();
        faults.extend(
            told.iter()
                .filter(|(_, theirs)| !is_fit(theirs))
                .map(|(field, _)| {
                    format!(
                        "the CA's name for `{field}` must be 1 to {LONGEST} printable characters"
                    )
                }),
        );
        if !faults.is_empty() {
            return Err(TellIssuerError::Fields(faults));
        }
        let mut event = self.event(caller, "issuer.metadata_fields_changed", name, Value::Null);
        let (name, now) = (name.to_owned(), self.now());
        let changed = self
            .store
            .write("issuer.metadata_fields", move |tx| {
                Box::pin(async move {
                    let found = tx.find_issuer_by_name(&name).await?;
                    let mut issuer = found.ok_or(TellIssuerError::Unknown(name))?;
                    event.data = json!({
                        "name": issuer.name, "before": issuer.metadata_fields, "after": told,
                    });
                    event.object = issuer.id.to_string();
                    issuer.metadata_fields = told;
                    issuer.updated_at = version_after(issuer.updated_at, now);
                    tx.update_issuer(&issuer).await?;
                    tx.insert_event(&event).await?;
                    Ok::<_, TellIssuerError>(issuer)
                })
            })
            .await;
        self.issuers.invalidate();
        changed
    }
}

fn is_fit(name: &str) -> bool {
    (1..=LONGEST).contains(&name.chars().count()) && !name.contains(char::is_control)
}

/// Characters of a CA's own name for a field.
const LONGEST: usize = 200;
