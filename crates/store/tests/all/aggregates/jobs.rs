//! Durable jobs: claimed once, run again when asked, never lost.

use domain::id::{JobId, NodeId};
use store::StoreError;
use store::jobs::{JobRow, Lease};

use super::transact;
use crate::fixture::{Database, both_engines};
use crate::samples::{RANDOM, at, job};

fn lease(until: i64) -> Lease {
    Lease {
        owner: NodeId::mint(at(0), &RANDOM),
        until: at(until),
    }
}

async fn claim(database: &Database, now: i64, lease: &Lease, limit: u32) -> Vec<JobRow> {
    let lease = lease.clone();
    transact!(database, |tx| {
        tx.claim_jobs(at(now), &lease, limit).await?
    })
}

fn ids(jobs: &[JobRow]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id.clone()).collect()
}

both_engines! {
    async fn a_due_job_is_claimed_once_until_its_lease_ends(database) {
        let (first, second, later) = (job(None, 1), job(None, 2), job(None, 100));
        let enqueued = [second.clone(), later.clone(), first.clone()];
        transact!(database, |tx| {
            for job in &enqueued {
                assert!(tx.enqueue(job).await?);
            }
            assert_eq!(tx.next_job_at().await?, Some(at(1)));
        });
        let (one, other) = (lease(60), lease(200));
        let claimed = claim(&database, 10, &one, 10).await;
        assert_eq!(ids(&claimed), ids(&[first.clone(), second.clone()]));
        assert!(claim(&database, 59, &other, 10).await.is_empty());
        let next = transact!(database, |tx| { tx.next_job_at().await? });
        assert_eq!(next, Some(at(60)));
        let (lost, second) = (claimed[0].clone(), claimed[1].clone());
        assert_eq!(ids(&claim(&database, 60, &other, 1).await), ids(std::slice::from_ref(&first)));
        transact!(database, |tx| {
            let longer = Lease { until: at(500), ..one.clone() };
            assert!(!tx.extend_lease(&lost, &longer).await?, "another node has it now");
            assert!(tx.extend_lease(&second, &longer).await?);
        });
        assert_eq!(ids(&claim(&database, 201, &lease(900), 10).await), ids(&[first, later]));
    }

    async fn a_run_that_lost_its_job_changes_nothing_of_it(database) {
        transact!(database, |tx| { tx.enqueue(&job(None, 0)).await? });
        // The same node may be the one that takes it again.
        let mine = lease(60);
        let slow = claim(&database, 1, &mine, 1).await.remove(0);
        let longer = Lease { until: at(120), ..mine.clone() };
        let held = claim(&database, 60, &longer, 1).await.remove(0);
        let (lost, until) = (slow.clone(), longer.clone());
        transact!(database, |tx| {
            assert!(!tx.extend_lease(&lost, &until).await?);
            assert!(!tx.reschedule_job(&lost, at(70)).await?);
            assert_eq!(tx.fail_job(&lost, "no route", at(70)).await?, None);
            assert!(!tx.bury_job(&lost, "gone").await?);
            assert!(!tx.complete_job(&lost).await?);
        });
        assert!(claim(&database, 119, &lease(900), 1).await.is_empty(), "it is held");
        assert_eq!(claim(&database, 120, &lease(900), 1).await.remove(0).claims, held.claims + 1);
    }

    async fn many_nodes_share_the_jobs_without_running_one_twice(database) {
        transact!(database, |tx| {
            for _ in 0..100 {
                tx.enqueue(&job(None, 0)).await?;
            }
        });
        let nodes: Vec<_> = (0..8)
            .map(|_| {
                let store = database.store.clone();
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    let lease = lease(1000);
                    loop {
                        let lease = lease.clone();
                        let claimed: Result<Vec<JobRow>, StoreError> = store
                            .write("test", move |tx| Box::pin(async move {
                                tx.claim_jobs(at(1), &lease, 7).await
                            }))
                            .await;
                        let claimed = claimed.unwrap();
                        if claimed.is_empty() {
                            return mine;
                        }
                        mine.extend(claimed.into_iter().map(|job| job.id));
                    }
                })
            })
            .collect();
        let mut claimed = Vec::new();
        for node in nodes {
            claimed.extend(node.await.unwrap());
        }
        claimed.sort();
        let count = claimed.len();
        claimed.dedup();
        assert_eq!((claimed.len(), count), (100, 100));
    }

    async fn a_job_claimed_at_birth_is_taken_up_by_others_only_when_the_lease_ends(database) {
        let born = job(None, 0);
        let copy = born.clone();
        transact!(database, |tx| { tx.enqueue_claimed(&copy, &lease(30)).await? });
        assert!(claim(&database, 29, &lease(100), 10).await.is_empty());
        let taken = claim(&database, 30, &lease(100), 10).await.remove(0);
        assert_eq!(taken.id, born.id);
        assert!(!transact!(database, |tx| { tx.complete_job(&born).await? }), "it was lost");
        assert!(transact!(database, |tx| { tx.complete_job(&taken).await? }));
        assert!(claim(&database, 5000, &lease(9000), 10).await.is_empty());
    }

    async fn two_jobs_with_one_key_are_one(database) {
        transact!(database, |tx| {
            assert!(tx.enqueue(&job(Some("crl"), 50)).await?);
            assert!(!tx.enqueue(&job(Some("crl"), 10)).await?);
            assert!(tx.enqueue(&job(Some("other"), 60)).await?);
            assert_eq!(tx.next_job_at().await?, Some(at(50)));
            tx.enqueue_or_hasten(&job(Some("crl"), 20)).await?;
            assert_eq!(tx.next_job_at().await?, Some(at(20)));
            tx.enqueue_or_hasten(&job(Some("crl"), 90)).await?;
            assert_eq!(tx.next_job_at().await?, Some(at(20)), "it is never put off");
            tx.enqueue_or_hasten(&job(Some("new"), 5)).await?;
            assert_eq!(tx.next_job_at().await?, Some(at(5)));
        });
    }

    async fn a_wish_that_comes_while_the_job_runs_is_not_lost(database) {
        transact!(database, |tx| { tx.enqueue(&job(Some("crl"), 0)).await? });
        let running = claim(&database, 1, &lease(100), 1).await.remove(0);
        transact!(database, |tx| { tx.enqueue_or_hasten(&job(Some("crl"), 2)).await? });
        assert!(claim(&database, 3, &lease(100), 1).await.is_empty(), "it is still running");
        let finished = running.clone();
        assert!(!transact!(database, |tx| { tx.complete_job(&finished).await? }));
        let again = claim(&database, 3, &lease(100), 1).await.remove(0);
        assert_eq!(again.id, running.id);
        transact!(database, |tx| { tx.enqueue_or_hasten(&job(Some("crl"), 4)).await? });
        assert!(transact!(database, |tx| { tx.reschedule_job(&again, at(5000)).await? }));
        let third = claim(&database, 5, &lease(100), 1).await.remove(0);
        assert!(transact!(database, |tx| { tx.reschedule_job(&third, at(5000)).await? }));
        assert!(claim(&database, 4999, &lease(9000), 1).await.is_empty());
        assert_eq!(claim(&database, 5000, &lease(9000), 1).await.len(), 1);
    }

    async fn a_failed_job_counts_its_attempts_and_waits(database) {
        transact!(database, |tx| { tx.enqueue(&job(None, 0)).await? });
        for attempt in 0..3_u32 {
            let now = i64::from(attempt) * 10;
            let row = claim(&database, now, &lease(1000), 1).await.remove(0);
            assert_eq!(row.attempts, attempt);
            let retry_at = at(now + 10);
            let failures = transact!(database, |tx| { tx.fail_job(&row, "no route", retry_at).await? });
            assert_eq!(failures, Some(attempt + 1));
            assert!(claim(&database, now + 9, &lease(1000), 1).await.is_empty());
        }
        let row = claim(&database, 30, &lease(1000), 1).await.remove(0);
        let after = row.clone();
        transact!(database, |tx| { tx.reschedule_job(&row, at(40)).await? });
        let row = claim(&database, 40, &lease(1000), 1).await.remove(0);
        assert_eq!((after.attempts, row.attempts), (3, 0), "a success forgets the failures");
    }

    async fn a_dead_job_waits_for_somebody_to_revive_it(database) {
        transact!(database, |tx| { tx.enqueue(&job(Some("hook"), 0)).await? });
        let row = claim(&database, 1, &lease(100), 1).await.remove(0);
        let id = row.id.clone();
        assert!(transact!(database, |tx| { tx.bury_job(&row, "410 Gone").await? }));
        assert!(claim(&database, 5000, &lease(9000), 1).await.is_empty());
        transact!(database, |tx| {
            assert_eq!(tx.next_job_at().await?, None);
            let dead = tx.list_dead_jobs(None, 10).await?;
            assert_eq!(dead.len(), 1);
            assert_eq!((dead[0].last_error.as_deref(), dead[0].attempts), (Some("410 Gone"), 1));
            assert!(tx.revive_job(&id, at(10)).await?);
            assert!(!tx.revive_job(&id, at(10)).await?);
            assert!(tx.list_dead_jobs(None, 10).await?.is_empty());
        });
        assert_eq!(claim(&database, 10, &lease(100), 1).await.len(), 1);
    }

    async fn a_new_wish_brings_a_dead_job_back(database) {
        transact!(database, |tx| { tx.enqueue(&job(Some("crl"), 0)).await? });
        let row = claim(&database, 1, &lease(100), 1).await.remove(0);
        transact!(database, |tx| { tx.bury_job(&row, "gone").await? });
        transact!(database, |tx| { tx.enqueue_or_hasten(&job(Some("crl"), 7)).await? });
        assert_eq!(claim(&database, 7, &lease(100), 1).await.len(), 1);
    }
}
