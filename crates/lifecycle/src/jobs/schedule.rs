//! Rows for jobs: which come back by themselves, and how a row is made, put off and taken off the list.

use std::time::Duration;

use domain::id::{IssuerId, JobId};
use domain::issuer::Abilities;
use pki::time::Timestamp;
use store::StoreError;
use store::jobs::JobRow;

use super::Job;
use crate::Lifecycle;

impl Lifecycle {
    /// A row for a job.
    pub(crate) fn new_job(&self, job: &Job, run_at: Timestamp) -> JobRow {
        let now = self.now();
        JobRow {
            id: JobId::mint(now, &*self.random),
            kind: job.name().to_owned(),
            key: job.key(),
            // Unwrap safety: an enum of ids and names has no form that JSON cannot write.
            payload: serde_json::to_string(job).expect("a job is JSON"),
            run_at,
            attempts: 0,
            revision: 0,
            claims: 0,
            created_at: now,
        }
    }

    /// Takes a job off the list.
    pub(crate) async fn complete_job(&self, job: &JobRow) -> Result<(), StoreError> {
        let job = job.clone();
        self.store
            .write("job.complete", move |tx| {
                Box::pin(async move { tx.complete_job(&job).await.map(drop) })
            })
            .await
    }

    /// Sees to it that the jobs that come back by themselves are there.
    pub async fn schedule_periodic_jobs(&self) -> Result<(), StoreError> {
        let now = self.now();
        let mut jobs = vec![
            self.new_job(&Job::SignCheckpoint, now),
            self.new_job(&Job::CleanUp, now),
            self.new_job(&Job::WatchExpiry, now),
            self.new_job(&Job::CloseIncidents, now),
            // What is loaded now may not have answered yet.
            self.new_job(&Job::WatchIssuers, now + FIRST_LOOK),
        ];
        if self.email.is_some() {
            jobs.push(self.new_job(&Job::ReadMailbox, now));
        }
        for issuer in self.connected_issuers().await?.iter() {
            if issuer.connector.local_ca().is_some() {
                let issuer = issuer.issuer.id.clone();
                jobs.push(self.new_job(&Job::RefreshCrl { issuer }, now));
            }
            let abilities = issuer.connector.abilities();
            jobs.extend(self.jobs_of_abilities(&issuer.issuer.id, &abilities, now));
        }
        self.store
            .write("job.schedule", move |tx| {
                Box::pin(async move {
                    for job in &jobs {
                        tx.enqueue(job).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// What comes back by itself for an issuer that can do these things.
    pub(crate) fn jobs_of_abilities(
        &self,
        issuer: &IssuerId,
        abilities: &Abilities<'_>,
        now: Timestamp,
    ) -> Vec<JobRow> {
        let issuer = || issuer.clone();
        let sync = abilities.list.map(|_| Job::SyncIssuer { issuer: issuer() });
        let advice = abilities
            .renewal
            .map(|_| Job::AskRenewalAdvice { issuer: issuer() });
        let jobs = sync.into_iter().chain(advice);
        jobs.map(|job| self.new_job(&job, now)).collect()
    }

    pub(crate) async fn reschedule(&self, row: &JobRow, at: Timestamp) -> Result<(), StoreError> {
        let row = row.clone();
        self.store
            .write("job.reschedule", move |tx| {
                Box::pin(async move { tx.reschedule_job(&row, at).await.map(drop) })
            })
            .await
    }
}

const FIRST_LOOK: Duration = Duration::from_secs(60);
