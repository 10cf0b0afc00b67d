//! A browser as far as signing in goes: it keeps cookies, and says where its requests come from.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;

/// The name of the session's cookie.
pub const SESSION: &str = "__Host-certwright-session";

/// What a user is called, and their password.
pub const PASSWORD: &str = "correct horse battery";

/// Keeps cookies of one server.
pub struct Browser {
    http: reqwest::Client,
    pub url: String,
    pub cookies: BTreeMap<String, String>,
    pub csrf: Option<String>,
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn location(&self) -> String {
        self.headers[LOCATION].to_str().unwrap().to_owned()
    }

    /// The kind of a problem: the end of its URN.
    pub fn problem(&self) -> &str {
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.rsplit(':').next().unwrap_or_default()
    }
}

impl Browser {
    pub fn at(url: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        // Without a pool: a server may close an idle connection at the moment it is used again.
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            http,
            url: url.to_owned(),
            cookies: BTreeMap::new(),
            csrf: None,
        }
    }

    pub fn of(server: &TestServer) -> Self {
        Self::at(&server.url())
    }

    /// A request with the cookies, as a page of the server itself sends it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = match path.starts_with("http") {
            true => path.to_owned(),
            false => format!("{}{path}", self.url),
        };
        let mut request = self
            .http
            .request(method, url)
            .header("sec-fetch-site", "same-origin");
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        match &self.csrf {
            Some(token) => request.header("x-csrf-token", token),
            None => request,
        }
    }

    /// Sends a request, and keeps the cookies that come back.
    pub async fn send(&mut self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        self.keep(&response);
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
            text,
        }
    }

    fn keep(&mut self, response: &Response) {
        for line in response.headers().get_all(SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match value.is_empty() {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path);
        self.send(request).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).json(&body);
        self.send(request).await
    }

    pub async fn delete(&mut self, path: &str) -> Answer {
        let request = self.request(Method::DELETE, path);
        self.send(request).await
    }

    /// Signs in; the answer is the server's, whatever it says.
    pub async fn sign_in(&mut self, name: &str, password: &str, code: Option<&str>) -> Answer {
        let mut body = json!({ "name": name, "password": password });
        if let Some(code) = code {
            body["code"] = json!(code);
        }
        let answer = self.post("/api/v1/session", body).await;
        self.remember(&answer);
        answer
    }

    /// Remembers the token that changes have to carry.
    pub fn remember(&mut self, answer: &Answer) {
        if let Some(token) = answer.body["csrf_token"].as_str() {
            self.csrf = Some(token.to_owned());
        }
    }
}

/// The first administrator, signed in by the link of the first start.
pub async fn administrator(server: &TestServer) -> Browser {
    let secret = server.lifecycle().create_setup_link().await.unwrap();
    let mut browser = Browser::of(server);
    let body = json!({ "secret": secret.expose(), "name": "root", "password": PASSWORD });
    let answer = browser.post("/api/v1/session/setup", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    browser.remember(&answer);
    browser
}

/// Somebody whom the administrator invited, signed in by their link; gives their id as well.
pub async fn invited(admin: &mut Browser, name: &str, grants: Value) -> (Browser, String) {
    let body = json!({ "name": name, "grants": grants });
    joined(admin, body).await
}

/// The same of a request that says more.
pub async fn joined(admin: &mut Browser, body: Value) -> (Browser, String) {
    let answer = admin.post("/api/v1/users", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let id = answer.body["id"].as_str().unwrap().to_owned();
    let link = answer.body["setup_url"].as_str().unwrap().to_owned();
    let secret = link.rsplit('/').next().unwrap();
    let mut browser = Browser::at(&admin.url);
    let body = json!({ "secret": secret, "password": PASSWORD });
    let answer = browser.post("/api/v1/session/setup", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    browser.remember(&answer);
    (browser, id)
}
