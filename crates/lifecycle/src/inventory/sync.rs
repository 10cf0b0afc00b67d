//! What a CA elsewhere says it issued, held against the inventory: certificates that nobody here asked
//! for, and revocations that nobody here ordered.

use std::time::Duration;

use domain::certificate::{Chain, InventoryCertificate, Origin, Revocation};
use domain::event::Event;
use domain::id::IssuerId;
use domain::issuer::{IssueError, ListedCertificate};
use pki::certificate::Certificate;
use pki::fingerprint::Fingerprint;
use pki::key::weak;
use pki::revocation::RevocationReason;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{StoreError, Tx};

use crate::Lifecycle;
use crate::actor::Caller;
use crate::issuers::ConnectedIssuer;
use crate::jobs::Job;
use crate::operator::issuers::IssuerError;

/// How the last look through a CA's list went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncReport {
    pub at: Timestamp,
    /// Certificates in the list.
    pub listed: u64,
    /// Of those, new here.
    pub discovered: u64,
    /// Of those known here, revoked elsewhere.
    pub revoked: u64,
    /// What cannot be read, or the inventory would not take.
    pub unreadable: u64,
    /// Why it did not come to the end.
    pub error: Option<String>,
}

/// Why the list was not looked through; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of one listed certificate.
enum Found {
    Known,
    Discovered,
    Revoked,
}

impl Lifecycle {
    /// How the last look went; `None` before the first.
    pub async fn sync_report(&self, issuer: &IssuerId) -> Result<Option<SyncReport>, StoreError> {
        let name = setting(issuer);
        let text = self
            .store
            .read("issuer.sync_report", |tx| {
                Box::pin(async move { tx.find_setting(&name).await })
            })
            .await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Looks through a CA's list as soon as a worker has time.
    pub async fn request_sync(&self, name: &str, caller: &Caller) -> Result<(), IssuerError> {
        let issuer = self.require_issuer(name).await?;
        let can_list = self
            .issuer_by_id(&issuer.id)
            .await?
            .is_some_and(|connected| connected.connector.abilities().list.is_some());
        if !can_list {
            return Err(IssuerError::CannotList(issuer.name));
        }
        let job = Job::SyncIssuer {
            issuer: issuer.id.clone(),
        };
        let job = self.new_job(&job, self.now());
        let data = json!({ "name": issuer.name });
        let event = self.event(caller, "issuer.sync_requested", issuer.id.as_str(), data);
        self.store
            .write("issuer.sync_request", move |tx| {
                Box::pin(async move {
                    tx.enqueue_or_hasten(&job).await?;
                    tx.insert_event(&event).await
                })
            })
            .await?;
        self.jobs.notify();
        Ok(())
    }

    /// One look through the whole list. Says when to look again; `None` where there is no list.
    pub(crate) async fn sync_issuer(
        &self,
        issuer: &IssuerId,
    ) -> Result<Option<Timestamp>, SyncError> {
        let Some(connected) = self.issuer_by_id(issuer).await? else {
            return Ok(Some(self.now() + PAUSE));
        };
        if connected.connector.abilities().list.is_none() {
            return Ok(None);
        }
        let mut report = SyncReport {
            at: self.now(),
            listed: 0,
            discovered: 0,
            revoked: 0,
            unreadable: 0,
            error: None,
        };
        let looked = self.look_through(&connected, &mut report).await;
        report.error = looked.as_ref().err().map(ToString::to_string);
        let (name, now) = (setting(issuer), self.now());
        let text = serde_json::to_string(&report).unwrap_or_default();
        self.store
            .write("issuer.sync_report", move |tx| {
                Box::pin(async move { tx.put_setting(&name, &text, now).await })
            })
            .await?;
        looked?;
        Ok(Some(self.now() + PAUSE))
    }

    async fn look_through(
        &self,
        connected: &ConnectedIssuer,
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        let Some(list) = connected.connector.abilities().list else {
            return Ok(());
        };
        let mut cursor = None;
        for _ in 0..MOST_PAGES {
            let page = list.list_issued(cursor.as_deref()).await?;
            for listed in page.certificates {
                report.listed += 1;
                match self.take_in(connected, &listed).await? {
                    Some(Found::Known) => {}
                    Some(Found::Discovered) => report.discovered += 1,
                    Some(Found::Revoked) => report.revoked += 1,
                    None => report.unreadable += 1,
                }
            }
            match page.next {
                // A list that does not move on has no end.
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                Some(_) | None => return Ok(()),
            }
        }
        Ok(())
    }

    async fn take_in(
        &self,
        connected: &ConnectedIssuer,
        listed: &ListedCertificate,
    ) -> Result<Option<Found>, StoreError> {
        let fingerprint = Fingerprint::of(&listed.der);
        let known = self
            .store
            .read("certificate.by_fingerprint", |tx| {
                Box::pin(async move { tx.find_certificate_by_fingerprint(&fingerprint).await })
            })
            .await?;
        match known {
            Some(known) => self.note_revocation(known, listed).await.map(Some),
            None => self.discover(connected, listed).await,
        }
    }

    async fn note_revocation(
        &self,
        known: InventoryCertificate,
        listed: &ListedCertificate,
    ) -> Result<Found, StoreError> {
        let Some(revocation) = listed.revocation.filter(|_| known.revocation.is_none()) else {
            return Ok(Found::Known);
        };
        let event = self.event(
            &Caller::system(),
            "certificate.revoked_elsewhere",
            known.id.as_str(),
            json!({
                "serial": known.serial, "names": known.names, "metadata": known.metadata,
                "reason": revocation.reason, "at": revocation.at, "team": known.team_id,
                "key_blocked": blocks_key(&revocation),
            }),
        );
        let revoked = self
            .store
            .write("certificate.revoked_elsewhere", move |tx| {
                Box::pin(async move {
                    let is_new = tx.revoke_certificate(&known.id, &revocation).await?;
                    if is_new {
                        block_compromised(tx, &known.spki_sha256, Some(&revocation)).await?;
                        tx.insert_event(&event).await?;
                    }
                    Ok::<_, StoreError>(is_new)
                })
            })
            .await?;
        Ok(match revoked {
            true => Found::Revoked,
            false => Found::Known,
        })
    }

    async fn discover(
        &self,
        connected: &ConnectedIssuer,
        listed: &ListedCertificate,
    ) -> Result<Option<Found>, StoreError> {
        let Ok(certificate) = Certificate::from_der(&listed.der) else {
            return Ok(None);
        };
        let upper = connected.connector.chain().clone();
        let issuer = &connected.issuer;
        let mut entry = self.ca_entry(&certificate, &issuer.id, &upper, self.now());
        entry.origin = Origin::Discovered;
        entry.is_weak = weak::check(&certificate.public_key).is_err();
        entry.revocation = listed.revocation;
        if upper.certificates().is_empty() {
            entry.chain_id = None;
        }
        let event = self.discovered_event(&entry, &issuer.name);
        let stored = self
            .store
            .write("certificate.discover", move |tx| {
                Box::pin(async move { insert(tx, &entry, &upper, &event).await })
            })
            .await;
        match stored {
            Ok(()) => Ok(Some(Found::Discovered)),
            // Another node was faster, or a serial that a certificate has already.
            Err(error) if error.is_duplicate() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// That a CA signed something that nobody here has.
    pub(crate) fn discovered_event(&self, entry: &InventoryCertificate, issuer: &str) -> Event {
        self.event(
            &Caller::system(),
            "certificate.discovered",
            entry.id.as_str(),
            json!({
                "serial": entry.serial, "fingerprint": entry.fingerprint, "issuer": issuer,
                "names": entry.names, "not_after": entry.not_after,
                "revocation": entry.revocation.map(|revocation| revocation.reason),
                "key_blocked": entry.revocation.as_ref().is_some_and(blocks_key),
            }),
        )
    }
}

async fn insert(
    tx: &mut Tx<'_>,
    entry: &InventoryCertificate,
    upper: &Chain,
    event: &Event,
) -> Result<(), StoreError> {
    if entry.chain_id.is_some() {
        tx.put_chain(upper).await?;
    }
    tx.insert_certificate(entry).await?;
    block_compromised(tx, &entry.spki_sha256, entry.revocation.as_ref()).await?;
    tx.insert_event(event).await
}

/// A key that a CA elsewhere calls compromised is certified by no other from then on.
async fn block_compromised(
    tx: &mut Tx<'_>,
    spki_sha256: &[u8; 32],
    revocation: Option<&Revocation>,
) -> Result<(), StoreError> {
    if let Some(revocation) = revocation.filter(|revocation| blocks_key(revocation)) {
        let reason = revocation.reason.to_string();
        tx.block_key(spki_sha256, &reason, revocation.at).await?;
    }
    Ok(())
}

fn blocks_key(revocation: &Revocation) -> bool {
    revocation.reason == RevocationReason::KeyCompromise
}

fn setting(issuer: &IssuerId) -> String {
    format!("issuer-sync/{issuer}")
}

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(6 * 60 * 60);
const MOST_PAGES: usize = 100_000;
