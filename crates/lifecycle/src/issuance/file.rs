//! File: a certificate that was checked becomes an entry of the inventory, in one transaction with the
//! end of its enrollment. A CA elsewhere may have shown it to us before, and may have signed too much.

use domain::certificate::{Chain, InventoryCertificate, Origin};
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::event::Event;
use domain::id::CertificateId;
use store::jobs::JobRow;
use store::{StoreError, Tx};

/// What is written when an issuer's answer was found good.
#[derive(Clone)]
pub(super) struct Filing {
    /// As it is to be from now on.
    pub(super) enrollment: Enrollment,
    pub(super) entry: InventoryCertificate,
    pub(super) upper: Chain,
    /// That it was issued.
    pub(super) issued: Event,
    /// Instead of that, where nobody waits for it any more.
    pub(super) surplus: Event,
    pub(super) job: Option<JobRow>,
    /// Whether others than we know what the CA signed: it is not our own.
    pub(super) is_remote: bool,
}

/// What became of it.
pub(super) enum Filed {
    Issued(EnrollmentState),
    /// The enrollment had ended before.
    Ended(EnrollmentState),
    /// It is what another request was answered with.
    Foreign(CertificateId),
}

impl Filing {
    pub(super) async fn write(mut self, tx: &mut Tx<'_>) -> Result<Filed, StoreError> {
        let stored = tx.find_enrollment_for_update(&self.enrollment.id).await?;
        if let Some(stored) = stored.filter(|stored| stored.state.is_final()) {
            if self.is_remote {
                self.keep_surplus(tx).await?;
            }
            self.complete_job(tx).await?;
            return Ok(Filed::Ended(stored.state));
        }
        let known = match self.is_remote {
            true => self.find_known(tx).await?,
            false => None,
        };
        tx.put_chain(&self.upper).await?;
        match known {
            None => tx.insert_certificate(&self.entry).await?,
            Some(known) => {
                let id = known.id.clone();
                self.take_over(known);
                if !tx.adopt_certificate(&self.entry).await? {
                    return Ok(Filed::Foreign(id));
                }
            }
        }
        if let Some(replaced) = &self.entry.replaces {
            tx.set_replaced_by(replaced, &self.entry.id).await?;
        }
        tx.update_enrollment(&self.enrollment).await?;
        tx.insert_event(&self.issued).await?;
        self.complete_job(tx).await?;
        Ok(Filed::Issued(self.enrollment.state))
    }

    async fn find_known(
        &self,
        tx: &mut Tx<'_>,
    ) -> Result<Option<InventoryCertificate>, StoreError> {
        tx.find_certificate_by_fingerprint(&self.entry.fingerprint)
            .await
    }

    async fn complete_job(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        match &self.job {
            Some(job) => tx.complete_job(job).await.map(drop),
            None => Ok(()),
        }
    }

    /// A look through the CA's list, or an import, came first: the entry keeps its id, and what people
    /// wrote to it since, unless the request says otherwise.
    fn take_over(&mut self, known: InventoryCertificate) {
        self.issued.object = known.id.to_string();
        self.issued.note(
            "found_before",
            serde_json::json!({
                "origin": known.origin, "at": known.created_at, "team": known.team_id,
                "metadata": known.metadata,
            }),
        );
        let own = std::mem::take(&mut self.entry.metadata);
        self.entry.metadata = known.metadata;
        self.entry.metadata.extend(own);
        self.entry.team_id = self.entry.team_id.take().or(known.team_id);
        self.issued.note("metadata", &self.entry.metadata);
        self.issued.note("team", &self.entry.team_id);
        self.entry.id = known.id;
        self.enrollment.state = EnrollmentState::Issued {
            certificate: self.entry.id.clone(),
        };
    }

    /// The request ended otherwise, by another node's try or because somebody withdrew it. Its CA counts
    /// this one as issued all the same, and it is good until it ends: it must not be overlooked.
    async fn keep_surplus(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if self.find_known(tx).await?.is_some() {
            return Ok(());
        }
        let entry = InventoryCertificate {
            origin: Origin::Discovered,
            enrollment_id: None,
            profile_id: None,
            profile_version: None,
            account_id: None,
            directory_id: None,
            replaces: None,
            ..self.entry.clone()
        };
        tx.put_chain(&self.upper).await?;
        tx.insert_certificate(&entry).await?;
        tx.insert_event(&self.surplus).await
    }
}
