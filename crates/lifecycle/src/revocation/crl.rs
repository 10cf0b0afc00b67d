//! CRLs: made anew when something is revoked and on schedule, numbered, replaced as a whole.

use std::sync::Arc;

use domain::id::IssuerId;
use domain::issuer::LocalCa;
use pki::certificate::{IssuerFacts, assemble};
use pki::crl::{CrlContent, CrlEntry};
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;
use store::crls::StoredCrl;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::remembered::Remembered;

/// The latest CRL of each issuer, remembered for a second.
pub(crate) type CrlCache = Remembered<IssuerId, Arc<StoredCrl>>;

/// Why there is no new CRL; the one there is stays.
#[derive(Debug, thiserror::Error)]
pub enum CrlError {
    #[error("the issuer's key is not at hand here")]
    NoKey,
    #[error("the CRL cannot be built: {0}")]
    Build(String),
    #[error("the CRL cannot be signed: {0}")]
    Sign(#[from] pki::key::KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// The latest CRL of an issuer.
    pub async fn latest_crl(
        &self,
        issuer: &IssuerId,
    ) -> Result<Option<Arc<StoredCrl>>, StoreError> {
        let read = self.store.read("crl.latest", |tx| {
            let wanted = issuer.clone();
            Box::pin(async move { tx.find_latest_crl(&wanted).await })
        });
        let found = async { Ok(read.await?.map(Arc::new)) };
        self.crls.get_or_read(issuer, found).await
    }

    /// Brings the figure that alarms look at up to the stored CRLs: which node made them, and when this
    /// one started, does not matter.
    #[expect(clippy::cast_precision_loss, reason = "seconds are small enough")]
    pub async fn show_crl_ends(&self) -> Result<(), StoreError> {
        let ends = self
            .store
            .read("crl.ends", |tx| {
                Box::pin(async move { tx.list_crl_ends().await })
            })
            .await?;
        for (issuer, next_update) in ends {
            metrics::gauge!("certwright_crl_next_update_seconds", "issuer" => issuer)
                .set(next_update.seconds() as f64);
        }
        Ok(())
    }

    /// Makes the next CRL of an issuer and gives its `nextUpdate`. Of several that are made at one
    /// time each gets a number of its own: the number is the row's key, and who finds it taken
    /// takes the next one.
    pub(crate) async fn refresh_crl(&self, issuer: &IssuerId) -> Result<Timestamp, CrlError> {
        for _ in 0..NUMBER_TRIES {
            match self.publish_next_crl(issuer).await {
                Err(CrlError::Store(StoreError::Duplicate { constraint })) => {
                    tracing::debug!(issuer.id = %issuer, constraint, "the CRL's number is taken");
                }
                done => return done,
            }
        }
        self.publish_next_crl(issuer).await
    }

    async fn publish_next_crl(&self, issuer: &IssuerId) -> Result<Timestamp, CrlError> {
        let connected = self.issuer_by_id(issuer).await?.ok_or(CrlError::NoKey)?;
        let ca = connected.connector.local_ca().ok_or(CrlError::NoKey)?;
        // Made before it is asked for, so that OCSP does not need the CA's key when that is away.
        if let Err(error) = self.responder(issuer, ca).await {
            tracing::error!(issuer.id = %issuer, error = %error, "no OCSP responder");
        }
        let now = self.now().floor_to_second();
        let next_update = now + self.settings.revocation.crl_validity;
        let previous = self.latest_number(issuer).await?;
        let entries = self.revoked_entries(issuer, now).await?;
        let count = entries.len();
        let number = previous + 1;
        let der = sign_crl(ca, number, now, next_update, entries)?;
        let size = der.len();
        let event = self.event(
            &Caller::system(),
            "crl.published",
            issuer.as_str(),
            json!({ "number": number, "entries": count, "octets": size, "next_update": next_update }),
        );
        let id = issuer.clone();
        self.store
            .write("crl.publish", move |tx| {
                Box::pin(async move {
                    tx.insert_crl(&id, number, now, next_update, &der).await?;
                    tx.delete_crls_before(&id, number - KEPT).await?;
                    tx.insert_event(&event).await
                })
            })
            .await?;
        self.crls.forget(issuer);
        Ok(next_update)
    }

    async fn latest_number(&self, issuer: &IssuerId) -> Result<i64, StoreError> {
        let id = issuer.clone();
        self.store
            .read("crl.number", |tx| {
                Box::pin(async move {
                    let latest = tx.find_latest_crl(&id).await?.map_or(0, |crl| crl.number);
                    let floor = tx.crl_number_floor().await?;
                    Ok(latest.max(floor))
                })
            })
            .await
    }

    /// Everything revoked that has not been expired for longer than one CRL lives: an entry is
    /// seen in at least one CRL after the certificate's end (RFC 5280 section 3.3).
    async fn revoked_entries(
        &self,
        issuer: &IssuerId,
        now: Timestamp,
    ) -> Result<Vec<CrlEntry>, StoreError> {
        let expired_before = now - self.settings.revocation.crl_validity * 2;
        let mut entries = Vec::new();
        let mut after = None;
        loop {
            let (id, cursor) = (issuer.clone(), after.take());
            let page = self
                .store
                .scan("crl.entries", move |tx| {
                    Box::pin(async move {
                        tx.list_unexpired_revoked(&id, expired_before, cursor.as_ref(), PAGE)
                            .await
                    })
                })
                .await?;
            let is_last = page.len() < PAGE as usize;
            after = page.last().map(|revoked| revoked.id.clone());
            entries.extend(page.into_iter().map(|revoked| CrlEntry {
                serial: revoked.serial,
                revoked_at: revoked.revocation.at.floor_to_second(),
                reason: revoked.revocation.reason,
            }));
            if is_last {
                return Ok(entries);
            }
        }
    }
}

fn sign_crl(
    ca: &LocalCa,
    number: i64,
    this_update: Timestamp,
    next_update: Timestamp,
    entries: Vec<CrlEntry>,
) -> Result<Vec<u8>, CrlError> {
    let algorithm = ca.key.signature_algorithm();
    let content = CrlContent {
        issuer: IssuerFacts::from_certificate(&ca.certificate, algorithm),
        number: u64::try_from(number).unwrap_or(1),
        this_update,
        next_update,
        entries,
        issuing_distribution_point: None,
    };
    let tbs = pki::crl::encode_tbs(&content).map_err(|error| CrlError::Build(error.to_string()))?;
    let signature = ca.key.sign(&tbs)?;
    Ok(assemble(&tbs, algorithm, &signature))
}

const PAGE: u32 = 5_000;
/// How often a number may be found taken before that is told as a failure.
const NUMBER_TRIES: usize = 16;
/// Earlier CRLs that are kept, for whoever has to look back.
const KEPT: i64 = 10;
