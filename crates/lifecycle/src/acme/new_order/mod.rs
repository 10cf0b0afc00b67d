//! New orders (RFC 8555 section 7.4): what is asked is checked, then stored with what it stands on.

mod authorizations;
mod identifiers;
mod replacement;

use std::sync::Arc;

use domain::acme::account::{Account, AccountStatus};
use domain::acme::authorization::{Authorization, AuthorizationState};
use domain::acme::directory::Directory;
use domain::acme::order::Order;
use domain::id::OrderId;
use domain::identifier::Identifier;
use domain::metadata::Values;
use domain::policy::{self, Violation};
use domain::profile::Profile;
use pki::time::Timestamp;
use store::{StoreError, Tx};

use self::authorizations::{require_challenges, reusable_authorization};
use self::identifiers::not_bound;
pub use self::identifiers::{IdentifierFault, IdentifierReason};
use self::replacement::require_replaceable;
use super::email::{Outgoing, insert_outgoing};
use super::orders::OrderView;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::limits::{self, RateLimited};
use crate::metadata::Subject;

/// An order as asked for.
#[derive(Clone, Debug, Default)]
pub struct NewOrder {
    /// `type` and `value` as sent.
    pub identifiers: Vec<(String, String)>,
    pub profile: Option<String>,
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    /// An ARI CertID as sent.
    pub replaces: Option<String>,
}

/// Why there is no order.
#[derive(Debug, thiserror::Error)]
pub enum NewOrderError {
    #[error("the order names no identifiers; name at least one")]
    NoIdentifiers,
    #[error("the order names {0} identifiers; at most {1} fit into one")]
    TooManyIdentifiers(usize, usize),
    /// Each name by itself is fine, but not all of them together.
    #[error("{}", .0.iter().map(Violation::text).collect::<Vec<_>>().join("; "))]
    Names(Vec<Violation>),
    #[error("some identifiers cannot be ordered")]
    Identifiers(Vec<IdentifierFault>),
    #[error(
        "the profile `{0}` is not offered here; the directory's meta.profiles lists those that are"
    )]
    NoSuchProfile(String),
    #[error("{0}")]
    Validity(String),
    #[error("the certificate in `replaces` is not one of this account: {0}")]
    Replaces(&'static str),
    #[error(
        "the certificate in `replaces` was replaced already, or an order that replaces it is under way"
    )]
    AlreadyReplaced,
    #[error("{}", .0.iter().map(Violation::text).collect::<Vec<_>>().join("; "))]
    Metadata(Vec<Violation>),
    #[error("the account is deactivated")]
    AccountNotValid,
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Makes an order, with its authorizations. What is refused is in the audit trail.
    pub async fn new_order(
        &self,
        directory: &Directory,
        account: &Account,
        request: NewOrder,
        caller: &Caller,
    ) -> Result<OrderView, NewOrderError> {
        let made = self.make_order(directory, account, &request).await;
        if let Err(error) = &made {
            self.note_refused_new_order(directory, account, &request, error, caller)
                .await?;
        }
        made
    }

    async fn make_order(
        &self,
        directory: &Directory,
        account: &Account,
        request: &NewOrder,
    ) -> Result<OrderView, NewOrderError> {
        let now = self.now();
        let profile = self
            .order_profile(directory, request.profile.as_deref())
            .await?;
        let identifiers = self.parse_identifiers(&request.identifiers, &profile)?;
        let bound = self.check_binding(directory, account, &identifiers).await?;
        check_dates(request, &profile, now)?;
        let replaces = match &request.replaces {
            None => None,
            Some(cert_id) => Some(
                self.replaced_certificate(account, &identifiers, cert_id)
                    .await?,
            ),
        };
        let subject = Subject {
            account: Some((&account.id, &directory.id)),
            client: None,
            team: account.team_id.as_ref().or(profile.team_id.as_ref()),
            profile: &profile,
            identifiers: &identifiers,
            replaces: replaces.as_ref(),
            given: &Values::new(),
            can_be_asked: true,
        };
        // Told now rather than after every name was proven; decided when the order is finalized.
        let metadata = self.resolve_metadata(subject).await?;
        if !metadata.violations.is_empty() {
            return Err(NewOrderError::Metadata(metadata.violations));
        }
        let authorizations: Vec<Authorization> = identifiers
            .iter()
            .map(|identifier| {
                self.new_authorization_for(directory, account, &profile, identifier, bound, now)
            })
            .collect();
        require_challenges(&authorizations)?;
        let order = Order {
            id: OrderId::mint(now, &*self.random),
            account_id: account.id.clone(),
            directory_id: directory.id.clone(),
            identifiers,
            authorization_ids: Vec::new(),
            profile_id: profile.id.clone(),
            profile_name: profile.name.clone(),
            profile_version: profile.version,
            not_before: request.not_before,
            not_after: request.not_after,
            replaces_cert_id: request.replaces.clone().filter(|_| replaces.is_some()),
            replaces,
            enrollment_id: None,
            team_id: account.team_id.clone().or_else(|| profile.team_id.clone()),
            expires_at: now + directory.spec.order_lifetime(),
            created_at: now,
        };
        let mails = self.outgoing_mails(&authorizations);
        let sends_mails = !mails.is_empty();
        let reuse = self
            .reuses_authorizations(directory)
            .then(|| (directory.clone(), Arc::clone(&profile)));
        // RFC 9773 section 5: what replaces a certificate in time is not to be held up.
        let limit = match order.replaces {
            Some(_) => None,
            None => self.settings.limits.new_orders_per_account,
        };
        let (order, authorizations) = self
            .store
            .write("order.create", move |tx| {
                Box::pin(insert_order(
                    tx,
                    order,
                    (authorizations, mails),
                    reuse,
                    limit,
                    now,
                ))
            })
            .await?;
        if sends_mails {
            self.jobs.notify();
        }
        let status = order.status(&authorizations, None, now);
        Ok(OrderView { order, status })
    }

    async fn order_profile(
        &self,
        directory: &Directory,
        asked: Option<&str>,
    ) -> Result<Arc<Profile>, NewOrderError> {
        let offered = &directory.spec.profiles;
        let name = match asked {
            None => offered.first().map(String::as_str).unwrap_or_default(),
            Some(name) if offered.iter().any(|offer| offer == name) => name,
            Some(name) => {
                return Err(NewOrderError::NoSuchProfile(
                    name.chars().take(64).collect(),
                ));
            }
        };
        self.profile(name)
            .await?
            .ok_or_else(|| NewOrderError::NoSuchProfile(name.to_owned()))
    }

    /// Checks the names against the account's binding; says whether the binding proves them.
    async fn check_binding(
        &self,
        directory: &Directory,
        account: &Account,
        identifiers: &[Identifier],
    ) -> Result<bool, NewOrderError> {
        let Some(id) = &account.eab_key_id else {
            return match directory.spec.trusted {
                true => Err(NewOrderError::Identifiers(not_bound(identifiers))),
                false => Ok(false),
            };
        };
        let key = self.eab_key(id).await?;
        let refused: Vec<Identifier> = identifiers
            .iter()
            .filter(|identifier| match &key {
                // In a trusted directory an empty list is no list, not every name there is.
                Some(key) if directory.spec.trusted => {
                    key.allowed_names.is_empty() || !key.allows(identifier)
                }
                Some(key) => !key.allows(identifier),
                None => true,
            })
            .cloned()
            .collect();
        if refused.is_empty() {
            Ok(directory.spec.trusted)
        } else {
            Err(NewOrderError::Identifiers(not_bound(&refused)))
        }
    }

    /// Whether this order may stand on earlier authorizations.
    fn reuses_authorizations(&self, directory: &Directory) -> bool {
        match &directory.spec.test_mode {
            Some(test) => self.draw() * 100.0 < f64::from(test.reuse_authorizations_percent),
            None => directory.spec.authorization_reuse_seconds > 0,
        }
    }
}

async fn insert_order(
    tx: &mut Tx<'_>,
    mut order: Order,
    (fresh, mails): (Vec<Authorization>, Vec<Outgoing>),
    reuse: Option<(Directory, Arc<Profile>)>,
    limit: Option<u32>,
    now: Timestamp,
) -> Result<(Order, Vec<Authorization>), NewOrderError> {
    let account = tx.find_account(&order.account_id).await?;
    if account.is_none_or(|account| account.status != AccountStatus::Valid) {
        return Err(NewOrderError::AccountNotValid);
    }
    limits::take(tx, &format!("order:{}", order.account_id), limit, now).await??;
    if let Some(certificate) = &order.replaces {
        require_replaceable(tx, certificate, now).await?;
    }
    let mut authorizations = Vec::with_capacity(fresh.len());
    for authorization in fresh {
        let earlier = match &reuse {
            Some((directory, profile)) if authorization.state == AuthorizationState::Pending => {
                reusable_authorization(tx, &authorization, directory, profile, now).await?
            }
            _ => None,
        };
        match earlier {
            Some(earlier) => authorizations.push(earlier),
            None => {
                tx.insert_authorization(&authorization).await?;
                let mut of_it = mails.iter();
                if let Some(mail) = of_it.find(|mail| *mail.authorization() == authorization.id) {
                    insert_outgoing(tx, mail).await?;
                }
                authorizations.push(authorization);
            }
        }
    }
    order.authorization_ids = authorizations.iter().map(|a| a.id.clone()).collect();
    // An order never outlives what it stands on.
    if let Some(earliest) = authorizations.iter().map(|a| a.expires_at).min() {
        order.expires_at = order.expires_at.min(earliest);
    }
    tx.insert_order(&order).await?;
    Ok((order, authorizations))
}

/// RFC 8555 section 7.4: dates that will not be honoured are refused now, not bent later.
fn check_dates(request: &NewOrder, profile: &Profile, now: Timestamp) -> Result<(), NewOrderError> {
    let faults = policy::decide_dates(request.not_before, request.not_after, profile, now);
    match faults.is_empty() {
        true => Ok(()),
        false => {
            let texts: Vec<String> = faults.iter().map(Violation::text).collect();
            Err(NewOrderError::Validity(texts.join("; ")))
        }
    }
}
