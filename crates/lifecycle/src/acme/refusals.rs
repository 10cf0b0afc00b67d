//! What is refused to ACME clients is in the audit trail: as much of it as one account may fill.

use std::cmp::min;

use domain::acme::account::Account;
use domain::acme::directory::Directory;
use domain::acme::order::Order;
use domain::event::Event;
use domain::id::AccountId;
use domain::policy::Violation;
use serde_json::{Value, json};
use store::StoreError;

use super::finalize::FinalizeError;
use super::new_order::{IdentifierFault, NewOrder, NewOrderError};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::issuance::facts::values;
use crate::limits;

impl Lifecycle {
    /// `order.rejected`: no order came of it, so it is told of the account.
    pub(super) async fn note_refused_new_order(
        &self,
        directory: &Directory,
        account: &Account,
        asked: &NewOrder,
        error: &NewOrderError,
        caller: &Caller,
    ) -> Result<(), StoreError> {
        let Some(why) = of_new_order(error) else {
            return Ok(());
        };
        let shown = min(asked.identifiers.len(), MOST_NAMES);
        let names = asked.identifiers.iter().take(shown);
        let names: Vec<String> = names.map(|(_, value)| short(value)).collect();
        let data = json!({
            "directory": directory.name,
            "profile": asked.profile.as_deref().map(short),
            "names": names,
            "metadata": {},
        });
        let event = self.event(caller, "order.rejected", account.id.as_str(), data);
        self.note_refused(&account.id, event, why).await
    }

    /// `enrollment.rejected`: the order stays ready.
    pub(super) async fn note_refused_order(
        &self,
        order: &Order,
        error: &FinalizeError,
        caller: &Caller,
    ) -> Result<(), StoreError> {
        let Some(why) = of_finalize(error) else {
            return Ok(());
        };
        let data = json!({
            "account": order.account_id,
            "profile": order.profile_name,
            "names": values(&order.identifiers),
            "metadata": {},
        });
        let event = self.event(caller, "enrollment.rejected", order.id.as_str(), data);
        self.note_refused(&order.account_id, event, why).await
    }

    async fn note_refused(
        &self,
        account: &AccountId,
        mut event: Event,
        (member, why): (&'static str, Value),
    ) -> Result<(), StoreError> {
        metrics::counter!("certwright_acme_refusals_total", "event" => event.name.clone())
            .increment(1);
        event.note(member, why);
        let (key, now) = (format!("refusal:{account}"), self.now());
        self.store
            .write("acme.refusal", move |tx| {
                Box::pin(async move {
                    // A client that asks again and again for the same fills no disk.
                    match limits::take(tx, &key, Some(EVENTS_PER_HOUR), now).await? {
                        Ok(()) => tx.insert_event(&event).await,
                        Err(_) => Ok(()),
                    }
                })
            })
            .await
    }
}

/// What an account's refusals may add to the log; all of them are counted.
const EVENTS_PER_HOUR: u32 = 60;
const MOST_NAMES: usize = 100;

/// What was decided against a new order. What cannot be read, or comes too often, is no decision.
fn of_new_order(error: &NewOrderError) -> Option<(&'static str, Value)> {
    match error {
        NewOrderError::Names(violations) | NewOrderError::Metadata(violations) => {
            Some(broken(violations))
        }
        NewOrderError::Identifiers(faults) => {
            let texts: Vec<Value> = faults.iter().take(MOST_NAMES).map(fault).collect();
            Some(("identifiers", json!(texts)))
        }
        NewOrderError::NoSuchProfile(_)
        | NewOrderError::Validity(_)
        | NewOrderError::Replaces(_)
        | NewOrderError::AlreadyReplaced => Some(("error", json!(error.to_string()))),
        NewOrderError::NoIdentifiers
        | NewOrderError::TooManyIdentifiers(..)
        | NewOrderError::AccountNotValid
        | NewOrderError::RateLimited(_)
        | NewOrderError::Store(_) => None,
    }
}

fn of_finalize(error: &FinalizeError) -> Option<(&'static str, Value)> {
    match error {
        FinalizeError::Rejected(violations) => Some(broken(violations)),
        FinalizeError::Csr(_)
        | FinalizeError::ProfileChanged
        | FinalizeError::ProofNotAccepted(_) => Some(("error", json!(error.to_string()))),
        FinalizeError::Caa(identifier, failure) => Some((
            "caa",
            json!({ "identifier": identifier.value(), "error": failure }),
        )),
        FinalizeError::NotFound
        | FinalizeError::NotReady
        | FinalizeError::AccountNotValid
        | FinalizeError::Unavailable(_)
        | FinalizeError::Store(_) => None,
    }
}

fn broken(violations: &[Violation]) -> (&'static str, Value) {
    ("violations", json!(violations))
}

fn fault(fault: &IdentifierFault) -> Value {
    json!({ "value": short(&fault.value), "error": fault.reason.to_string() })
}

/// Texts of a client that were not looked at yet may be long.
fn short(text: &str) -> String {
    text.chars().take(255).collect()
}
