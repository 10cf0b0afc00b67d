//! The dry run of a migration: which certificates, who renews each, which profiles. Nothing changes.

use domain::certificate::CertificateStatus;
use domain::id::IssuerId;
use domain::issuer::{Issuer, IssuerState};
use domain::issuer_migration::{
    ItemState, MigrationItem, Pace, Readiness, RouteBefore, readiness, rerouted,
};
use store::StoreError;
use store::certificates::CertificateFilter;

use super::{MAX_CERTIFICATES, MigrationError, check_pace};
use crate::Lifecycle;

/// What is to be moved.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    pub from: String,
    pub to: String,
    /// Of the certificates of the first issuer those that fit.
    pub filter: CertificateFilter,
    /// The field of custom metadata that marks what is pinned.
    pub pin_field: String,
    pub pace: Pace,
}

/// What would be moved.
#[derive(Clone, Debug)]
pub struct MigrationPlan {
    pub from: IssuerId,
    pub to: IssuerId,
    pub items: Vec<MigrationItem>,
    pub routes: Vec<RouteBefore>,
    pub waves: u32,
}

impl MigrationPlan {
    /// How many certificates there are of a readiness.
    pub fn count(&self, readiness: Readiness) -> u64 {
        let of = self.items.iter();
        of.filter(|item| item.readiness == readiness).count() as u64
    }
}

impl Lifecycle {
    /// Says what a migration would do.
    pub async fn plan_issuer_migration(
        &self,
        request: PlanRequest,
    ) -> Result<MigrationPlan, MigrationError> {
        check_pace(request.pace)?;
        if request.from == request.to {
            return Err(MigrationError::Same);
        }
        let from = self.migrating(&request.from).await?;
        let to = self.migrating(&request.to).await?;
        if to.state != IssuerState::Active {
            return Err(MigrationError::NotActive(to.name));
        }
        if self.issuer_by_id(&to.id).await?.is_none() {
            return Err(MigrationError::NotConnected(to.name));
        }
        let items = self.items_of(&from, &request).await?;
        let routes = self.routes(&from.name, &to.name).await?;
        if items.is_empty() && routes.is_empty() {
            return Err(MigrationError::Nothing(from.name));
        }
        let waiting = items
            .iter()
            .filter(|item| item.state == ItemState::Waiting)
            .count();
        let waves = waiting.div_ceil(request.pace.wave_size as usize);
        Ok(MigrationPlan {
            from: from.id,
            to: to.id,
            waves: u32::try_from(waves).unwrap_or(u32::MAX),
            items,
            routes,
        })
    }

    async fn migrating(&self, name: &str) -> Result<Issuer, MigrationError> {
        let unknown = || MigrationError::NoSuchIssuer(name.chars().take(80).collect());
        self.find_issuer(name).await?.ok_or_else(unknown)
    }

    async fn items_of(
        &self,
        from: &Issuer,
        request: &PlanRequest,
    ) -> Result<Vec<MigrationItem>, MigrationError> {
        let filter = CertificateFilter {
            issuer: Some(from.id.clone()),
            status: Some((CertificateStatus::Valid, self.now())),
            replaced: Some(false),
            ..request.filter.clone()
        };
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let page = self
                .list_certificates(filter.clone(), after.take(), PAGE)
                .await?;
            let is_last = page.len() < PAGE as usize;
            after = page.last().map(|certificate| certificate.id.clone());
            for certificate in page {
                let readiness = readiness(&certificate, &request.pin_field);
                items.push(MigrationItem {
                    certificate: certificate.id,
                    readiness,
                    state: match readiness {
                        Readiness::Automatic => ItemState::Waiting,
                        Readiness::Person | Readiness::Pinned => ItemState::Left,
                    },
                    wave: None,
                    successor: None,
                });
            }
            if items.len() > MAX_CERTIFICATES {
                return Err(MigrationError::TooMany);
            }
            if is_last {
                return Ok(items);
            }
        }
    }

    /// The profiles that route to the issuer, and how they would route.
    async fn routes(&self, from: &str, to: &str) -> Result<Vec<RouteBefore>, StoreError> {
        let profiles = self.profiles().await?;
        let routes = profiles.into_iter().filter_map(|profile| {
            Some(RouteBefore {
                after: rerouted(&profile.spec.issuers, from, to)?,
                before: profile.spec.issuers,
                profile: profile.name,
            })
        });
        Ok(routes.collect())
    }
}

const PAGE: u32 = 500;
