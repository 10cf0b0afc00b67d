//! Notifiers without a receiver, and posts to receivers of the worst sort.

use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::notification::channel::Settings;
use http::HeaderMap;
use serde_json::{Value, json};
use url::Url;

use super::kinds;
use crate::net::trust::verifying_client;
use crate::net::{Dialer, GuardedPost, NetworkPolicy, ServiceError};
use crate::testing::http::{Reply, ok, redirect, serve, status};
use crate::testing::{dialer, resolver};

const NOWHERE: &str = "127.0.0.1:9";

fn guarded() -> Dialer {
    Dialer::new(resolver(NOWHERE.parse().unwrap()), NetworkPolicy::default())
}

fn settings(value: Value) -> Settings {
    value.as_object().unwrap().clone()
}

async fn post(dialer: Dialer, url: &str) -> Result<u16, ServiceError> {
    let tls = verifying_client(None, None, &[b"http/1.1"]).unwrap();
    let client = GuardedPost::new(dialer, tls, Duration::from_millis(500));
    let url: Url = url.parse().unwrap();
    let posted = client.post(&url, HeaderMap::new(), Bytes::from("{}")).await;
    posted.map(|posted| posted.status.as_u16())
}

#[tokio::test]
async fn a_post_ends_in_time_and_memory_whatever_the_receiver_does() {
    let address = serve(|head| match head.split(' ').nth(1).unwrap() {
        "/ok" => ok("fine"),
        "/500" => status(500),
        "/elsewhere" => redirect(307, "http://127.0.0.1:1/"),
        "/hang" => Reply::Hang(Vec::new()),
        "/half" => Reply::Hang(b"HTTP/1.1 200 OK\r\nContent-".to_vec()),
        "/drip" => Reply::Drip,
        "/endless" => Reply::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        "/headers" => Reply::Endless(b"HTTP/1.1 200 OK\r\nX: ".to_vec()),
        _ => Reply::Octets(b"garbage".to_vec()),
    })
    .await;
    let dialer = dialer(NOWHERE.parse().unwrap());
    let started = Instant::now();
    for (path, expected) in [
        ("ok", Ok(200)),
        ("500", Ok(500)),
        ("elsewhere", Ok(307)),
        ("endless", Ok(200)),
        ("hang", Err("no complete answer within")),
        ("half", Err("no complete answer within")),
        ("drip", Err("")),
        ("headers", Err("")),
        ("garbage", Err("HTTP")),
    ] {
        let answer = post(dialer.clone(), &format!("http://{address}/{path}")).await;
        match (answer, expected) {
            (Ok(status), Ok(expected)) => assert_eq!(status, expected, "{path}"),
            (Err(error), Err(expected)) => {
                let text = error.to_string();
                assert!(text.contains(expected), "{path}: {text}");
                // A URL may be a secret.
                assert!(!text.contains(path), "{path}: {text}");
            }
            (answer, _) => panic!("{path}: {answer:?}"),
        }
    }
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "something was waited for"
    );
}

#[tokio::test]
async fn n01_a_post_goes_nowhere_it_may_not() {
    for url in [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/",
        "http://[::ffff:10.0.0.1]/",
        "http://0.0.0.0/",
        "https://127.0.0.1/",
    ] {
        let refused = post(guarded(), url).await;
        let is_denied = matches!(
            refused,
            Err(ServiceError::Dial(crate::net::DialError::Denied(_)))
        );
        assert!(is_denied, "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn a_receiver_has_to_prove_who_it_is() {
    let address = serve(|_| ok("")).await;
    let url = format!("https://{address}/");
    let refused = post(dialer(NOWHERE.parse().unwrap()), &url).await;
    assert!(
        matches!(refused, Err(ServiceError::Tls { .. })),
        "{refused:?}"
    );
}

#[test]
fn every_kind_says_what_it_needs() {
    let kinds = kinds(&guarded());
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    assert_eq!(names, ["smtp", "webhook", "slack", "teams", "syslog"]);
    for kind in &kinds {
        let fault = kind.open(settings(json!({}))).err().unwrap().to_string();
        assert!(fault.contains("missing field"), "{fault}");
        let fault = kind.open(settings(json!({"hots": "x"}))).err().unwrap();
        assert!(fault.to_string().contains("hots"), "{fault}");
        assert!(!kind.summary().is_empty());
    }
}

#[test]
fn a_secret_is_never_part_of_a_fault() {
    for kind in kinds(&guarded()) {
        for secret in kind.secrets() {
            let mut given = settings(json!({"host": "a.example", "url": "https://a.example"}));
            given.insert((*secret).to_owned(), json!("\u{1}canary"));
            let fault = kind.open(given).err().map(|fault| fault.to_string());
            let fault = fault.unwrap_or_default();
            assert!(!fault.contains("canary"), "{}: {fault}", kind.name());
        }
    }
}
