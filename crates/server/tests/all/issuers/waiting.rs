//! What waits for an issuer: told why and until when, and in nobody else's way.

use std::time::Duration;

use domain::enrollment::{Enrollment, EnrollmentState};
use domain::id::{EnrollmentId, JobId};
use pki::random::SystemRandom;
use pki::time::Timestamp;
use serde_json::{Value, json};
use store::StoreError;
use store::jobs::JobRow;
use testkit::vault::Fault;

use super::routing::{Pair, prefer};
use super::{finalize, route_to};
use crate::issuance_rules::enrollments;

const ENROLLMENTS: &str = "/api/v1/enrollments";

fn wanted(name: &str) -> Value {
    json!({
        "profile": "default", "key": { "algorithm": "p-256" },
        "identifiers": [{ "type": "dns", "value": name }],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_every_quota_is_used_up_a_request_waits_until_one_begins_anew() {
    let pair = Pair::start().await;
    for issuer in ["a", "b"] {
        pair.limit(issuer, json!({ "per_hour": 1 })).await;
    }
    for name in ["one.example.org", "two.example.org"] {
        pair.issue(name).await;
    }
    let answer = pair
        .api
        .post(ENROLLMENTS, wanted("three.example.org"))
        .await;
    let path = answer.header("location").to_owned();
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    let waiting = answer.expect(202);
    assert_eq!(waiting["status"], "approved", "{waiting}");
    let reason = waiting["reason"].as_str().unwrap();
    assert!(reason.contains("used up its quota until"), "{reason}");
    let next = waiting["poll_at"].as_str().unwrap();
    assert!(reason.contains(next), "{reason}, but {next}");
    let next: Timestamp = next.parse().unwrap();
    let left = next.since(pair.server.lifecycle().now()).as_secs();
    assert!(wait.abs_diff(left) <= 1, "{wait} to wait, {left} left");
    let (url, order) = finalize(&pair.server, &pair.client, "four.example.org").await;
    assert_eq!(order["status"], "processing", "{order}");
    // What can never be signed is refused, and waits for nothing.
    let mut wrong = wanted("five.example.org");
    wrong["identifiers"] = json!([{ "type": "email", "value": "five@example.org" }]);
    let refused = pair.api.post(ENROLLMENTS, wrong).await;
    assert!(refused.status.is_client_error(), "{}", refused.body);
    assert_eq!(pair.signed(), (1, 1));
    pair.server.clock.advance(Duration::from_secs(3600));
    pair.until_valid(&url).await;
    let issued = async || pair.api.get(&path).await["status"] == "issued";
    pair.server.run_jobs_until(issued).await;
    assert_eq!(pair.signed(), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ca_that_says_nothing_with_many_requests_behind_it_holds_up_no_other() {
    let pair = Pair::start().await;
    pair.api
        .post(ENROLLMENTS, wanted("one.example.org"))
        .await
        .expect(201);
    route_to(&pair.api, json!([prefer("b", 0)])).await;
    pair.api
        .post(ENROLLMENTS, wanted("two.example.org"))
        .await
        .expect(201);
    let (mut of_a, mut of_b) = (None, None);
    for enrollment in enrollments(&pair.server).await {
        let kept = match enrollment.identifiers[0].value().starts_with("one") {
            true => &mut of_a,
            false => &mut of_b,
        };
        *kept = Some(enrollment);
    }
    let before = pair.a.calls().len();
    pair.a.fails(Fault::Silent);
    for _ in 0..300 {
        wait_for(&pair, "a", of_a.clone().unwrap()).await;
    }
    // What came last is due last.
    pair.server.clock.advance(Duration::from_secs(1));
    let other = wait_for(&pair, "b", of_b.unwrap()).await;
    let path = format!("{ENROLLMENTS}/{other}");
    // The server's own worker does it: whoever waits for all jobs waits for those that hang as well.
    let issued = async {
        while pair.api.get(&path).await["status"] != "issued" {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(120), issued).await;
    in_time.expect("the other issuer signs within two minutes");
    let asked = pair.a.calls().len() - before;
    assert!(
        (1..256).contains(&asked),
        "{asked} asked the issuer that says nothing"
    );
    pair.a.fails(Fault::None);
}

/// A request that the issuer is to be asked for, with its job, as a process leaves it that died.
async fn wait_for(pair: &Pair, issuer: &str, mut enrollment: Enrollment) -> EnrollmentId {
    let lifecycle = pair.server.lifecycle();
    let issuer = lifecycle.issuer_by_name(issuer).await.unwrap().unwrap();
    let (now, random) = (lifecycle.now(), SystemRandom::new());
    enrollment.id = EnrollmentId::mint(now, &random);
    enrollment.state = EnrollmentState::Signing {
        issuer: issuer.issuer.id.clone(),
        prepared: None,
        attempts: 1,
        last_error: None,
        retry_at: None,
        decided_at: None,
    };
    let id = enrollment.id.clone();
    let job = JobRow {
        id: JobId::mint(now, &random),
        kind: "drive-enrollment".to_owned(),
        key: None,
        payload: json!({ "kind": "drive-enrollment", "enrollment": id }).to_string(),
        run_at: now,
        attempts: 0,
        revision: 0,
        claims: 0,
        created_at: now,
    };
    let stored = pair.server.store().write("test.waits", move |tx| {
        Box::pin(async move {
            tx.insert_enrollment(&enrollment).await?;
            tx.enqueue(&job).await
        })
    });
    stored.await.map_err(|error: StoreError| error).unwrap();
    id
}
