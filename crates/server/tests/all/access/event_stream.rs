//! The event stream: what is told at once, to whom, from where, and for how long.

use std::time::Duration;

use domain::role::Role;
use pki::csr;
use pki::key::{KeyAlgorithm, LocalKey};
use pki::name::{DistinguishedName, GeneralName};
use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout;

use super::objects::{Maker, Object};
use super::{Program, server_with};

const PATH: &str = "/api/v1/events/stream";

/// A stream that is open, and what was read of it.
struct Stream {
    response: Response,
    text: String,
}

/// One message.
#[derive(Debug)]
struct Told {
    id: i64,
    event: Value,
}

impl Stream {
    async fn open(program: &Program, last: Option<i64>) -> Self {
        let mut request = program.request(PATH);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut stream = Self {
            response,
            text: String::new(),
        };
        let ready = stream.message().await.unwrap();
        assert!(ready.contains("event: ready"), "{ready}");
        stream
    }

    /// The next message that is no comment; `None` at the end.
    async fn message(&mut self) -> Option<String> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let (message, rest) = (message.to_owned(), rest.to_owned());
                self.text = rest;
                if !message.starts_with(':') {
                    return Some(message);
                }
                continue;
            }
            let chunk = timeout(Duration::from_secs(30), self.response.chunk());
            let octets = chunk.await.expect("the stream is silent").unwrap()?;
            self.text.push_str(std::str::from_utf8(&octets).unwrap());
        }
    }

    /// The next event of that name; others are passed over.
    async fn event(&mut self, name: &str) -> Told {
        while let Some(message) = self.message().await {
            let line = |start: &str| {
                let mut lines = message.lines();
                lines
                    .find_map(|line| line.strip_prefix(start))
                    .unwrap_or_default()
            };
            let event: Value = serde_json::from_str(line("data: ")).unwrap();
            if event["name"] == name {
                let id = line("id: ").parse().unwrap();
                return Told { id, event };
            }
        }
        panic!("the stream ended before {name}");
    }
}

fn csr() -> Vec<u8> {
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let names = [GeneralName::Dns("a.example.org".to_owned())];
    csr::build(&DistinguishedName::empty(), &names, &[], &key).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_issued_over_acme_shows_in_an_open_stream_and_again_from_where_it_was_left() {
    let (server, administrator) = server_with(&[]).await;
    let mut stream = Stream::open(&administrator, None).await;
    let client = server.registered_client().await;
    client.issue(&server, &["live.example.org"]).await;
    let told = stream.event("certificate.issued").await;
    assert_eq!(told.event["data"]["names"][0], "live.example.org");
    assert!(told.event["actor"]["address"].is_string(), "{told:?}");
    drop(stream);
    let mut again = Stream::open(&administrator, Some(told.id - 1)).await;
    let repeated = again.event("certificate.issued").await;
    assert_eq!(repeated.event["id"], told.event["id"]);
    assert_eq!(repeated.id, told.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_read_the_audit_log_is_told_of_what_they_see_and_no_more() {
    let (server, administrator) = server_with(&["web", "mail"]).await;
    let requester = Program::with(&server, Role::Requester.as_str(), Some("web")).await;
    let maker = Maker::new(&server, &administrator, csr()).await;
    let mut stream = Stream::open(&requester, None).await;
    let foreign = maker.make(Object::Certificate, "mail").await;
    let own = maker.make(Object::Certificate, "web").await;
    let told = stream.event("certificate.issued").await;
    assert_eq!(told.event["object"], own.as_str());
    assert_ne!(told.event["object"], foreign.as_str());
    assert!(told.event["actor"].get("address").is_none(), "{told:?}");
    assert!(told.event["data"].get("team").is_none(), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_revoked_is_told_nothing_more() {
    let (server, administrator) = server_with(&[]).await;
    let auditor = Program::with(&server, Role::Auditor.as_str(), None).await;
    let mut stream = Stream::open(&auditor, None).await;
    let path = format!("/api/v1/tokens/{}", auditor.id);
    assert_eq!(administrator.delete(&path).await, 204);
    assert_eq!(stream.message().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_principal_holds_so_many_streams_and_not_more() {
    let (server, _) = server_with(&[]).await;
    let auditor = Program::with(&server, Role::Auditor.as_str(), None).await;
    let mut open = Vec::new();
    for _ in 0..24 {
        open.push(Stream::open(&auditor, None).await);
    }
    let refused = auditor.request(PATH).send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
}
