//! CMP endpoints: found by name, made, changed, deleted.

use std::sync::Arc;

use domain::access::Rights;
use domain::cmp::{CmpEndpoint, CmpRules};
use domain::id::{EntryPointId, TeamId};
use domain::metadata::Circumstance;
use domain::policy::Violation;
use pki::time::Timestamp;
use serde_json::json;
use store::{StoreError, Tx};

use crate::Lifecycle;
use crate::acme::directories::is_slug;
use crate::actor::Caller;
use crate::authorities::{self, AuthoritiesFault};
use crate::bounds::{self, OutOfBounds};
use crate::operator::{Expected, version_after};
use crate::remembered::Remembered;

/// Endpoints by name.
pub(crate) type EndpointCache = Remembered<String, Arc<CmpEndpoint>>;

/// Why an endpoint is not stored.
#[derive(Debug, thiserror::Error)]
pub enum PutEndpointError {
    #[error(
        "`{0}` is no name for a CMP endpoint; use lower-case letters, digits and hyphens, 1 to 63"
    )]
    BadName(String),
    #[error("there is no profile `{0}`; create it first, or name another")]
    NoSuchProfile(String),
    #[error("a CMP endpoint needs at least one profile")]
    NoProfile,
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
    #[error(transparent)]
    Authority(#[from] AuthoritiesFault),
    #[error("metadata: {}", .0.iter().map(Violation::text).collect::<Vec<_>>().join("; "))]
    Metadata(Vec<Violation>),
    #[error("the CMP endpoint was changed since you read it; read it again and repeat your change")]
    Changed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// The endpoint of that name.
    pub async fn cmp_endpoint(&self, name: &str) -> Result<Option<Arc<CmpEndpoint>>, StoreError> {
        let read = self.store.read("cmp_endpoint.find", |tx| {
            let wanted = name.to_owned();
            Box::pin(async move { tx.find_cmp_endpoint_by_name(&wanted).await })
        });
        let found = async { Ok(read.await?.map(Arc::new)) };
        self.cmp_endpoints.get_or_read(name, found).await
    }

    /// Every endpoint.
    pub async fn list_cmp_endpoints(&self) -> Result<Vec<CmpEndpoint>, StoreError> {
        self.store
            .scan("cmp_endpoint.list", |tx| {
                Box::pin(async move { tx.list_cmp_endpoints().await })
            })
            .await
    }

    /// Makes an endpoint, or changes the rules of the one with that name, if it is as expected. A new
    /// one is of `team`; one that is there stays with its own.
    pub async fn put_cmp_endpoint(
        &self,
        name: String,
        mut spec: CmpRules,
        team: Option<TeamId>,
        expected: Expected<Timestamp>,
        caller: &Caller,
    ) -> Result<CmpEndpoint, PutEndpointError> {
        self.check_endpoint(&name, &spec, &caller.rights).await?;
        spec.metadata = self
            .fields()
            .await?
            .check_passed_on(&spec.metadata, Circumstance::EntryPoint)
            .map_err(PutEndpointError::Metadata)?;
        let now = self.now();
        let fresh = CmpEndpoint {
            id: EntryPointId::mint(now, &*self.random),
            name: name.clone(),
            spec,
            team_id: team,
            created_at: now,
            updated_at: now,
        };
        let mut event = self.event(caller, "cmp_endpoint.changed", &name, json!({}));
        let stored = self
            .store
            .write("cmp_endpoint.put", move |tx| {
                Box::pin(async move {
                    let known = tx.find_cmp_endpoint_by_name(&fresh.name).await?;
                    event.note("before", known.as_ref().map(|known| &known.spec));
                    event.note("after", &fresh.spec);
                    let endpoint = store_endpoint(tx, fresh, known, expected).await?;
                    event.note("team", &endpoint.team_id);
                    tx.insert_event(&event).await?;
                    Ok::<_, PutEndpointError>(endpoint)
                })
            })
            .await?;
        self.cmp_endpoints.forget(&name);
        Ok(stored)
    }

    /// Deletes an endpoint with its secrets. What was issued there stays; transactions end.
    pub async fn delete_cmp_endpoint(
        &self,
        endpoint: &CmpEndpoint,
        caller: &Caller,
    ) -> Result<(), StoreError> {
        let data = json!({ "before": endpoint.spec, "after": null, "team": endpoint.team_id });
        let event = self.event(caller, "cmp_endpoint.deleted", &endpoint.name, data);
        let id = endpoint.id.clone();
        self.store
            .write("cmp_endpoint.delete", move |tx| {
                Box::pin(async move {
                    if tx.delete_cmp_endpoint(&id).await? {
                        tx.insert_event(&event).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
        self.cmp_endpoints.forget(&endpoint.name);
        Ok(())
    }

    async fn check_endpoint(
        &self,
        name: &str,
        spec: &CmpRules,
        rights: &Rights,
    ) -> Result<(), PutEndpointError> {
        if !is_slug(name) {
            return Err(PutEndpointError::BadName(name.chars().take(80).collect()));
        }
        if spec.profiles.is_empty() {
            return Err(PutEndpointError::NoProfile);
        }
        check_bounds(spec)?;
        authorities::read(&spec.authorities)?;
        for name in &spec.profiles {
            if self.visible_profile(name, rights).await?.is_none() {
                return Err(PutEndpointError::NoSuchProfile(name.clone()));
            }
        }
        Ok(())
    }
}

fn check_bounds(spec: &CmpRules) -> Result<(), OutOfBounds> {
    let (wait, skew) = (spec.confirm_wait_seconds, spec.max_clock_skew_seconds);
    bounds::check(&[
        ("confirm_wait_seconds", wait, 60..=30 * DAY),
        ("max_clock_skew_seconds", skew, 0..=DAY),
    ])
}

async fn store_endpoint(
    tx: &mut Tx<'_>,
    mut fresh: CmpEndpoint,
    known: Option<CmpEndpoint>,
    expected: Expected<Timestamp>,
) -> Result<CmpEndpoint, PutEndpointError> {
    if !expected.agrees(known.as_ref().map(|endpoint| &endpoint.updated_at)) {
        return Err(PutEndpointError::Changed);
    }
    match known {
        None => tx.insert_cmp_endpoint(&fresh).await?,
        Some(known) => {
            fresh.id = known.id;
            fresh.team_id = known.team_id;
            fresh.created_at = known.created_at;
            fresh.updated_at = version_after(known.updated_at, fresh.updated_at);
            tx.update_cmp_endpoint(&fresh).await?;
        }
    }
    Ok(fresh)
}

const DAY: u64 = 24 * 60 * 60;
