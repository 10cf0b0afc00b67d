//! The values that EAB keys and accounts pass on to what is ordered with them.

use domain::acme::account::Account;
use domain::id::{AccountId, EabKeyId};
use domain::metadata::{Change, Circumstance, Fields, Values, apply};
use serde_json::{Value, json};
use std::sync::Arc;

use super::change::{ChangeMetadataError, difference};
use super::version_of;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::operator::Expected;

impl Lifecycle {
    /// Changes single values that an EAB key passes on, and gives them all.
    pub async fn change_eab_key_metadata(
        &self,
        id: &EabKeyId,
        change: Change,
        expected: Expected<i64>,
        caller: &Caller,
    ) -> Result<Values, ChangeMetadataError> {
        let fields = self.fields().await?;
        let mut event = self.event(caller, "eab_key.metadata_changed", id.as_str(), Value::Null);
        let id = id.clone();
        self.store
            .write("eab_key.metadata", move |tx| {
                Box::pin(async move {
                    let found = tx.find_eab_key_metadata_for_update(&id).await?;
                    let before = found.ok_or_else(|| {
                        ChangeMetadataError::Unknown(format!("external account binding key {id}"))
                    })?;
                    let by = Circumstance::EabKey;
                    let after = passed_on(&fields, &before, &change, &expected, by)?;
                    if after != before {
                        tx.set_eab_key_metadata(&id, &after).await?;
                        let (before, now) = difference(&before, &after);
                        event.data = json!({ "before": before, "after": now });
                        tx.insert_event(&event).await?;
                    }
                    Ok(after)
                })
            })
            .await
    }

    /// Changes single values that an account passes on, and gives the account as it is then.
    pub async fn change_account_metadata(
        &self,
        id: &AccountId,
        change: Change,
        expected: Expected<i64>,
        caller: &Caller,
    ) -> Result<Arc<Account>, ChangeMetadataError> {
        let fields = self.fields().await?;
        let now = self.now();
        let mut event = self.event(caller, "account.metadata_changed", id.as_str(), Value::Null);
        let wanted = id.clone();
        let changed = self
            .store
            .write("account.metadata", move |tx| {
                Box::pin(async move {
                    let found = tx.find_account_for_update(&wanted).await?;
                    let mut account = found.ok_or_else(|| {
                        ChangeMetadataError::Unknown(format!("ACME account {wanted}"))
                    })?;
                    let by = Circumstance::Account;
                    let after = passed_on(&fields, &account.metadata, &change, &expected, by)?;
                    if after != account.metadata {
                        let (before, moved) = difference(&account.metadata, &after);
                        event.data = json!({ "before": before, "after": moved });
                        account.metadata = after;
                        account.updated_at = now;
                        tx.update_account(&account).await?;
                        tx.insert_event(&event).await?;
                    }
                    Ok::<_, ChangeMetadataError>(account)
                })
            })
            .await;
        self.accounts.forget(id);
        changed.map(Arc::new)
    }
}

/// The values after a change. Only what is changed is held against today's rules.
fn passed_on(
    fields: &Fields,
    before: &Values,
    change: &Change,
    expected: &Expected<i64>,
    by: Circumstance<'_>,
) -> Result<Values, ChangeMetadataError> {
    if !expected.agrees(Some(&version_of(before))) {
        return Err(ChangeMetadataError::Changed);
    }
    let given: Values = change
        .iter()
        .filter_map(|(name, wish)| Some((name.clone(), wish.clone()?)))
        .collect();
    let normal = fields
        .check_passed_on(&given, by)
        .map_err(ChangeMetadataError::Rejected)?;
    let change = change
        .keys()
        .map(|name| (name.clone(), normal.get(name).cloned()))
        .collect();
    Ok(apply(before, &change))
}
