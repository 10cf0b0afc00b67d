//! Import: certificates that others issued come into the inventory, and stay those of others.
//!
//! What a certificate is, its issuer and serial number say, not who brought it: one that is known stays
//! as it is, and one that claims the serial number of another is refused. An import gives no right over
//! a certificate that our own issuers signed: such a one belongs to no team until somebody who sees
//! everything gives it to one.

mod bundle;
mod issuers;
mod judge;
mod piece;
mod stream;
mod values;

use std::collections::HashMap;
use std::sync::Arc;

use domain::certificate::{Chain, InventoryCertificate};
use domain::event::Event;
use domain::id::{BulkId, CertificateId, TeamId};
use domain::metadata::{Fields, Values};
use domain::permission::Permission;
use pki::fingerprint::Fingerprint;
use serde_json::json;
use store::{StoreError, Tx};

pub use bundle::read_bundle;
pub use piece::{BundleForm, Judged, Piece, Verdict};
pub use stream::{Splitter, StreamFault, StreamForm};
pub use values::{ValuesError, ValuesReport};

use crate::Lifecycle;
use crate::actor::Caller;
use issuers::Issuers;
use judge::Candidate;

/// Certificates that are judged and stored together.
pub const BATCH: usize = 500;

/// What holds for all certificates of an import.
#[derive(Clone, Debug, Default)]
pub struct ImportRules {
    /// Who will own them.
    pub team: Option<TeamId>,
    /// Values that each of them gets.
    pub metadata: Values,
    /// Only says what would be done.
    pub dry_run: bool,
}

/// Why nothing is imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(
        "importing needs the permission `{}` for the team that is to own the certificates",
        Permission::CertificatesImport
    )]
    Forbidden,
    #[error("{}", .0.join("; "))]
    Metadata(Vec<String>),
    #[error("the server stopped in the middle of a certificate")]
    Stopped,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An import that is under way.
pub struct Import {
    id: BulkId,
    rules: ImportRules,
    fields: Arc<Fields>,
    issuers: Issuers,
    /// What this import has brought already.
    seen: Seen,
    /// Private keys that were among the certificates.
    secrets: usize,
}

/// Certificates by fingerprint, and by issuer and serial number.
#[derive(Default)]
struct Seen {
    fingerprints: HashMap<Fingerprint, CertificateId>,
    identities: HashMap<Fingerprint, CertificateId>,
}

impl Import {
    /// What its events are about.
    pub fn id(&self) -> &BulkId {
        &self.id
    }

    /// How many private keys came along and were thrown away.
    pub fn secrets(&self) -> usize {
        self.secrets
    }
}

impl Lifecycle {
    /// Begins an import.
    pub async fn begin_import(
        &self,
        rules: ImportRules,
        caller: &Caller,
    ) -> Result<Import, ImportError> {
        let team = rules.team.as_ref();
        if !caller.rights.allows(Permission::CertificatesImport, team) {
            return Err(ImportError::Forbidden);
        }
        let fields = self.fields().await?;
        let metadata = normal(&fields, &rules.metadata).map_err(ImportError::Metadata)?;
        Ok(Import {
            id: BulkId::mint(self.now(), &*self.random),
            rules: ImportRules { metadata, ..rules },
            fields,
            issuers: Issuers::new(&self.connected_issuers().await?),
            seen: Seen::default(),
            secrets: 0,
        })
    }

    /// Judges some certificates and stores those that are new, all of them in one transaction.
    pub async fn import(
        &self,
        import: &mut Import,
        pieces: Vec<Piece>,
        caller: &Caller,
    ) -> Result<Vec<Judged>, ImportError> {
        let mut readable = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                Piece::Secrets(count) => import.secrets += count,
                piece @ (Piece::Certificate { .. } | Piece::Broken { .. }) => readable.push(piece),
            }
        }
        let mut read = self.read_pieces(import, readable).await?;
        import.seen.single_out(&mut read);
        let mut judged = match import.rules.dry_run {
            true => self.look_up(read).await?,
            false => self.store_batch(import, read, caller).await?,
        };
        import.seen.remember(&mut judged);
        Ok(judged.into_iter().map(Candidate::into_judged).collect())
    }

    /// Parsing and verifying is work for a thread of its own.
    async fn read_pieces(
        &self,
        import: &mut Import,
        pieces: Vec<Piece>,
    ) -> Result<Vec<Candidate>, ImportError> {
        let mut issuers = std::mem::take(&mut import.issuers);
        let (rules, fields) = (import.rules.clone(), Arc::clone(&import.fields));
        let (now, random) = (self.now(), Arc::clone(&self.random));
        let reading = tokio::task::spawn_blocking(move || {
            let read: Vec<Candidate> = pieces
                .into_iter()
                .map(|piece| judge::read(piece, &rules, &fields, now, &*random))
                .collect();
            issuers.learn(&read);
            let read: Vec<Candidate> = read
                .into_iter()
                .map(|candidate| candidate.below(&mut issuers))
                .collect();
            (issuers, read)
        });
        let (issuers, read) = reading.await.map_err(|_| ImportError::Stopped)?;
        import.issuers = issuers;
        Ok(read)
    }

    async fn look_up(&self, mut read: Vec<Candidate>) -> Result<Vec<Candidate>, StoreError> {
        self.store
            .scan("certificate.import_dry_run", move |tx| {
                Box::pin(async move {
                    judge_by_inventory(tx, &mut read).await?;
                    Ok(read)
                })
            })
            .await
    }

    async fn store_batch(
        &self,
        import: &Import,
        read: Vec<Candidate>,
        caller: &Caller,
    ) -> Result<Vec<Candidate>, StoreError> {
        let read = Arc::new(read);
        let event = self.event(
            caller,
            "certificate.imported",
            import.id.as_str(),
            json!({ "team": import.rules.team, "metadata": import.rules.metadata }),
        );
        loop {
            let (candidates, event) = (Vec::clone(&read), event.clone());
            let stored = self
                .store
                .write("certificate.import", move |tx| {
                    Box::pin(store_new(tx, candidates, event))
                })
                .await;
            match stored {
                // Another node brought one of them in between; it is known now.
                Err(error) if error.is_duplicate() => {
                    tracing::info!(%error, "an import met another one and looks again");
                }
                stored => {
                    self.jobs.notify();
                    return stored;
                }
            }
        }
    }
}

async fn store_new(
    tx: &mut Tx<'_>,
    mut candidates: Vec<Candidate>,
    mut event: Event,
) -> Result<Vec<Candidate>, StoreError> {
    judge_by_inventory(tx, &mut candidates).await?;
    let mut chains: HashMap<Fingerprint, Chain> = HashMap::new();
    let mut new: Vec<InventoryCertificate> = Vec::with_capacity(candidates.len());
    for candidate in &candidates {
        let Some(certificate) = candidate.new_certificate() else {
            continue;
        };
        if let (Some(id), Some(chain)) = (certificate.chain_id, candidate.chain()) {
            chains.entry(id.0).or_insert_with(|| chain.clone());
        }
        new.push(certificate.clone());
    }
    if new.is_empty() {
        return Ok(candidates);
    }
    for chain in chains.values() {
        tx.put_chain(chain).await?;
    }
    tx.insert_certificates(&new).await?;
    let told: Vec<_> = new
        .iter()
        .map(|certificate| json!([certificate.id, certificate.fingerprint]))
        .collect();
    if let Some(data) = event.data.as_object_mut() {
        data.insert("count".to_owned(), new.len().into());
        data.insert("certificates".to_owned(), told.into());
    }
    tx.insert_event(&event).await?;
    Ok(candidates)
}

/// Finds those that are known, and those that cannot be what they say.
async fn judge_by_inventory(
    tx: &mut Tx<'_>,
    candidates: &mut [Candidate],
) -> Result<(), StoreError> {
    let open = || candidates.iter().filter_map(Candidate::new_certificate);
    let fingerprints: Vec<Fingerprint> = open().map(|c| c.fingerprint).collect();
    let serials: Vec<_> = open().map(|c| c.serial.clone()).collect();
    let known = tx.find_known_certificates(&fingerprints).await?;
    let mut same_serial = HashMap::new();
    for same in tx.find_certificates_of_serials(&serials).await? {
        same_serial.insert((same.issuer_name, same.serial), same.id);
    }
    for candidate in candidates {
        let Some(certificate) = candidate.new_certificate() else {
            continue;
        };
        let identity = (certificate.issuer_name.clone(), certificate.serial.clone());
        let verdict = if let Some(id) = known.get(&certificate.fingerprint) {
            Some(Verdict::Known(id.clone()))
        } else if let Some(id) = same_serial.get(&identity) {
            Some(Verdict::Broken(judge::impostor(certificate, id)))
        } else if let Some(issuer) = &certificate.issuer_id
            && tx.is_serial_enrolled(issuer, &certificate.serial).await?
        {
            Some(Verdict::Broken(judge::UNDER_WAY.to_owned()))
        } else {
            None
        };
        if let Some(verdict) = verdict {
            candidate.decide(verdict);
        }
    }
    Ok(())
}

impl Seen {
    /// What comes a second time in one import is known by then.
    fn single_out(&mut self, candidates: &mut [Candidate]) {
        for candidate in candidates {
            let Some(certificate) = candidate.new_certificate() else {
                continue;
            };
            let (fingerprint, identity) = (certificate.fingerprint, judge::identity(certificate));
            let verdict = if let Some(id) = self.fingerprints.get(&fingerprint) {
                Verdict::Known(id.clone())
            } else if let Some(id) = self.identities.get(&identity) {
                Verdict::Broken(judge::impostor(certificate, id))
            } else {
                let id = certificate.id.clone();
                self.fingerprints.insert(fingerprint, id.clone());
                self.identities.insert(identity, id);
                continue;
            };
            candidate.decide(verdict);
        }
    }

    /// What turned out to be in the inventory has another id there.
    fn remember(&mut self, judged: &mut [Candidate]) {
        for candidate in judged {
            if let Some((fingerprint, id)) = candidate.known_as() {
                self.fingerprints.insert(fingerprint, id);
            }
        }
    }
}

/// Values in the form that their fields want, or everything that is wrong with them.
fn normal(fields: &Fields, values: &Values) -> Result<Values, Vec<String>> {
    let mut normal = Values::new();
    let mut faults = Vec::new();
    for (name, text) in values {
        let checked = match fields.find(name) {
            None => Err(fields.missing(name)),
            Some(field) => field.normal(text, None),
        };
        match checked {
            Ok(value) => {
                normal.insert(name.clone(), value);
            }
            Err(reason) => faults.push(format!("metadata field `{name}`: {reason}")),
        }
    }
    match faults.is_empty() {
        true => Ok(normal),
        false => Err(faults),
    }
}
