//! Durable jobs: work that outlives the process that found it.
//!
//! A job is enqueued in the transaction of the change that needs it, claimed for the time of a lease,
//! and its row deleted when it is done. A revision counts what was asked for meanwhile, so that a wish
//! that comes while the job runs is not lost. The number of claims tells the run that holds a job from
//! one that was too slow and lost it: the latter changes nothing of it any more.

use domain::id::{JobId, NodeId};
use pki::time::Timestamp;

use crate::list::List;
use crate::{Row, Sql, StoreError, Tx, params};

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    pub id: JobId,
    pub kind: String,
    /// Two jobs with one key are one job.
    pub key: Option<String>,
    /// JSON.
    pub payload: String,
    pub run_at: Timestamp,
    /// How often it failed in a row.
    pub attempts: u32,
    /// Which of the wishes under its key this row has seen.
    pub revision: i64,
    /// How often it was claimed when this row was read.
    pub claims: i64,
    pub created_at: Timestamp,
}

/// Whose a claimed job is, and how long nobody else takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub owner: NodeId,
    pub until: Timestamp,
}

/// A job that is not tried again by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadJob {
    pub id: JobId,
    pub kind: String,
    pub key: Option<String>,
    pub payload: String,
    pub attempts: u32,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
}

macro_rules! columns {
    () => {
        "id, kind, key, payload, run_at, attempts, revision, claims, created_at"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO jobs (",
    columns!(),
    ", lease_owner, lease_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     ON CONFLICT (key) DO NOTHING"
);

/// Due jobs that nobody holds. On PostgreSQL nodes step over each other's rows instead of waiting.
const CLAIM: Sql<'static> = Sql::each(
    concat!(
        "UPDATE jobs SET lease_owner = $1, lease_until = $2, claims = claims + 1 WHERE id IN (SELECT id FROM jobs \
         WHERE run_at <= $3 AND (lease_until IS NULL OR lease_until <= $3) \
         ORDER BY run_at LIMIT $4) RETURNING ",
        columns!()
    ),
    concat!(
        "UPDATE jobs SET lease_owner = $1, lease_until = $2, claims = claims + 1 WHERE id IN (SELECT id FROM jobs \
         WHERE run_at <= $3 AND (lease_until IS NULL OR lease_until <= $3) \
         ORDER BY run_at LIMIT $4 FOR UPDATE SKIP LOCKED) RETURNING ",
        columns!()
    ),
);

impl Tx<'_> {
    /// Adds a job, and answers `false` if there is one with its key.
    pub async fn enqueue(&mut self, job: &JobRow) -> Result<bool, StoreError> {
        self.insert_job(job, None).await
    }

    /// Adds a job that this node has claimed already: if all goes well no other write is needed but
    /// the one that completes it, and if the process dies another takes it up when the lease ends.
    pub async fn enqueue_claimed(
        &mut self,
        job: &JobRow,
        lease: &Lease,
    ) -> Result<bool, StoreError> {
        self.insert_job(job, Some(lease)).await
    }

    /// Adds a job. If there is one with its key it runs no later than this one would, also if it is
    /// dead, and once more if it is running.
    pub async fn enqueue_or_hasten(&mut self, job: &JobRow) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO jobs (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (key) DO UPDATE SET \
              revision = jobs.revision + 1, run_at = CASE WHEN jobs.run_at < excluded.run_at \
              THEN jobs.run_at ELSE excluded.run_at END"
        );
        let values = params![
            job.id.as_str(),
            &job.kind,
            job.key.as_deref(),
            &job.payload,
            job.run_at,
            job.attempts,
            job.revision,
            job.claims,
            job.created_at,
        ];
        self.execute_one(sql, values).await
    }

    /// Claims up to `limit` jobs that are due, longest due first.
    pub async fn claim_jobs(
        &mut self,
        now: Timestamp,
        lease: &Lease,
        limit: u32,
    ) -> Result<Vec<JobRow>, StoreError> {
        let values = params![lease.owner.as_str(), lease.until, now, limit];
        let rows = self.query(CLAIM, values).await?;
        let mut jobs: Vec<JobRow> = rows.iter().map(read).collect::<Result<_, _>>()?;
        jobs.sort_by(|one, other| (one.run_at, &one.id).cmp(&(other.run_at, &other.id)));
        Ok(jobs)
    }

    /// Extends a claim, and answers whether it still is this run's.
    pub async fn extend_lease(&mut self, job: &JobRow, lease: &Lease) -> Result<bool, StoreError> {
        let sql = "UPDATE jobs SET lease_until = $4 \
                   WHERE id = $1 AND claims = $2 AND lease_owner = $3";
        let owner = lease.owner.as_str();
        let values = params![job.id.as_str(), job.claims, owner, lease.until];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Takes a job off the list, and answers `false` if it has to run again because somebody asked for
    /// it meanwhile, or if another run has it now.
    pub async fn complete_job(&mut self, job: &JobRow) -> Result<bool, StoreError> {
        let sql = "DELETE FROM jobs WHERE id = $1 AND claims = $2 AND revision = $3";
        if self
            .execute(sql, params![job.id.as_str(), job.claims, job.revision])
            .await?
            == 1
        {
            return Ok(true);
        }
        let sql = "UPDATE jobs SET lease_owner = NULL, lease_until = NULL, attempts = 0, \
                   last_error = NULL WHERE id = $1 AND claims = $2";
        self.execute(sql, params![job.id.as_str(), job.claims])
            .await?;
        Ok(false)
    }

    /// Puts a job that succeeded back on the list for `at`, or for when it was asked for meanwhile;
    /// answers whether it was this run's to put there.
    pub async fn reschedule_job(
        &mut self,
        job: &JobRow,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE jobs SET lease_owner = NULL, lease_until = NULL, attempts = 0, \
                   last_error = NULL, run_at = CASE WHEN revision = $3 THEN $4 ELSE run_at END \
                   WHERE id = $1 AND claims = $2";
        let values = params![job.id.as_str(), job.claims, job.revision, at];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Puts a job that failed back on the list for `retry_at`; answers how often it failed in a row, if it
    /// was this run's to put there.
    pub async fn fail_job(
        &mut self,
        job: &JobRow,
        error: &str,
        retry_at: Timestamp,
    ) -> Result<Option<u32>, StoreError> {
        let sql = "UPDATE jobs SET lease_owner = NULL, lease_until = NULL, last_error = $4, \
                   attempts = attempts + 1, run_at = CASE WHEN revision = $3 THEN $5 ELSE run_at END \
                   WHERE id = $1 AND claims = $2 RETURNING attempts";
        let values = params![job.id.as_str(), job.claims, job.revision, error, retry_at];
        let row = self.query_opt(sql, values).await?;
        row.map(|row| row.get(0)).transpose()
    }

    /// Gives a job up: it stays on the list of the dead until somebody revives it.
    pub async fn bury_job(&mut self, job: &JobRow, error: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE jobs SET lease_owner = NULL, lease_until = NULL, last_error = $4, \
                   attempts = attempts + 1, run_at = NULL \
                   WHERE id = $1 AND claims = $2 AND revision = $3";
        let values = params![job.id.as_str(), job.claims, job.revision, error];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Sends a dead job off again, and answers whether it was dead.
    pub async fn revive_job(&mut self, id: &JobId, run_at: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE jobs SET run_at = $2, attempts = 0 WHERE id = $1 AND run_at IS NULL";
        Ok(self.execute(sql, params![id.as_str(), run_at]).await? == 1)
    }

    /// Dead jobs, newest first.
    pub async fn list_dead_jobs(
        &mut self,
        after: Option<&JobId>,
        limit: u32,
    ) -> Result<Vec<DeadJob>, StoreError> {
        let select = "SELECT id, kind, key, payload, attempts, last_error, created_at FROM jobs";
        let (sql, values) = List::new(select)
            .and("run_at IS NULL")
            .and_if("id < ?", after.map(JobId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values)
            .await?
            .iter()
            .map(read_dead)
            .collect()
    }

    /// When the next job becomes due or its lease ends, whichever is later; `None` if there is none.
    pub async fn next_job_at(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT min(CASE WHEN lease_until > run_at THEN lease_until ELSE run_at END) \
                   FROM jobs WHERE run_at IS NOT NULL";
        self.query_one(sql, params![]).await?.get(0)
    }

    async fn insert_job(
        &mut self,
        job: &JobRow,
        lease: Option<&Lease>,
    ) -> Result<bool, StoreError> {
        let values = params![
            job.id.as_str(),
            &job.kind,
            job.key.as_deref(),
            &job.payload,
            job.run_at,
            job.attempts,
            job.revision,
            job.claims,
            job.created_at,
            lease.map(|lease| lease.owner.as_str()),
            lease.map(|lease| lease.until),
        ];
        Ok(self.execute(INSERT, values).await? == 1)
    }
}

fn read(row: &Row) -> Result<JobRow, StoreError> {
    Ok(JobRow {
        id: row.parse(0)?,
        kind: row.get(1)?,
        key: row.get(2)?,
        payload: row.get(3)?,
        run_at: row.get(4)?,
        attempts: row.get(5)?,
        revision: row.get(6)?,
        claims: row.get(7)?,
        created_at: row.get(8)?,
    })
}

fn read_dead(row: &Row) -> Result<DeadJob, StoreError> {
    Ok(DeadJob {
        id: row.parse(0)?,
        kind: row.get(1)?,
        key: row.get(2)?,
        payload: row.get(3)?,
        attempts: row.get(4)?,
        last_error: row.get(5)?,
        created_at: row.get(6)?,
    })
}
