//! Who may ask, and for what: RFC 7030 section 3.2.3, and passwords as things that are managed.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Est, Shows, csr};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_anything_without_a_credential_of_this_label() {
    let est = Est::start().await;
    est.label("other", json!({})).await;
    let (secret, _) = est.password("other", json!({})).await;
    let request = csr(&["a.example.org"]);
    let nothing = est.post("simpleenroll", &request, Shows::Nothing).await;
    nothing.refused(401, "enrollment password");
    assert!(nothing.challenge.unwrap().starts_with("Basic "));
    for shows in [
        Shows::Password("user", "wrong"),
        Shows::Password("user", ""),
        // It opens its own label only, and a token of the API opens none.
        Shows::Password("user", &secret),
        Shows::Password("user", est.token()),
    ] {
        est.post("simpleenroll", &request, shows)
            .await
            .refused(401, "not right");
    }
    est.post("simpleenroll", &request, Shows::Token(est.token()))
        .await
        .refused(401, "HTTP Basic");
    let taken = est
        .post("other/simpleenroll", &request, Shows::Password("", &secret))
        .await;
    taken.certificate();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrollment_password_is_no_token_of_the_api() {
    let est = Est::start().await;
    let (secret, _) = est.password("default", json!({})).await;
    let url = format!("{}/api/v1/me", est.server.url());
    let response = reqwest::Client::new().get(url).bearer_auth(&secret);
    assert_eq!(response.send().await.unwrap().status().as_u16(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_for_its_user_name_its_names_and_its_time() {
    let est = Est::start().await;
    let rules = json!({ "username": "printer-17", "allowed_names": [".printers.example.org"],
        "lifetime_seconds": 3600 });
    let (secret, _) = est.password("default", rules).await;
    let (inside, outside) = (
        csr(&["a.printers.example.org"]),
        csr(&["a.printers.example.org", "www.example.org"]),
    );
    let path = "simpleenroll";
    est.post(path, &inside, Shows::Password("printer-18", &secret))
        .await
        .refused(401, "not right");
    let shows = Shows::Password("printer-17", &secret);
    est.post(path, &outside, shows)
        .await
        .refused(403, "www.example.org");
    est.post(path, &inside, shows).await.certificate();
    est.server.clock.advance(Duration::from_secs(3601));
    est.post(path, &csr(&["b.printers.example.org"]), shows)
        .await
        .refused(401, "expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_password_opens_nothing_and_what_waits_with_it_is_given_up() {
    let est = Est::start().await;
    est.guarded_profile().await;
    est.label("guarded", json!({ "profile": "guarded" })).await;
    let (secret, id) = est.password("guarded", json!({})).await;
    let request = csr(&["a.example.org"]);
    let shows = Shows::Password("", &secret);
    est.post("guarded/simpleenroll", &request, shows)
        .await
        .refused(202, "people");
    let path = format!("enrollment-passwords/{id}/revoke");
    let revoked = est.operate(Method::POST, &path, Value::Null).await;
    assert_eq!(revoked["status"], "revoked");
    est.post("guarded/simpleenroll", &request, shows)
        .await
        .refused(401, "revoked");
    assert_eq!(est.decide("approve", json!({})).await.as_u16(), 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_enrolled_with_a_password_is_its_teams_with_its_metadata() {
    let est = Est::start().await;
    est.operate(Method::PUT, "teams/web", json!({})).await;
    let field = json!({ "label": "Cost center", "kind": "string" });
    est.operate(Method::PUT, "metadata-fields/cost_center", field.clone())
        .await;
    est.operate(Method::PUT, "metadata-fields/floor", field)
        .await;
    est.label(
        "default",
        json!({ "metadata": { "floor": "3", "cost_center": "1" } }),
    )
    .await;
    let rules = json!({ "team": "web", "metadata": { "cost_center": "4711" } });
    let (secret, _) = est.password("default", rules).await;
    let taken = est
        .post(
            "simpleenroll",
            &csr(&["a.example.org"]),
            Shows::Password("", &secret),
        )
        .await;
    let entry = est.inventory(&taken.certificate()).await;
    assert_eq!(entry["team"], "web");
    assert_eq!(
        entry["metadata"],
        json!({ "cost_center": "4711", "floor": "3" })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_password_that_is_not_this_connections_is_refused() {
    let est = Est::start().await;
    let (secret, _) = est.password("default", json!({})).await;
    est.label("tied", json!({ "channel_binding": "required" }))
        .await;
    let (tied, _) = est.password("tied", json!({})).await;
    let path = "tied/simpleenroll";
    est.post(path, &csr(&["a.example.org"]), Shows::Password("", &tied))
        .await
        .refused(403, "tls-exporter");
    let request = crate::est::support::csr_with_challenge("c29tZXRoaW5n", &["a.example.org"]);
    let shows = Shows::Password("", &secret);
    est.post("simpleenroll", &request, shows)
        .await
        .refused(403, "tls-exporter");
    est.label("default", json!({ "channel_binding": "off" }))
        .await;
    est.post("simpleenroll", &request, shows)
        .await
        .certificate();
}
