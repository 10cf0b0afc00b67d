//! Record: the one door into the inventory. What an issuer gave is checked before it is believed.

use std::collections::BTreeMap;

use domain::certificate::{Chain, InventoryCertificate, Origin};
use domain::enrollment::{Enrollment, EnrollmentState, Requester};
use domain::event::Event;
use domain::id::{AccountId, CertificateId, DirectoryId};
use pki::certificate::Certificate;
use serde_json::json;
use store::jobs::JobRow;

use super::check::{self, RecordError, check};
use super::file::{Filed, Filing};
use super::{Admitted, DriveError};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::inventory::entry::entry;

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
        let (leaf, issuers) = chain.split_first().ok_or(RecordError::Empty)?;
        let certificate = Certificate::from_der(leaf)
            .map_err(|error| RecordError::Unreadable(error.to_string()))?;
        check(&certificate, issuers, admitted, self.now())?;
        let upper = Chain::new(issuers.to_vec());
        let entry = self.inventory_entry(admitted, &certificate, &upper);
        let mut issued = self.issued_event(&entry, admitted, caller);
        let findings = check::lint(&certificate, issuers, admitted);
        if !findings.is_empty() {
            issued.note("lint", &findings);
        }
        let filing = Filing {
            enrollment: self.issued_enrollment(&admitted.enrollment, &entry),
            surplus: self.surplus_event(&entry, admitted),
            entry,
            upper,
            issued,
            job: job.cloned(),
            is_remote: admitted.issuer.connector.local_ca().is_none(),
        };
        match self.file(filing).await? {
            Filed::Issued(state) => {
                metrics::counter!("certwright_certificates_issued_total",
                    "issuer" => admitted.issuer.issuer.name.clone(),
                    "profile" => admitted.profile.name.clone())
                .increment(1);
                if let EnrollmentState::Issued { certificate: id } = &state {
                    log_issued(admitted, &certificate, id);
                }
                Ok(state)
            }
            Filed::Ended(state) => Ok(state),
            Filed::Foreign(certificate) => Err(RecordError::Foreign(certificate).into()),
        }
    }

    async fn file(&self, filing: Filing) -> Result<Filed, DriveError> {
        let write = async || {
            let filing = filing.clone();
            self.store
                .write("certificate.record", move |tx| {
                    Box::pin(async move { filing.write(tx).await })
                })
                .await
        };
        match write().await {
            Err(error) if filing.is_remote && error.is_duplicate() => {}
            written => return Ok(written?),
        }
        // A look through the CA's list was faster by a moment; now it is there to be found.
        match write().await {
            Err(error) if error.is_duplicate() => Err(RecordError::SameSerial.into()),
            written => Ok(written?),
        }
    }

    fn issued_enrollment(&self, asked: &Enrollment, entry: &InventoryCertificate) -> Enrollment {
        let mut issued = asked.clone();
        issued.state = EnrollmentState::Issued {
            certificate: entry.id.clone(),
        };
        issued.updated_at = self.now();
        issued
    }

    fn surplus_event(&self, entry: &InventoryCertificate, admitted: &Admitted) -> Event {
        let mut event = self.discovered_event(entry, &admitted.issuer.issuer.name);
        event.note("enrollment", &admitted.enrollment.id);
        event.note("team", &entry.team_id);
        event
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
