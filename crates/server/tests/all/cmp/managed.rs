//! Endpoints and secrets as things that are managed.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::support::Plant;

#[tokio::test]
async fn an_endpoint_is_made_changed_and_deleted_with_its_secrets() {
    let plant = Plant::start().await;
    let path = "/api/v1/cmp/endpoints/plant";
    let shown = plant.get(path).await;
    assert!(
        shown["url"]
            .as_str()
            .unwrap()
            .ends_with("/.well-known/cmp/p/plant")
    );
    assert_eq!(shown["rules"]["profiles"], json!(["default"]));
    let secret = plant.secret("line-1", json!({ "max_uses": 3 })).await;
    let page = plant.get("/api/v1/cmp/secrets?endpoint=plant").await;
    assert_eq!(page["items"][0]["id"], secret.id.as_str());
    assert_eq!(page["items"][0]["status"], "usable");
    assert!(!page.to_string().contains(&secret.text), "shown once");
    let events = plant.get("/api/v1/audit?limit=100").await.to_string();
    assert!(events.contains("cmp_secret.created") && !events.contains(&secret.text));

    let (status, _) = plant.call(Method::DELETE, path, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = plant.call(Method::GET, path, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let id = format!("/api/v1/cmp/secrets/{}", secret.id);
    let (status, _) = plant.call(Method::GET, &id, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn rules_that_cannot_work_are_refused_with_what_to_do() {
    let plant = Plant::start().await;
    for (rules, told) in [
        (json!({ "profiles": [] }), "at least one profile"),
        (json!({ "profiles": ["nope"] }), "no profile `nope`"),
        (json!({ "authorities": ["nonsense"] }), "authorities: "),
        (json!({ "confirm_wait_seconds": 5 }), "60 to"),
    ] {
        let path = "/api/v1/cmp/endpoints/plant";
        let (status, body) = plant.call(Method::PUT, path, Some(rules)).await;
        assert!(status.is_client_error(), "{body}");
        assert!(body.to_string().contains(told), "{body}");
    }
    let path = "/api/v1/cmp/secrets";
    plant.secret("line-1", json!({})).await;
    let twice = json!({ "name": "again", "endpoint": "plant", "reference": "line-1" });
    let (status, body) = plant.call(Method::POST, path, Some(twice)).await;
    assert_eq!(status, StatusCode::CONFLICT, "{body}");
    let never = json!({ "name": "never", "endpoint": "plant", "max_uses": 0 });
    let (status, body) = plant.call(Method::POST, path, Some(never)).await;
    assert!(status.is_client_error(), "{body}");
}
