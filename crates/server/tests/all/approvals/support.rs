//! People with tokens, profiles that ask them, and orders that wait for them.

use domain::role::Role;
use lifecycle::EventFilter;
use lifecycle::actor::Caller;
use pki::key::{KeyAlgorithm, LocalKey};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Client, csr_for};

/// Somebody with a token.
pub(super) struct Person {
    http: reqwest::Client,
    pub(super) url: String,
    pub(super) secret: String,
    /// `tok_…`
    pub(super) id: String,
}

impl Person {
    /// Somebody whose token was made at the console.
    pub(super) async fn with(server: &TestServer, role: Role) -> Self {
        let lifecycle = server.lifecycle();
        let caller = Caller::system();
        let created = lifecycle.create_token(role.to_string(), role, None, &caller);
        let created = created.await.unwrap();
        Self::of(
            &server.url(),
            created.token.id.as_str(),
            created.secret.expose(),
        )
    }

    pub(super) fn of(url: &str, id: &str, secret: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            secret: secret.to_owned(),
            id: id.to_owned(),
        }
    }

    /// The same person at another node.
    pub(super) fn at(&self, url: &str) -> Self {
        Self::of(url, &self.id, &self.secret)
    }

    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.secret);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(super) async fn approve(&self, id: &str) -> (StatusCode, Value) {
        self.post(&format!("/api/v1/approvals/{id}/approve"), json!({}))
            .await
    }

    pub(super) async fn deny(&self, id: &str, reason: &str) -> (StatusCode, Value) {
        let path = format!("/api/v1/approvals/{id}/deny");
        self.post(&path, json!({ "reason": reason })).await
    }

    pub(super) async fn show(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/approvals/{id}")).await
    }

    /// Ids of approvals that the query finds.
    pub(super) async fn list(&self, query: &str) -> Vec<String> {
        let page = self.get(&format!("/api/v1/approvals?{query}")).await;
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The id of the approval that these names wait for. Of those made at one instant of the
    /// stopped clock none is the newest, so the names say which it is.
    async fn approval_of(&self, names: &[&str]) -> String {
        let page = self.get("/api/v1/approvals?status=pending&limit=100").await;
        let found = page["items"].as_array().unwrap().iter().find(|item| {
            let identifiers = item["identifiers"].as_array().unwrap().iter();
            let mut theirs: Vec<&str> = identifiers
                .map(|identifier| identifier["value"].as_str().unwrap())
                .collect();
            theirs.sort_unstable();
            let mut ours = names.to_vec();
            ours.sort_unstable();
            theirs == ours
        });
        let id = &found.unwrap_or_else(|| panic!("{names:?} wait: {page}"))["id"];
        id.as_str().unwrap().to_owned()
    }

    /// Changes the rules of the profile `default`.
    pub(super) async fn change_profile(&self, change: impl FnOnce(&mut Value)) {
        let path = "/api/v1/profiles/default";
        let mut rules = self.get(path).await["rules"].take();
        change(&mut rules);
        let (status, body) = self.call(Method::PUT, path, Some(rules)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }

    /// Lets the profile `default` ask people.
    pub(super) async fn ask(&self, rule: Value) {
        self.change_profile(|rules| rules["approval"] = rule).await;
        // Longer than any node remembers a profile.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    }
}

/// So many of those who hold the role `approver`.
pub(super) fn approvers(count: u32) -> Value {
    json!({ "stages": [stage(count, "approver")] })
}

pub(super) fn stage(count: u32, role: &str) -> Value {
    json!({ "approvals": count, "approvers": [{ "kind": "role", "role": role }] })
}

/// An order that waits for people.
pub(super) struct Waiting {
    pub(super) url: String,
    pub(super) order: Value,
    /// `apr_…`
    pub(super) approval: String,
    pub(super) key: LocalKey,
    pub(super) retry_after: u64,
}

/// Orders, proves, finalizes; the order is processing then.
pub(super) async fn waiting(
    server: &TestServer,
    client: &Client,
    reader: &Person,
    names: &[&str],
) -> Waiting {
    let (url, order) = client.ready_order(server, names).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let answer = client.finalize(&order, &csr_for(names, &key)).await;
    answer.assert_status(200);
    assert_eq!(answer.json()["status"], "processing", "{}", answer.text);
    let approval = reader.approval_of(names).await;
    Waiting {
        url,
        order,
        approval,
        key,
        retry_after: answer.header("retry-after").unwrap().parse().unwrap(),
    }
}

/// The order's status as its client sees it.
pub(super) async fn status(client: &Client, waiting: &Waiting) -> String {
    let body = client.get(&waiting.url).await.json();
    body["status"].as_str().unwrap().to_owned()
}

/// Data of the events of that name, oldest first.
pub(super) async fn events(server: &TestServer, name: &str) -> Vec<Value> {
    let filter = EventFilter {
        name: Some(name.to_owned()),
        ..EventFilter::default()
    };
    let found = server.lifecycle().list_events(filter, None, 1000).await;
    let mut data: Vec<Value> = found.unwrap().into_iter().map(|event| event.data).collect();
    data.reverse();
    data
}

/// How many certificates were issued to ACME accounts.
pub(super) async fn issued(server: &TestServer) -> usize {
    let all = server
        .lifecycle()
        .list_certificates(lifecycle::CertificateFilter::default(), None, 1000)
        .await
        .unwrap();
    all.iter().filter(|c| c.account_id.is_some()).count()
}
