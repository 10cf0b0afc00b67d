//! Labels and passwords as operators see them: REST and command line.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Est, Shows, csr};

#[tokio::test(flavor = "multi_thread")]
async fn a_label_needs_a_name_that_is_free_and_a_profile_that_is_there() {
    let est = Est::start().await;
    for (name, rules, because) in [
        ("cacerts", json!({}), "name of an EST operation"),
        ("Upper", json!({}), "lower-case"),
        ("a", json!({ "profile": "none" }), "no profile `none`"),
        ("a", json!({ "certificates": "some" }), "same-names"),
        ("a", json!({ "unknown": 1 }), "unknown"),
    ] {
        let path = format!("est/labels/{name}");
        let (status, body) = est.try_operate(Method::PUT, &path, rules).await;
        assert_eq!(status.as_u16(), 400, "{name}: {body}");
        assert!(body["detail"].to_string().contains(because), "{body}");
    }
    let label = est
        .operate(Method::PUT, "est/labels/printers", json!({}))
        .await;
    let url = label["url"].as_str().unwrap();
    assert!(url.ends_with("/.well-known/est/printers"), "{url}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_goes_with_its_passwords_and_the_trail_says_so() {
    let est = Est::start().await;
    est.label("printers", json!({})).await;
    let (secret, id) = est.password("printers", json!({})).await;
    let path = "est/labels/printers";
    est.operate(Method::DELETE, path, Value::Null).await;
    let shows = Shows::Password("", &secret);
    est.post("printers/simpleenroll", &csr(&["a.example.org"]), shows)
        .await
        .refused(404, "no such label");
    let path = format!("enrollment-passwords/{id}");
    let (status, _) = est.try_operate(Method::GET, &path, Value::Null).await;
    assert_eq!(status.as_u16(), 404);
    for name in [
        "est_label.changed",
        "est_label.deleted",
        "enrollment_password.created",
    ] {
        let path = format!("audit?name={name}");
        let page = est.operate(Method::GET, &path, Value::Null).await;
        assert_eq!(page["items"].as_array().unwrap().len(), 1, "{name}");
        assert!(!page.to_string().contains(&secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_says_what_it_is_for_and_never_again_what_it_is() {
    let est = Est::start().await;
    for (body, because) in [
        (json!({ "name": "x" }), "est_label"),
        (
            json!({ "name": "x", "est_label": "default", "scep_service": "a" }),
            "est_label",
        ),
        (
            json!({ "name": "x", "est_label": "none" }),
            "no EST label `none`",
        ),
        (
            json!({ "name": " ", "est_label": "default" }),
            "name is needed",
        ),
        (
            json!({ "name": "x", "est_label": "default", "max_uses": 0 }),
            "opens nothing",
        ),
        (
            json!({ "name": "x", "est_label": "default", "username": "a:b" }),
            "colons",
        ),
    ] {
        let path = "enrollment-passwords";
        let (status, answer) = est.try_operate(Method::POST, path, body).await;
        assert_eq!(status.as_u16(), 400, "{answer}");
        assert!(
            answer["detail"].as_str().unwrap().contains(because),
            "{answer}"
        );
    }
    let (secret, id) = est.password("default", json!({})).await;
    assert_eq!(secret.len(), 24);
    let path = format!("enrollment-passwords/{id}");
    let shown = est.operate(Method::GET, &path, Value::Null).await;
    assert!(!shown.to_string().contains(&secret));
    assert_eq!(shown["entry_point"], "default");
    let path = "enrollment-passwords?est_label=default";
    let page = est.operate(Method::GET, path, Value::Null).await;
    assert_eq!(page["items"][0]["id"], id);
}
