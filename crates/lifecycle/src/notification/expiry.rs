//! The watch over certificates' ends: what passes a step of the ladder without a successor becomes an
//! event, once, and an incident.
//!
//! The steps that were told are in the store, and a step is noted in the transaction of its event: a
//! restart, another node or a clock that is set back tells nothing twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::certificate::InventoryCertificate;
use domain::event::{Actor, Event};
use domain::id::{CertificateId, EventId, IncidentId, IssuerId, ProfileId};
use domain::notification::incident::{Incident, succeeds};
use domain::notification::ladder::{Ladder, Life, Step, standing};
use domain::profile::RenewalRules;
use pki::random::Random;
use pki::time::Timestamp;
use serde_json::{Value, json};
use store::notification::expiry::{Watched, first_since};
use store::{StoreError, Tx};

use crate::Lifecycle;

/// How long after its end a certificate is still spoken of.
pub(super) const LOOKED_AT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const PAGE: u32 = 100;
const FOLLOWED: u32 = 1000;
/// The cursor of the inventory: when it was looked through last, in milliseconds.
const WATCHED: &str = "watched";

impl Lifecycle {
    /// Looks at every certificate whose time has come.
    pub(crate) async fn watch_expiry(&self) -> Result<(), StoreError> {
        let ladder = self.ladder().await?;
        let names = self.names().await?;
        self.follow_inventory(&ladder, names.first_look(&ladder))
            .await?;
        let watch = Arc::new(Watch {
            ladder,
            now: self.now(),
            random: Arc::clone(&self.random),
            names,
        });
        loop {
            let watch = Arc::clone(&watch);
            let looked = self
                .store
                .write("expiry.look", move |tx| {
                    Box::pin(async move {
                        let due = tx.list_due_certificates(watch.now, PAGE).await?;
                        for id in &due {
                            watch.look(tx, id).await?;
                        }
                        Ok::<_, StoreError>(due.len())
                    })
                })
                .await?;
            if looked == 0 {
                return Ok(());
            }
        }
    }

    /// Watches what came into the inventory since the last time. Under another ladder than then,
    /// everything is looked at anew, in time for its first threshold.
    async fn follow_inventory(&self, ladder: &Ladder, share: u8) -> Result<(), StoreError> {
        let now = self.now();
        let cursor = format!("expiry-{share}-{}", ladder.key());
        let name = cursor.clone();
        let (known, watched_until) = self
            .store
            .read("expiry.cursor", |tx| {
                Box::pin(async move {
                    let known = tx.find_cursor(&name).await?;
                    let until = tx.find_cursor(WATCHED).await?;
                    Ok::<_, StoreError>((known, until))
                })
            })
            .await?;
        if known.is_none() {
            self.hasten_all(share).await?;
        }
        let since = watched_until.map_or(0, |cursor| cursor.position);
        let mut from = Some(first_since(Timestamp::from_millis(since)));
        while let Some(behind) = from.take() {
            from = self
                .store
                .write("expiry.watch", move |tx| {
                    Box::pin(async move { tx.watch_certificates(&behind, share, FOLLOWED).await })
                })
                .await?;
        }
        self.store
            .write("expiry.followed", move |tx| {
                Box::pin(async move {
                    if known.is_none() {
                        tx.delete_cursors("expiry-").await?;
                        tx.set_cursor(&cursor, 0, now).await?;
                    }
                    tx.set_cursor(WATCHED, now.millis(), now).await
                })
            })
            .await
    }

    async fn hasten_all(&self, share: u8) -> Result<(), StoreError> {
        let mut from = Some(String::new());
        while let Some(behind) = from.take() {
            from = self
                .store
                .write("expiry.hasten", move |tx| {
                    Box::pin(async move { tx.hasten_watched(&behind, share, FOLLOWED).await })
                })
                .await?;
        }
        Ok(())
    }

    /// All thresholds that any rule asks for, and those that incidents go by.
    async fn ladder(&self) -> Result<Ladder, StoreError> {
        let rules = self.notification_rules().await?;
        let asked = rules
            .iter()
            .filter(|rule| rule.spec.enabled)
            .map(|rule| &rule.spec.ladder);
        Ok(Ladder::default().joined(asked))
    }

    pub(super) async fn names(&self) -> Result<Names, StoreError> {
        let profiles = self.profiles().await?;
        let issuers = self.list_issuers().await?;
        Ok(Names {
            profiles: profiles
                .into_iter()
                .map(|profile| (profile.id, (profile.name, profile.spec.renewal)))
                .collect(),
            issuers: issuers.into_iter().map(|i| (i.id, i.name)).collect(),
        })
    }
}

/// What ids are called in events.
pub(super) struct Names {
    /// With their rules for renewal.
    profiles: HashMap<ProfileId, (String, Option<RenewalRules>)>,
    issuers: HashMap<IssuerId, String>,
}

impl Names {
    /// The share of a life before which nothing is to be seen of any certificate.
    fn first_look(&self, ladder: &Ladder) -> u8 {
        let renewals = self.profiles.values().filter_map(|(_, renewal)| *renewal);
        ladder.first_look(renewals)
    }

    fn renewal(&self, certificate: &InventoryCertificate) -> Option<RenewalRules> {
        let profile = certificate.profile_id.as_ref();
        profile.and_then(|id| self.profiles.get(id)?.1)
    }

    /// What an event says of a certificate.
    pub(super) fn facts(&self, certificate: &InventoryCertificate, now: Timestamp) -> Value {
        let left = certificate.not_after.millis() - now.millis();
        let profile = certificate.profile_id.as_ref();
        let issuer = certificate.issuer_id.as_ref();
        json!({
            "certificate": certificate.id,
            "names": certificate.names,
            "subject": certificate.subject,
            "serial": certificate.serial,
            "fingerprint": certificate.fingerprint,
            "issuer": issuer.and_then(|id| self.issuers.get(id)).unwrap_or(&certificate.issuer_name),
            "profile": profile.and_then(|id| Some(&self.profiles.get(id)?.0)),
            "team": certificate.team_id,
            "metadata": certificate.metadata,
            "not_after": certificate.not_after,
            "days_left": left.div_euclid(24 * 60 * 60 * 1000),
        })
    }
}

/// Certificates that may take the place of `old`, of which one does.
pub(super) async fn has_successor(
    tx: &mut Tx<'_>,
    old: &InventoryCertificate,
) -> Result<bool, StoreError> {
    let candidates = tx.list_possible_successors(old).await?;
    Ok(candidates.iter().any(|new| succeeds(new, old)))
}

/// Whether a program got the certificate, by ACME, EST, SCEP, CMP or with a token.
async fn is_automated(
    tx: &mut Tx<'_>,
    certificate: &InventoryCertificate,
) -> Result<bool, StoreError> {
    if certificate.account_id.is_some() {
        return Ok(true);
    }
    let enrollment = match &certificate.enrollment_id {
        Some(id) => tx.find_enrollment(id).await?,
        None => None,
    };
    Ok(enrollment.is_some_and(|enrollment| enrollment.requester.is_program()))
}

/// One round of looking.
struct Watch {
    ladder: Ladder,
    now: Timestamp,
    random: Arc<dyn Random>,
    names: Names,
}

impl Watch {
    async fn look(&self, tx: &mut Tx<'_>, id: &CertificateId) -> Result<(), StoreError> {
        let found = tx.find_certificate(id).await?;
        let Some(certificate) = found.filter(|found| found.revocation.is_none()) else {
            return tx.unwatch_certificate(id).await;
        };
        let life = Life {
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            known_since: certificate.created_at,
            automated: is_automated(tx, &certificate).await?,
            renewal: self.names.renewal(&certificate),
        };
        let told = tx.find_told(id).await?;
        let standing = standing(&life, &self.ladder, told, self.now);
        let passed = tx
            .note_watched(&Watched {
                certificate: id.clone(),
                threshold: standing.step.as_ref().map(|step| step.lowest).or(told),
                due_at: standing.quiet_until,
            })
            .await?;
        match standing.step {
            Some(step) if passed && !has_successor(tx, &certificate).await? => {
                self.tell(tx, &certificate, &step).await
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn tell(
        &self,
        tx: &mut Tx<'_>,
        certificate: &InventoryCertificate,
        step: &Step,
    ) -> Result<(), StoreError> {
        let incident = Incident {
            id: IncidentId::mint(self.now, &*self.random),
            certificate_id: certificate.id.clone(),
            threshold: step.lowest,
            opened_at: self.now,
            updated_at: self.now,
            acknowledgement: None,
            closed: None,
        };
        let mut facts = self.names.facts(certificate, self.now);
        if tx.open_incident(&incident).await? {
            let opened = self.event("incident.opened", incident.id.as_str(), facts.clone());
            tx.insert_event(&opened).await?;
        }
        facts["threshold"] = json!(step.lowest);
        facts["crossed"] = json!(step.crossed);
        let name = step.kind.event_name();
        let event = self.event(name, certificate.id.as_str(), facts);
        tx.insert_event(&event).await?;
        metrics::counter!("certwright_expiry_notices_total", "event" => name).increment(1);
        Ok(())
    }

    fn event(&self, name: &str, object: &str, data: Value) -> Event {
        Event {
            id: EventId::mint(self.now, &*self.random),
            name: name.to_owned(),
            at: self.now,
            actor: Actor::system(),
            object: object.to_owned(),
            data,
            request_id: None,
        }
    }
}
