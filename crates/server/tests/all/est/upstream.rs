//! Another server's EST label as a CA behind this one.

use pki::certificate::Certificate;
use reqwest::Method;
use serde_json::json;

use super::support::{Est, Shows, csr};

/// Two servers: the CA, and the one in front of which clients stand. The CA's label asks people where it
/// is `guarded`.
async fn chained(is_guarded: bool) -> (Est, Est) {
    let (ca, front) = (Est::start().await, Est::start().await);
    if is_guarded {
        ca.guarded_profile().await;
        ca.label("default", json!({ "profile": "guarded" })).await;
    }
    front.put_behind(&ca).await;
    (ca, front)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_elsewhere_signs_over_est_and_its_check_says_what_works() {
    let (ca, front) = chained(false).await;
    let found = front
        .operate(Method::POST, "issuers/upstream/test", json!({}))
        .await;
    assert!(found.to_string().contains("\"reach\""), "{found}");
    assert!(!found.to_string().contains("\"failed\""), "{found}");
    let (secret, _) = front.password("behind", json!({})).await;
    let shows = Shows::Password("", &secret);
    let request = csr(&["host.example.org"]);
    let issued = front
        .post("behind/simpleenroll", &request, shows)
        .await
        .certificate();
    // It is in both inventories.
    ca.inventory(&issued).await;
    front.inventory(&issued).await;
    let above = ca.get("cacerts").await.certificates();
    let issuing = Certificate::from_der(&above[0]).unwrap();
    assert!(issued.is_signed_by(&issuing));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_elsewhere_that_takes_its_time_is_asked_again() {
    let (ca, front) = chained(true).await;
    let (secret, _) = front.password("behind", json!({})).await;
    let shows = Shows::Password("", &secret);
    let request = csr(&["host.example.org"]);
    front
        .post("behind/simpleenroll", &request, shows)
        .await
        .refused(202, "same request again");
    assert_eq!(ca.decide("approve", json!({})).await.as_u16(), 200);
    front
        .server
        .run_jobs_until(async || {
            ca.server.run_jobs().await;
            front
                .server
                .clock
                .advance(std::time::Duration::from_secs(60));
            let answer = front.post("behind/simpleenroll", &request, shows).await;
            answer.status.as_u16() == 200
        })
        .await;
}
