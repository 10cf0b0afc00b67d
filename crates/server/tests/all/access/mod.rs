//! Who may do what: every route by every role, whose things are whose, nobody raises their rights.

mod event_stream;
mod granting;
mod matrix;
mod objects;
mod ownership;
mod routes;

use domain::access::{Principal, Rights};
use domain::role::Role;
use lifecycle::access::NewToken;
use lifecycle::access::grants::NewGrant;
use lifecycle::actor::Caller;
use lifecycle::operator::Expected;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use testkit::TestServer;

/// A program with a token of its own, or without any.
pub(super) struct Program {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    pub(super) id: String,
}

impl Program {
    /// One that holds a role in a team, or everywhere.
    pub(super) async fn with(server: &TestServer, role: &str, team: Option<&str>) -> Self {
        let token = NewToken {
            name: format!("{role} of {}", team.unwrap_or("all")),
            grant: grant(role, team),
            lifetime: None,
        };
        let lifecycle = server.lifecycle();
        let caller = Caller::system();
        let made = lifecycle.create_token_with(token, &caller);
        let made = made.await.unwrap();
        let secret = made.secret.expose().to_owned();
        Self::of(server, Some(secret), made.token.id.to_string())
    }

    pub(super) fn nobody(server: &TestServer) -> Self {
        Self::of(server, None, String::new())
    }

    pub(super) fn of(server: &TestServer, token: Option<String>, id: String) -> Self {
        // What a redirect says is the answer.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            http: http.build().unwrap(),
            url: server.url(),
            token,
            id,
        }
    }

    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let octets = response.bytes().await.unwrap();
        (
            status,
            serde_json::from_slice(&octets).unwrap_or(Value::Null),
        )
    }

    /// A request that is not sent yet, for answers that are read bit by bit.
    pub(super) fn request(&self, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.get(format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(super) async fn get(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.call(Method::GET, path, None).await;
        (status.as_u16(), body)
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        let (status, body) = self.call(Method::PUT, path, Some(&body)).await;
        (status.as_u16(), body)
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let (status, body) = self.call(Method::POST, path, Some(&body)).await;
        (status.as_u16(), body)
    }

    pub(super) async fn delete(&self, path: &str) -> u16 {
        let (status, _) = self.call(Method::DELETE, path, None).await;
        status.as_u16()
    }

    /// The status of another node's answer.
    pub(super) async fn at(&self, url: &str) -> StatusCode {
        let request = self.http.get(url);
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.unwrap().status()
    }

    /// What the server holds it to be allowed.
    pub(super) async fn rights(&self, server: &TestServer) -> Rights {
        let principal: Principal = self.id.parse().unwrap();
        server.lifecycle().rights_of(&principal).await.unwrap()
    }
}

pub(super) fn grant(role: &str, team: Option<&str>) -> NewGrant {
    NewGrant {
        role: role.to_owned(),
        team: team.map(str::to_owned),
    }
}

/// A server with an administrator, and with teams of these names.
pub(super) async fn server_with(teams: &[&str]) -> (TestServer, Program) {
    let server = TestServer::start().await;
    for name in teams {
        let lifecycle = server.lifecycle();
        let caller = Caller::system();
        let made = lifecycle.put_team(
            (*name).to_owned(),
            String::new(),
            Expected::Anything,
            &caller,
        );
        made.await.unwrap();
    }
    let administrator = Program::with(&server, Role::Administrator.as_str(), None).await;
    (server, administrator)
}
