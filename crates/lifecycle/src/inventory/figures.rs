//! Figures of the inventory, by what they can be shown by.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::access::Visibility;
use domain::certificate::{Facet, Figures, Origin};
use domain::id::{IssuerId, ProfileId, TeamId};
use pki::time::Timestamp;
use store::StoreError;

use crate::Lifecycle;

/// Figures of all certificates that somebody sees.
#[derive(Clone, Debug)]
pub struct InventorySummary {
    /// The moment that they are of.
    pub at: Timestamp,
    pub all: Figures,
    /// Requests that failed within [`LATELY`].
    pub failed_lately: u64,
    /// Certificates with keys that can be broken.
    pub weak: Figures,
    /// `None`: issuers that are none of ours.
    pub by_issuer: BTreeMap<Option<IssuerId>, Figures>,
    pub by_profile: BTreeMap<Option<ProfileId>, Figures>,
    pub by_team: BTreeMap<Option<TeamId>, Figures>,
    pub by_key_kind: BTreeMap<String, Figures>,
    /// In the order of [`Origin`]'s variants.
    pub by_origin: [(Origin, Figures); 3],
}

impl InventorySummary {
    fn new(at: Timestamp) -> Self {
        let none = Figures::default();
        Self {
            at,
            all: none,
            failed_lately: 0,
            weak: none,
            by_issuer: BTreeMap::new(),
            by_profile: BTreeMap::new(),
            by_team: BTreeMap::new(),
            by_key_kind: BTreeMap::new(),
            by_origin: [
                (Origin::Issued, none),
                (Origin::Discovered, none),
                (Origin::Imported, none),
            ],
        }
    }

    fn add(&mut self, facet: Facet, figures: Figures) {
        self.all += figures;
        if facet.is_weak {
            self.weak += figures;
        }
        *self.by_issuer.entry(facet.issuer).or_default() += figures;
        *self.by_profile.entry(facet.profile).or_default() += figures;
        *self.by_team.entry(facet.team).or_default() += figures;
        *self.by_key_kind.entry(facet.key_kind).or_default() += figures;
        for (origin, sum) in &mut self.by_origin {
            if *origin == facet.origin {
                *sum += figures;
            }
        }
    }
}

impl Lifecycle {
    /// Figures of the certificates that are seen, as lists would count them at this moment.
    pub async fn inventory_summary(
        &self,
        visible: &Visibility,
    ) -> Result<InventorySummary, StoreError> {
        let now = self.now();
        let whose = visible.clone();
        let (figures, failed_lately) = self
            .store
            .scan("certificate.figures", move |tx| {
                Box::pin(async move {
                    let failed = tx.count_failed_enrollments(&whose, now - LATELY).await?;
                    Ok::<_, StoreError>((tx.certificate_figures(now).await?, failed))
                })
            })
            .await?;
        let mut summary = InventorySummary {
            failed_lately,
            ..InventorySummary::new(now)
        };
        for (facet, figures) in figures {
            if visible.shows(facet.team.as_ref()) {
                summary.add(facet, figures);
            }
        }
        Ok(summary)
    }

    /// Sums up figures and files texts of what was written. Says whether there may be more.
    pub async fn file_certificates(&self) -> Result<bool, StoreError> {
        let filed = self
            .store
            .write("certificate.file", |tx| {
                Box::pin(async move { tx.file_certificates(FILING_BATCH).await })
            })
            .await?;
        Ok(filed == u64::from(FILING_BATCH))
    }
}

/// For so long something that failed is news.
pub const LATELY: Duration = Duration::from_secs(7 * 86_400);

/// Small enough that nobody waits long for the writer behind it.
const FILING_BATCH: u32 = 250;
