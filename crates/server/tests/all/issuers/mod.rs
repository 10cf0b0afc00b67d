//! CAs elsewhere: configured, looked at, asked, told of revocations; and who of several signs.

mod command;
mod command_line;
mod migration;
mod published;
mod routing;
mod vault;
mod waiting;
mod watch;

use domain::role::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::Client;

use crate::enroll::{Answer, Api};

/// An administrator of the server.
async fn administrator(server: &TestServer) -> Api {
    Api::of(server, Role::Administrator).await
}

/// Sends the requests of the profile `default` to these issuers.
async fn route_to(api: &Api, issuers: Value) {
    let path = "/api/v1/profiles/default";
    let mut rules = api.get(path).await["rules"].clone();
    rules["issuers"] = issuers;
    api.call(Method::PUT, path, Some(rules)).await.expect(200);
}

/// Makes an issuer.
async fn create(api: &Api, name: &str, kind: &str, settings: Value, secrets: Value) -> Answer {
    let body = json!({ "name": name, "kind": kind, "settings": settings, "secrets": secrets });
    api.post("/api/v1/issuers", body).await
}

/// The status of an order that was just finalized, and its URL.
async fn finalize(server: &TestServer, client: &Client, name: &str) -> (String, Value) {
    let (url, answer) = crate::issuance_rules::finalize(server, client, name).await;
    (url, answer.json())
}

/// What a look at an issuer says of an aspect: its outcome and text.
fn finding<'a>(check: &'a Value, aspect: &str) -> (&'a str, &'a str) {
    let findings = check["findings"].as_array().unwrap();
    let found = findings.iter().find(|f| f["aspect"] == aspect);
    let found = found.unwrap_or_else(|| panic!("no {aspect} in {check}"));
    (
        found["outcome"].as_str().unwrap(),
        found["message"].as_str().unwrap(),
    )
}

/// Names of the events about an object, or of all.
async fn events(api: &Api, name: &str) -> Vec<Value> {
    let body = api.get(&format!("/api/v1/audit?name={name}")).await;
    body["items"].as_array().unwrap().clone()
}
