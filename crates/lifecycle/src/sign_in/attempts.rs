//! Counting attempts, by user name and by address.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use domain::sign_in::{Attempts, Backoff};
use domain::user::{MAX_NAME, UserName};
use pki::time::Timestamp;
use serde_json::json;
use store::{StoreError, Tx};

use super::SignInError;
use crate::Lifecycle;
use crate::actor::Caller;

/// Too many attempts failed; after `retry_after` the next one is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts failed; try again in {} seconds, or ask an administrator", .retry_after.as_secs())]
pub struct Locked {
    pub retry_after: Duration,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    pub subject: LockSubject,
    pub attempts: Attempts,
}

/// Who has to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockSubject {
    /// A name that was signed in as, whether there is such a user or not.
    User(String),
    /// An address, or the network of an IPv6 address.
    Address(String),
}

impl LockSubject {
    fn key(&self) -> String {
        match self {
            Self::User(name) => format!("{USER}{name}"),
            Self::Address(address) => format!("{ADDRESS}{address}"),
        }
    }

    fn of_key(key: &str) -> Option<Self> {
        let user = key
            .strip_prefix(USER)
            .map(|name| Self::User(name.to_owned()));
        user.or_else(|| {
            key.strip_prefix(ADDRESS)
                .map(|address| Self::Address(address.to_owned()))
        })
    }
}

impl Lifecycle {
    /// Counts an attempt as failed before anybody looks at it; success takes it back.
    pub(super) async fn count_attempt(
        &self,
        name: &str,
        caller: &Caller,
    ) -> Result<(), SignInError> {
        let now = self.now();
        let (user, address) = keys(name, caller);
        self.store
            .write("sign_in.count", move |tx| {
                Box::pin(async move {
                    if let Some(address) = address {
                        count(tx, &address, &Backoff::ADDRESS, now).await?;
                    }
                    count(tx, &user, &Backoff::USER, now).await
                })
            })
            .await
    }

    /// The same for attempts that name nobody: the address alone is counted.
    pub(super) async fn count_address(&self, caller: &Caller) -> Result<(), SignInError> {
        let (now, (_, address)) = (self.now(), keys("", caller));
        let Some(address) = address else {
            return Ok(());
        };
        self.store
            .write("sign_in.count", move |tx| {
                Box::pin(async move { count(tx, &address, &Backoff::ADDRESS, now).await })
            })
            .await
    }

    /// Gives an address the attempt back that succeeded.
    pub(super) async fn forgive_address(&self, caller: &Caller) -> Result<(), StoreError> {
        let (_, address) = keys("", caller);
        self.store
            .write("sign_in.forgive", move |tx| {
                Box::pin(async move { give_back(tx, address.as_deref()).await })
            })
            .await
    }

    /// Writes down that an attempt was one too many. The wait that follows keeps these few.
    pub(super) async fn note_refusal(
        &self,
        name: &str,
        what: &str,
        caller: &Caller,
    ) -> Result<(), StoreError> {
        metrics::counter!("certwright_sign_in_failures_total", "factor" => what.to_owned())
            .increment(1);
        let name: String = name.chars().take(MAX_NAME).collect();
        let event = self.event(
            caller,
            "session.refused",
            &name,
            json!({ "user": name, "factor": what }),
        );
        self.store
            .write("sign_in.failed", move |tx| {
                Box::pin(async move { tx.insert_event(&event).await })
            })
            .await
    }

    /// Somebody signed in: the name's failures are forgotten, the address gets this attempt back and
    /// keeps the others, or one good account would open the door to guessing at the rest.
    pub(super) async fn forgive(&self, name: &UserName, caller: &Caller) -> Result<(), StoreError> {
        let (user, address) = keys(name.as_str(), caller);
        self.store
            .write("sign_in.forgive", move |tx| {
                Box::pin(async move {
                    // In the order in which they are counted, or two who sign in wait for each other.
                    give_back(tx, address.as_deref()).await?;
                    tx.delete_attempts(&user).await.map(drop)
                })
            })
            .await
    }

    /// An attempt was none.
    pub(super) async fn take_back(
        &self,
        name: &UserName,
        caller: &Caller,
    ) -> Result<(), StoreError> {
        let (user, address) = keys(name.as_str(), caller);
        self.store
            .write("sign_in.take_back", move |tx| {
                Box::pin(async move {
                    give_back(tx, address.as_deref()).await?;
                    give_back(tx, Some(&user)).await
                })
            })
            .await
    }

    /// Who has to wait at this moment.
    pub async fn list_locks(&self, limit: u32) -> Result<Vec<Lock>, StoreError> {
        let now = self.now();
        let rows = self
            .store
            .scan("sign_in.locks", move |tx| {
                Box::pin(async move { tx.list_locked(now, None, limit).await })
            })
            .await?;
        let locks = rows.into_iter().filter_map(|(key, attempts)| {
            let subject = LockSubject::of_key(&key)?;
            Some(Lock { subject, attempts })
        });
        Ok(locks.collect())
    }

    /// Forgets the failures of a name or an address. Says whether there were any.
    pub async fn lift_lock(
        &self,
        subject: &LockSubject,
        caller: &Caller,
    ) -> Result<bool, StoreError> {
        let key = subject.key();
        let data = match subject {
            LockSubject::User(name) => json!({ "user": name }),
            LockSubject::Address(address) => json!({ "address": address }),
        };
        let event = self.event(caller, "sign_in.unlocked", &key, data);
        self.store
            .write("sign_in.unlock", move |tx| {
                Box::pin(async move {
                    let known = tx.delete_attempts(&key).await?;
                    if known {
                        tx.insert_event(&event).await?;
                    }
                    Ok(known)
                })
            })
            .await
    }
}

async fn count(
    tx: &mut Tx<'_>,
    key: &str,
    backoff: &Backoff,
    now: Timestamp,
) -> Result<(), SignInError> {
    let known = tx.lock_attempts(key, now).await?;
    let attempts = backoff.count(known, now).map_err(|wait| Locked {
        // Rounded up: who obeys must be looked at.
        retry_after: Duration::from_secs(wait.as_millis().div_ceil(1000) as u64),
    })?;
    Ok(tx.put_attempts(key, &attempts).await?)
}

async fn give_back(tx: &mut Tx<'_>, key: Option<&str>) -> Result<(), StoreError> {
    let Some(key) = key else { return Ok(()) };
    let Some(attempts) = tx.find_attempts(key).await? else {
        return Ok(());
    };
    let fewer = Attempts {
        failures: attempts.failures.saturating_sub(1),
        locked_until: None,
        ..attempts
    };
    tx.put_attempts(key, &fewer).await
}

/// The name as it is counted, known or not, and the address. Whoever has one IPv6 address has a
/// network of them.
fn keys(name: &str, caller: &Caller) -> (String, Option<String>) {
    let name = name.trim().to_ascii_lowercase();
    let user = LockSubject::User(name.chars().take(MAX_NAME).collect());
    let address = caller.actor.address.as_deref().map(|text| {
        let counted = match text.parse() {
            Ok(IpAddr::V6(v6)) => network(v6),
            Ok(IpAddr::V4(_)) | Err(_) => text.to_owned(),
        };
        LockSubject::Address(counted).key()
    });
    (user.key(), address)
}

fn network(address: Ipv6Addr) -> String {
    let [a, b, c, d, ..] = address.segments();
    format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
}

const USER: &str = "user/";
const ADDRESS: &str = "address/";

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::{Actor, ActorKind};

    fn from(address: &str) -> Caller {
        let mut caller = Caller::system();
        caller.actor = Actor {
            kind: ActorKind::Anonymous,
            id: String::new(),
            address: Some(address.to_owned()),
        };
        caller
    }

    #[test]
    fn names_are_counted_without_case_and_addresses_by_network() {
        let (user, address) = keys(" Ada ", &from("192.0.2.7"));
        assert_eq!(user, "user/ada");
        assert_eq!(address.as_deref(), Some("address/192.0.2.7"));
        let (_, address) = keys("ada", &from("2001:db8:1:2:3:4:5:6"));
        assert_eq!(address.as_deref(), Some("address/2001:db8:1:2::/64"));
        let (long, _) = keys(&"a".repeat(10_000), &from("192.0.2.7"));
        assert_eq!(long.len(), USER.len() + MAX_NAME);
    }

    #[test]
    fn a_key_tells_who_has_to_wait() {
        for subject in [
            LockSubject::User("address/ada".to_owned()),
            LockSubject::Address("192.0.2.7".to_owned()),
        ] {
            assert_eq!(LockSubject::of_key(&subject.key()), Some(subject));
        }
    }
}
