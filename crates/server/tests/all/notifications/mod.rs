//! Notifications as operators and receivers see them.

mod channels;
mod deliveries;
mod expiry;
mod facts;
pub mod mail;
mod syslog;

use std::time::Duration;

use domain::role::Role;
use lifecycle::actor::Caller;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::receiver::Receiver;

/// What webhooks are signed with.
pub const SECRET: &str = "canary-of-the-shared-secret-4711";

/// An administrator.
pub struct Api {
    http: reqwest::Client,
    token: String,
}

impl Api {
    pub async fn of(server: &TestServer) -> Self {
        let caller = Caller::system();
        let created =
            server
                .lifecycle()
                .create_token("test".to_owned(), Role::Administrator, None, &caller);
        Self {
            http: reqwest::Client::new(),
            token: created.await.unwrap().secret.expose().to_owned(),
        }
    }

    pub async fn call(
        &self,
        server: &TestServer,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let url = format!("{}/api/v1/{path}", server.url());
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (status, value)
    }

    pub async fn get(&self, server: &TestServer, path: &str) -> Value {
        let (status, body) = self.call(server, Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub async fn put(&self, server: &TestServer, path: &str, body: Value) -> Value {
        let (status, body) = self.call(server, Method::PUT, path, Some(body)).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// What is wrong with a change, told by its status and text.
    pub async fn refused(&self, server: &TestServer, path: &str, body: Value) -> String {
        let (status, body) = self.call(server, Method::PUT, path, Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {body}");
        body["detail"].as_str().unwrap().to_owned()
    }

    /// A channel to the receiver, and a rule of the same name that sends these events to it.
    pub async fn subscribe(
        &self,
        server: &TestServer,
        name: &str,
        receiver: &Receiver,
        events: &[&str],
    ) {
        let channel = json!({
            "kind": "webhook",
            "settings": { "url": receiver.url(), "secret": SECRET },
        });
        self.put(server, &format!("notification-channels/{name}"), channel)
            .await;
        let rule = json!({ "channels": [name], "events": events });
        self.put(server, &format!("notification-rules/{name}"), rule)
            .await;
    }

    /// Changes something, of which there is an event about one object.
    pub async fn change_directory(&self, server: &TestServer) {
        let found = self.get(server, "acme/directories/default").await;
        self.put(server, "acme/directories/default", found["rules"].clone())
            .await;
    }
}

/// Runs jobs until the receiver has so many posts.
pub async fn received(server: &TestServer, receiver: &Receiver, count: usize) {
    server
        .run_jobs_until(async || receiver.posts().len() >= count)
        .await;
}

/// Gives whatever should not come the time to come.
pub async fn settle(server: &TestServer) {
    for _ in 0..20 {
        server.run_jobs().await;
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

/// The longest wait between two attempts.
pub const AN_HOUR: Duration = Duration::from_secs(3600);
