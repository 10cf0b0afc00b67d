//! Orders: made, looked at, listed (RFC 8555 section 7.4).

use std::sync::Arc;

use domain::acme::account::{Account, AccountStatus};
use domain::acme::authorization::{Authorization, AuthorizationState, Proof};
use domain::acme::challenge::{Challenge, ChallengeKind};
use domain::acme::directory::Directory;
use domain::acme::order::{Order, OrderStatus};
use domain::enrollment::EnrollmentState;
use domain::id::{AuthorizationId, CertificateId, OrderId};
use domain::identifier::{Identifier, IdentifierError};
use domain::metadata::Values;
use domain::policy::{self, Violation};
use domain::profile::Profile;
use pki::ari::CertId;
use pki::time::Timestamp;
use store::{StoreError, Tx};

use super::authorizations::{proof_is_accepted, proof_is_recent};
use super::email::{Outgoing, insert_outgoing};
use crate::Lifecycle;
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

/// An order and its derived status.
#[derive(Clone, Debug)]
pub struct OrderView {
    pub order: Order,
    pub status: OrderStatus,
}

/// What is wrong with one identifier of an order.
#[derive(Clone, Debug)]
pub struct IdentifierFault {
    pub kind: String,
    pub value: String,
    pub reason: IdentifierReason,
}

/// Why an identifier is not taken; front ends choose their error by it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IdentifierReason {
    #[error(transparent)]
    Malformed(IdentifierError),
    #[error("{0} is named twice; name it once")]
    Duplicate(Identifier),
    #[error("{}", .0.text())]
    Policy(Violation),
    #[error("the account's external account binding does not allow {0}")]
    NotBound(Identifier),
    #[error("no challenge that this directory offers can prove control of {0}")]
    NoChallenge(Identifier),
    #[error(
        "nobody can vouch for {0}: the directory does not offer device-attest-01, or the profile trusts \
         no maker of devices"
    )]
    NoMaker(Identifier),
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
    /// Makes an order, with its authorizations.
    pub async fn new_order(
        &self,
        directory: &Directory,
        account: &Account,
        request: NewOrder,
    ) -> Result<OrderView, NewOrderError> {
        let now = self.now();
        let profile = self
            .order_profile(directory, request.profile.as_deref())
            .await?;
        let identifiers = self.parse_identifiers(&request.identifiers, &profile)?;
        let bound = self.check_binding(directory, account, &identifiers).await?;
        check_dates(&request, &profile, now)?;
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
            replaces_cert_id: replaces.is_some().then_some(request.replaces).flatten(),
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

    async fn replaced_certificate(
        &self,
        account: &Account,
        identifiers: &[Identifier],
        cert_id: &str,
    ) -> Result<CertificateId, NewOrderError> {
        let cert_id: CertId = cert_id
            .parse()
            .map_err(|_| NewOrderError::Replaces("it is no certificate identifier of RFC 9773"))?;
        let certificate = self
            .certificate_by_cert_id(&cert_id)
            .await?
            .filter(|certificate| certificate.account_id.as_ref() == Some(&account.id))
            .ok_or(NewOrderError::Replaces(
                "no certificate of the account has it",
            ))?;
        let shares_a_name = identifiers
            .iter()
            .any(|identifier| certificate.names.contains(&identifier.to_string()));
        if !shares_a_name {
            return Err(NewOrderError::Replaces("the order shares no name with it"));
        }
        Ok(certificate.id)
    }

    /// The order with that id, if it is of that account.
    pub async fn order(
        &self,
        account: &Account,
        id: &OrderId,
    ) -> Result<Option<OrderView>, StoreError> {
        let (account, id, now) = (account.id.clone(), id.clone(), self.now());
        self.store
            .read("order.find", move |tx| {
                Box::pin(async move {
                    match tx
                        .find_order(&id)
                        .await?
                        .filter(|o| o.account_id == account)
                    {
                        Some(order) => view_order(tx, order, now).await.map(Some),
                        None => Ok(None),
                    }
                })
            })
            .await
    }

    /// Orders of an account, newest first.
    pub async fn orders_of_account(
        &self,
        account: &Account,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<Order>, StoreError> {
        let id = account.id.clone();
        self.store
            .scan("order.of_account", move |tx| {
                Box::pin(async move { tx.list_orders_of_account(&id, after.as_ref(), limit).await })
            })
            .await
    }
}

/// Reads what an order's status depends on.
pub(crate) async fn view_order(
    tx: &mut Tx<'_>,
    order: Order,
    now: Timestamp,
) -> Result<OrderView, StoreError> {
    let enrollment = enrollment_state(tx, &order).await?;
    let authorizations = match enrollment {
        Some(_) => Vec::new(),
        None => {
            tx.list_authorizations_by_ids(&order.authorization_ids)
                .await?
        }
    };
    let status = order.status(&authorizations, enrollment.as_ref(), now);
    Ok(OrderView { order, status })
}

pub(crate) async fn enrollment_state(
    tx: &mut Tx<'_>,
    order: &Order,
) -> Result<Option<EnrollmentState>, StoreError> {
    match &order.enrollment_id {
        None => Ok(None),
        Some(id) => Ok(tx.find_enrollment(id).await?.map(|e| e.state)),
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

/// An earlier authorization for the same, if the directory's rules still let orders stand on it.
async fn reusable_authorization(
    tx: &mut Tx<'_>,
    wanted: &Authorization,
    directory: &Directory,
    profile: &Profile,
    now: Timestamp,
) -> Result<Option<Authorization>, StoreError> {
    let earlier = tx
        .find_valid_authorization(
            &wanted.account_id,
            &wanted.directory_id,
            &wanted.identifier,
            wanted.wildcard,
            now + MINIMUM_LEFT,
        )
        .await?;
    // A test directory reuses by chance, not by age.
    Ok(earlier.filter(|earlier| {
        // An attestation is about one key, and the next certificate mostly has another.
        earlier.attested_key().is_none()
            && proof_is_accepted(earlier, directory, profile)
            && (directory.spec.test_mode.is_some() || proof_is_recent(earlier, directory, now))
    }))
}

/// RFC 9773 section 5: not replaced yet, and no other order that may still do it.
async fn require_replaceable(
    tx: &mut Tx<'_>,
    certificate: &CertificateId,
    now: Timestamp,
) -> Result<(), NewOrderError> {
    // The lock makes two orders that replace the same certificate see each other.
    let stored = tx.find_certificate_for_update(certificate).await?;
    if stored.is_none_or(|certificate| certificate.replaced_by.is_some()) {
        return Err(NewOrderError::AlreadyReplaced);
    }
    for other in tx.list_orders_replacing(certificate).await? {
        let view = view_order(tx, other, now).await?;
        match view.status {
            OrderStatus::Invalid(_) => {}
            OrderStatus::Pending
            | OrderStatus::Ready
            | OrderStatus::Processing { .. }
            | OrderStatus::Valid { .. } => return Err(NewOrderError::AlreadyReplaced),
        }
    }
    Ok(())
}

impl Lifecycle {
    /// An identifier as ACME clients may name it: a mailbox only where challenges are mailed.
    pub(super) fn parse_identifier(
        &self,
        kind: &str,
        value: &str,
    ) -> Result<Identifier, IdentifierError> {
        match kind {
            "email" if self.email.is_some() => Identifier::parse_any(kind, value),
            _ => Identifier::parse(kind, value),
        }
    }

    fn parse_identifiers(
        &self,
        asked: &[(String, String)],
        profile: &Profile,
    ) -> Result<Vec<Identifier>, NewOrderError> {
        if asked.is_empty() {
            return Err(NewOrderError::NoIdentifiers);
        }
        let max = profile.spec.names.max;
        if asked.len() > max {
            return Err(NewOrderError::TooManyIdentifiers(asked.len(), max));
        }
        let mut identifiers: Vec<Identifier> = Vec::with_capacity(asked.len());
        let mut faults = Vec::new();
        for (kind, value) in asked {
            let fault = match self.parse_identifier(kind, value) {
                Err(error) => IdentifierReason::Malformed(error),
                Ok(identifier) if identifiers.contains(&identifier) => {
                    IdentifierReason::Duplicate(identifier)
                }
                Ok(identifier) => {
                    identifiers.push(identifier);
                    continue;
                }
            };
            faults.push(IdentifierFault {
                kind: kind.chars().take(64).collect(),
                value: value.chars().take(300).collect(),
                reason: fault,
            });
        }
        check_names(identifiers, faults, profile)
    }
}

/// What the profile says to the names, beside what is wrong with them already.
fn check_names(
    identifiers: Vec<Identifier>,
    mut faults: Vec<IdentifierFault>,
    profile: &Profile,
) -> Result<Vec<Identifier>, NewOrderError> {
    let mut together = Vec::new();
    for violation in policy::decide_names(&identifiers, profile) {
        match violation.identifier.clone() {
            Some(identifier) => {
                faults.push(fault_of(&identifier, IdentifierReason::Policy(violation)));
            }
            None => together.push(violation),
        }
    }
    match (faults.is_empty(), together.is_empty()) {
        (true, true) => Ok(identifiers),
        (true, false) => Err(NewOrderError::Names(together)),
        (false, _) => Err(NewOrderError::Identifiers(faults)),
    }
}

/// A pending authorization that offers no way to prove control would never end.
fn require_challenges(authorizations: &[Authorization]) -> Result<(), NewOrderError> {
    let faults: Vec<IdentifierFault> = authorizations
        .iter()
        .filter(|a| a.state == AuthorizationState::Pending && a.challenges.is_empty())
        .map(|a| {
            let reason = match a.identifier.is_device() {
                true => IdentifierReason::NoMaker(a.identifier.clone()),
                false => IdentifierReason::NoChallenge(a.identifier.clone()),
            };
            fault_of(&a.identifier, reason)
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(NewOrderError::Identifiers(faults))
    }
}

fn fault_of(identifier: &Identifier, reason: IdentifierReason) -> IdentifierFault {
    IdentifierFault {
        kind: identifier.kind().to_owned(),
        value: identifier.value(),
        reason,
    }
}

fn not_bound(identifiers: &[Identifier]) -> Vec<IdentifierFault> {
    identifiers
        .iter()
        .map(|identifier| fault_of(identifier, IdentifierReason::NotBound(identifier.clone())))
        .collect()
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

impl Lifecycle {
    /// A pending authorization, or one that is valid at once where the binding proves the name.
    fn new_authorization_for(
        &self,
        directory: &Directory,
        account: &Account,
        profile: &Profile,
        identifier: &Identifier,
        bound: bool,
        now: Timestamp,
    ) -> Authorization {
        let accepts = |kind| profile.spec.accepts_challenge(kind);
        let mut authorization =
            self.pending_authorization(directory, account, identifier, &accepts, now);
        // A profile that names its challenges wants one of them, whoever the account is bound to.
        if bound && profile.spec.challenges.is_empty() {
            authorization.state = AuthorizationState::Valid {
                validated_at: now,
                by: Proof::TrustedBinding,
                caa_fresh_until: None,
            };
            authorization.challenges.clear();
            authorization.expires_at = now + directory.spec.valid_authorization_lifetime();
        }
        authorization
    }

    pub(crate) fn pending_authorization(
        &self,
        directory: &Directory,
        account: &Account,
        identifier: &Identifier,
        accepts: &dyn Fn(ChallengeKind) -> bool,
        now: Timestamp,
    ) -> Authorization {
        let token: [u8; 32] = self.random.octets();
        let base = identifier.without_wildcard();
        let wildcard = identifier.is_wildcard();
        Authorization {
            id: AuthorizationId::mint(now, &*self.random),
            account_id: account.id.clone(),
            directory_id: directory.id.clone(),
            challenges: directory
                .spec
                .challenges_for(&base, wildcard)
                .into_iter()
                .filter(|kind| accepts(*kind) && self.can_offer(*kind))
                .map(Challenge::pending)
                .collect(),
            identifier: base,
            wildcard,
            state: AuthorizationState::Pending,
            token: data_encoding::BASE64URL_NOPAD.encode(&token),
            expires_at: now + directory.spec.pending_authorization_lifetime(),
            created_at: now,
        }
    }
}

/// A reused authorization must leave time to finish the order.
const MINIMUM_LEFT: std::time::Duration = std::time::Duration::from_secs(60 * 60);
