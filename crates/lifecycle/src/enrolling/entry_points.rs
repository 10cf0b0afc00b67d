//! Entry points of EST and SCEP: made, changed, removed by operators.

use domain::access::Rights;
use domain::enrolling::{EntryPoint, EntryPointSpec, Protocol};
use domain::id::{EntryPointId, TeamId};
use domain::metadata::Circumstance;
use domain::policy::Violation;
use pki::time::Timestamp;
use serde_json::{Value, json};
use store::{StoreError, Tx};

use crate::Lifecycle;
use crate::acme::directories::is_slug;
use crate::actor::Caller;
use crate::authorities::{self, AuthoritiesFault};
use crate::operator::{Expected, version_after};

/// Why an entry point is not stored or removed.
#[derive(Debug, thiserror::Error)]
pub enum EntryPointError {
    #[error("`{0}` is no name for it; use lower-case letters, digits and hyphens, 1 to 63")]
    BadName(String),
    #[error("`{0}` is the name of an EST operation and cannot name a label")]
    Reserved(String),
    #[error("there is no profile `{0}`; create it first, or name another")]
    NoSuchProfile(String),
    #[error("metadata: {}", .0.iter().map(Violation::text).collect::<Vec<_>>().join("; "))]
    Metadata(Vec<Violation>),
    #[error(transparent)]
    Authority(#[from] AuthoritiesFault),
    #[error("it was changed by somebody else in the meantime; read it again")]
    Changed,
    #[error("there is no {noun} `{name}`")]
    Unknown { noun: &'static str, name: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// The entry point of that protocol and name.
    pub async fn entry_point(
        &self,
        protocol: Protocol,
        name: &str,
    ) -> Result<Option<EntryPoint>, StoreError> {
        // A name in a URL that could not be one is not looked for.
        if !is_slug(name) {
            return Ok(None);
        }
        let name = name.to_owned();
        self.store
            .read("entry_point.find", move |tx| {
                Box::pin(async move { tx.find_entry_point_by_name(protocol, &name).await })
            })
            .await
    }

    /// The entry point with that id.
    pub async fn entry_point_by_id(
        &self,
        id: &EntryPointId,
    ) -> Result<Option<EntryPoint>, StoreError> {
        let id = id.clone();
        self.store
            .read("entry_point.by_id", move |tx| {
                Box::pin(async move { tx.find_entry_point(&id).await })
            })
            .await
    }

    /// Every entry point of a protocol.
    pub async fn list_entry_points(
        &self,
        protocol: Protocol,
    ) -> Result<Vec<EntryPoint>, StoreError> {
        self.store
            .scan("entry_point.list", move |tx| {
                Box::pin(async move { tx.list_entry_points(protocol).await })
            })
            .await
    }

    /// Makes an entry point, or changes the rules of one. Its team is decided when it is made.
    pub async fn put_entry_point(
        &self,
        name: String,
        mut spec: EntryPointSpec,
        team: Option<TeamId>,
        expected: Expected<Timestamp>,
        caller: &Caller,
    ) -> Result<EntryPoint, EntryPointError> {
        self.check_entry_point(&name, &mut spec, &caller.rights)
            .await?;
        let now = self.now();
        let fresh = EntryPoint {
            id: EntryPointId::mint(now, &*self.random),
            name,
            spec,
            team_id: team,
            created_at: now,
            updated_at: now,
        };
        let protocol = fresh.spec.protocol();
        let event = format!("{}.changed", event_noun(protocol));
        let mut event = self.event(caller, &event, "", json!({ "name": fresh.name }));
        self.store
            .write("entry_point.put", move |tx| {
                Box::pin(async move {
                    let known = tx.find_entry_point_by_name(protocol, &fresh.name).await?;
                    event.note("before", known.as_ref().map(|known| rules(&known.spec)));
                    event.note("after", rules(&fresh.spec));
                    let stored = store_point(tx, fresh, known, expected).await?;
                    event.object = stored.id.to_string();
                    event.note("team", &stored.team_id);
                    tx.insert_event(&event).await?;
                    Ok(stored)
                })
            })
            .await
    }

    async fn check_entry_point(
        &self,
        name: &str,
        spec: &mut EntryPointSpec,
        rights: &Rights,
    ) -> Result<(), EntryPointError> {
        if !is_slug(name) {
            return Err(EntryPointError::BadName(name.chars().take(80).collect()));
        }
        // `/.well-known/est/cacerts` is an operation of the default label.
        if spec.protocol() == Protocol::Est && EST_OPERATIONS.contains(&name) {
            return Err(EntryPointError::Reserved(name.to_owned()));
        }
        let profile = self.visible_profile(spec.profile(), rights).await?;
        if profile.is_none() {
            return Err(EntryPointError::NoSuchProfile(spec.profile().to_owned()));
        }
        if let EntryPointSpec::Scep(rules) = spec {
            authorities::read(&rules.authorities)?;
        }
        let fields = self.fields().await?;
        *spec.metadata_mut() = fields
            .check_passed_on(spec.metadata(), Circumstance::EntryPoint)
            .map_err(EntryPointError::Metadata)?;
        Ok(())
    }

    /// Removes an entry point with its passwords. Enrollments that wait go on; their clients cannot come
    /// back for them.
    pub async fn delete_entry_point(
        &self,
        protocol: Protocol,
        name: &str,
        caller: &Caller,
    ) -> Result<(), EntryPointError> {
        let event = format!("{}.deleted", event_noun(protocol));
        let mut event = self.event(caller, &event, "", json!({ "name": name }));
        let name = name.to_owned();
        self.store
            .write("entry_point.delete", move |tx| {
                Box::pin(async move {
                    let found = tx.find_entry_point_by_name(protocol, &name).await?;
                    let Some(point) = found else {
                        let noun = protocol.noun();
                        return Err(EntryPointError::Unknown { noun, name });
                    };
                    tx.delete_entry_point(&point.id).await?;
                    event.object = point.id.to_string();
                    event.note("before", rules(&point.spec));
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await
    }
}

async fn store_point(
    tx: &mut Tx<'_>,
    mut fresh: EntryPoint,
    known: Option<EntryPoint>,
    expected: Expected<Timestamp>,
) -> Result<EntryPoint, EntryPointError> {
    if !expected.agrees(known.as_ref().map(|known| &known.updated_at)) {
        return Err(EntryPointError::Changed);
    }
    match known {
        None => tx.insert_entry_point(&fresh).await?,
        Some(known) => {
            fresh.id = known.id;
            fresh.team_id = known.team_id;
            fresh.created_at = known.created_at;
            fresh.updated_at = version_after(known.updated_at, fresh.updated_at);
            tx.update_entry_point(&fresh).await?;
        }
    }
    Ok(fresh)
}

fn event_noun(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Est => "est_label",
        Protocol::Scep => "scep_service",
    }
}

fn rules(spec: &EntryPointSpec) -> Value {
    let written = match spec {
        EntryPointSpec::Est(rules) => serde_json::to_value(rules),
        EntryPointSpec::Scep(rules) => serde_json::to_value(rules),
    };
    written.unwrap_or(Value::Null)
}

const EST_OPERATIONS: [&str; 6] = [
    "cacerts",
    "simpleenroll",
    "simplereenroll",
    "fullcmc",
    "serverkeygen",
    "csrattrs",
];
