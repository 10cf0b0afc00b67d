//! The REST API from outside: who gets in where, and the operator's way to revoke.

use domain::role::Role;
use lifecycle::actor::Caller;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;

/// A caller with a role, or without any token.
struct Api {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Api {
    async fn of(server: &TestServer, role: Option<Role>) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let token = match role {
            None => None,
            Some(role) => {
                let lifecycle = server.lifecycle();
                let caller = Caller::system();
                let created = lifecycle.create_token("test".to_owned(), role, None, &caller);
                Some(created.await.unwrap().secret.expose().to_owned())
            }
        };
        Self {
            http: reqwest::Client::new(),
            url: server.url(),
            token,
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

/// Method, path with dummies for its parameters, and the permission its description names.
fn operations(document: &Value) -> Vec<(Method, String, String)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            let text = operation["description"].as_str().unwrap_or_default();
            let permission = text.split('`').nth_back(1).unwrap_or_default().to_owned();
            let concrete: Vec<&str> = path
                .split('/')
                .map(|part| if part.starts_with('{') { "none" } else { part })
                .collect();
            operations.push((method, concrete.join("/"), permission));
        }
    }
    operations
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a01_every_route_asks_for_a_token_and_for_its_permission() {
    let server = TestServer::start().await;
    let nobody = Api::of(&server, None).await;
    let (status, document) = nobody.call(Method::GET, "/api/openapi.json", None).await;
    assert_eq!(status, StatusCode::OK);
    let operations = operations(&document);
    assert!(operations.len() >= 30, "{operations:?}");
    let mut callers = Vec::new();
    for role in Role::ALL {
        callers.push((role, Api::of(&server, Some(role)).await));
    }
    for (method, path, permission) in operations
        .iter()
        .filter(|(_, path, _)| path != "/api/openapi.json")
    {
        if permission == "none" {
            assert!(path.starts_with("/api/v1/session"), "{method} {path}");
            continue;
        }
        let (status, _) = nobody.call(method.clone(), path, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
        // Its answer has no end; who may see what of it is looked at with the stream itself.
        if path == "/api/v1/events/stream" {
            continue;
        }
        for (role, api) in &callers {
            let granted = match permission.as_str() {
                "any" => true,
                "session" => false,
                other => role.grants(other.parse().unwrap()),
            };
            let (status, body) = api.call(method.clone(), path, None).await;
            assert_eq!(
                status != StatusCode::FORBIDDEN,
                granted,
                "{role} {method} {path}: {status} {body}"
            );
            assert!(
                !status.is_server_error(),
                "{role} {method} {path}: {status} {body}"
            );
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{role} {method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_or_invented_token_opens_nothing() {
    let server = TestServer::start().await;
    // The last administrator could not be revoked.
    let _other = Api::of(&server, Some(Role::Administrator)).await;
    let mut api = Api::of(&server, Some(Role::Administrator)).await;
    let (_, me) = api.call(Method::GET, "/api/v1/me", None).await;
    let id = me["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/tokens/{id}");
    let (status, _) = api.call(Method::DELETE, &path, None).await;
    assert!(status.is_success(), "{status}");
    let (status, _) = api.call(Method::GET, "/api/v1/certificates", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    api.token = Some("cwt_invented".to_owned());
    let (status, _) = api.call(Method::GET, "/api/v1/certificates", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_finds_a_certificate_by_name_and_revokes_it_once() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    client.issue(&server, &["shop.example.org"]).await;
    let api = Api::of(&server, Some(Role::CaOperator)).await;
    let (status, found) = api
        .call(
            Method::GET,
            "/api/v1/certificates?name=shop.example.org",
            None,
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{found}");
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    let id = found["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/certificates/{id}/revoke");
    let body = json!({ "reason": "superseded" });
    let (status, answer) = api.call(Method::POST, &path, Some(body.clone())).await;
    assert!(status.is_success(), "{status} {answer}");
    let (status, answer) = api.call(Method::POST, &path, Some(body)).await;
    assert_eq!(status, StatusCode::CONFLICT, "{answer}");
    let (_, shown) = api
        .call(Method::GET, &format!("/api/v1/certificates/{id}"), None)
        .await;
    assert_eq!(shown["status"], "revoked", "{shown}");
}
