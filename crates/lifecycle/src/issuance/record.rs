//! Record: the one door into the inventory. What an issuer gave is checked before it is believed.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::certificate::{Chain, InventoryCertificate, Origin};
use domain::enrollment::{Enrollment, EnrollmentState, Requester};
use domain::event::Event;
use domain::id::{AccountId, CertificateId, DirectoryId};
use domain::identifier::Identifier;
use pki::certificate::Certificate;
use pki::name::GeneralName;
use serde_json::json;
use store::StoreError;
use store::jobs::JobRow;

use super::{Admitted, DriveError};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::inventory::entry::entry;

/// What is wrong with a certificate that an issuer gave.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("the issuer answered without a certificate")]
    Empty,
    #[error("the issuer's answer is no certificate: {0}")]
    Unreadable(String),
    #[error("the certificate has another public key than the request")]
    WrongKey,
    #[error("the certificate names {found}, the request {wanted}")]
    WrongNames { found: String, wanted: String },
    #[error("the certificate is not valid now: it runs from {not_before} to {not_after}")]
    NotValidNow {
        not_before: String,
        not_after: String,
    },
    #[error("the certificate is a CA certificate")]
    IsCa,
    #[error("the certificate's chain does not hold together")]
    BrokenChain,
    #[error(
        "the certificate came without those above it, and the CA's are not known; give them with \
         `certwright issuer update NAME --certificates FILE`"
    )]
    NoChain,
}

impl Lifecycle {
    /// Checks and stores an issued certificate. Once the CA has signed, nothing here rolls back:
    /// a store that fails leaves the job, and the next try gets here again.
    pub(crate) async fn record(
        &self,
        admitted: &Admitted,
        chain: Chain,
        job: Option<&JobRow>,
        caller: &Caller,
    ) -> Result<EnrollmentState, DriveError> {
        let enrollment = &admitted.enrollment;
        let (leaf, issuers) = chain.split_first().ok_or(RecordError::Empty)?;
        let certificate = Certificate::from_der(leaf)
            .map_err(|error| RecordError::Unreadable(error.to_string()))?;
        check(&certificate, issuers, admitted, self.now())?;
        let upper = Chain::new(issuers.to_vec());
        let entry = self.inventory_entry(admitted, &certificate, &upper);
        let state = EnrollmentState::Issued {
            certificate: entry.id.clone(),
        };
        let event = self.issued_event(&entry, admitted, caller);
        let issued = entry.id.clone();
        let mut moved = enrollment.clone();
        moved.state = state.clone();
        moved.updated_at = self.now();
        let job = job.cloned();
        let stored = self
            .store
            .write("certificate.record", move |tx| {
                Box::pin(store_issued(tx, moved, entry, upper, event, job))
            })
            .await;
        match stored {
            Ok(state) => {
                metrics::counter!("certwright_certificates_issued_total",
                    "issuer" => admitted.issuer.issuer.name.clone(),
                    "profile" => admitted.profile.name.clone())
                .increment(1);
                // Not where another node's try was recorded first: that node told of its own.
                if matches!(&state, EnrollmentState::Issued { certificate } if *certificate == issued)
                {
                    log_issued(admitted, &certificate, &issued);
                }
                Ok(state)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn inventory_entry(
        &self,
        admitted: &Admitted,
        certificate: &Certificate,
        upper: &Chain,
    ) -> InventoryCertificate {
        let enrollment = &admitted.enrollment;
        let (account_id, directory_id) = account_of(&enrollment.requester);
        InventoryCertificate {
            issuer_id: Some(admitted.issuer.issuer.id.clone()),
            chain_id: Some(upper.id()),
            enrollment_id: Some(enrollment.id.clone()),
            profile_id: Some(enrollment.profile_id.clone()),
            profile_version: Some(enrollment.profile_version),
            account_id,
            directory_id,
            replaces: enrollment.replaces.clone(),
            metadata: BTreeMap::clone(&enrollment.metadata),
            team_id: enrollment.team_id.clone(),
            ..entry(certificate, Origin::Issued, self.now(), &*self.random)
        }
    }

    fn issued_event(
        &self,
        entry: &InventoryCertificate,
        admitted: &Admitted,
        caller: &Caller,
    ) -> Event {
        self.event(
            caller,
            "certificate.issued",
            entry.id.as_str(),
            json!({
                "serial": entry.serial,
                "fingerprint": entry.fingerprint,
                "issuer": admitted.issuer.issuer.name,
                "profile": admitted.profile.name,
                "profile_version": admitted.profile.version,
                "names": entry.names,
                "not_after": entry.not_after,
                "enrollment": admitted.enrollment.id,
                "team": entry.team_id,
                "metadata": entry.metadata,
                "key_evidence": admitted.enrollment.key_evidence,
            }),
        )
    }
}

/// One line for each certificate, without its names: of these there may be a hundred, and mailboxes
/// among them. The inventory and the event have them.
fn log_issued(admitted: &Admitted, certificate: &Certificate, id: &CertificateId) {
    tracing::info!(
        enrollment.id = %admitted.enrollment.id,
        certificate.id = %id,
        certificate.serial = %certificate.serial,
        certificate.not_after = %certificate.not_after,
        issuer.name = admitted.issuer.issuer.name,
        profile.name = admitted.profile.name,
        "certificate issued"
    );
}

async fn store_issued(
    tx: &mut store::Tx<'_>,
    enrollment: Enrollment,
    entry: InventoryCertificate,
    upper: Chain,
    event: Event,
    job: Option<JobRow>,
) -> Result<EnrollmentState, StoreError> {
    let stored = tx.find_enrollment_for_update(&enrollment.id).await?;
    // Another node's try was recorded first: its certificate stands, ours never leaves here.
    if let Some(stored) = stored.filter(|stored| stored.state.is_final()) {
        if let Some(job) = &job {
            tx.complete_job(job).await?;
        }
        return Ok(stored.state);
    }
    tx.put_chain(&upper).await?;
    tx.insert_certificate(&entry).await?;
    if let Some(replaced) = &entry.replaces {
        tx.set_replaced_by(replaced, &entry.id).await?;
    }
    tx.update_enrollment(&enrollment).await?;
    tx.insert_event(&event).await?;
    if let Some(job) = &job {
        tx.complete_job(job).await?;
    }
    Ok(enrollment.state)
}

/// A CA that dates nothing back, and has a clock a little ahead of ours, is no liar.
const CLOCK_SKEW: Duration = Duration::from_secs(2 * 60);

/// I14: key, names, validity, usage and chain are what was asked for.
fn check(
    certificate: &Certificate,
    issuers: &[Vec<u8>],
    admitted: &Admitted,
    now: pki::time::Timestamp,
) -> Result<(), RecordError> {
    if certificate.spki_sha256 != admitted.request.content.public_key.spki_sha256() {
        return Err(RecordError::WrongKey);
    }
    check_names(certificate, &admitted.enrollment.identifiers)?;
    let earliest = admitted.request.content.not_before.max(now);
    if certificate.not_after <= now || certificate.not_before > earliest + CLOCK_SKEW {
        return Err(RecordError::NotValidNow {
            not_before: certificate.not_before.to_string(),
            not_after: certificate.not_after.to_string(),
        });
    }
    if certificate.is_ca {
        return Err(RecordError::IsCa);
    }
    check_chain(certificate, issuers, admitted)
}

fn check_names(certificate: &Certificate, identifiers: &[Identifier]) -> Result<(), RecordError> {
    let mut found: Vec<String> = certificate.names.iter().map(name_text).collect();
    let mut wanted: Vec<String> = identifiers.iter().map(Identifier::value).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    if found == wanted {
        return Ok(());
    }
    Err(RecordError::WrongNames {
        found: found.join(", "),
        wanted: wanted.join(", "),
    })
}

/// Our own CA's chain was checked when it was configured, and its signature is our own; what
/// comes from elsewhere is followed link by link.
fn check_chain(
    certificate: &Certificate,
    issuers: &[Vec<u8>],
    admitted: &Admitted,
) -> Result<(), RecordError> {
    if let Some(ca) = admitted.issuer.connector.local_ca() {
        return match certificate.issuer_der == ca.certificate.subject_der {
            true => Ok(()),
            false => Err(RecordError::BrokenChain),
        };
    }
    // Without a link nothing would be held against the certificate at all.
    if issuers.is_empty() {
        return Err(RecordError::NoChain);
    }
    let mut below = certificate.clone();
    for der in issuers {
        let above = Certificate::from_der(der)
            .map_err(|error| RecordError::Unreadable(error.to_string()))?;
        if !below.is_signed_by(&above) {
            return Err(RecordError::BrokenChain);
        }
        below = above;
    }
    Ok(())
}

fn account_of(requester: &Requester) -> (Option<AccountId>, Option<DirectoryId>) {
    match requester {
        Requester::AcmeAccount {
            account, directory, ..
        } => (Some(account.clone()), Some(directory.clone())),
        Requester::User { .. }
        | Requester::Token { .. }
        | Requester::Client { .. }
        | Requester::System => (None, None),
    }
}

/// A name as the inventory writes it.
pub(crate) fn name_text(name: &GeneralName) -> String {
    match name {
        GeneralName::Dns(name) => name.to_ascii_lowercase(),
        GeneralName::Ip(address) => address.to_string(),
        GeneralName::Email(address) => address.clone(),
        GeneralName::Uri(uri) => uri.clone(),
        GeneralName::Directory(name) => format!("directory:{name}"),
        GeneralName::Other { oid, .. } => match Identifier::from_general_name(name) {
            Ok(device) => device.value(),
            Err(_) => format!("other:{oid}"),
        },
    }
}
