//! Against a real web server and a real name server, both on loopback and both ill-behaved.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use super::*;
use crate::testing::dns::{self, a, nothing};
use crate::testing::http::{self, Reply, ok, redirect, status};
use crate::testing::{TOKEN, dialer, failure, request};

fn key_authorization() -> String {
    request(ChallengeKind::Http01, "www.test").key_authorization
}

/// Every name is at 127.0.0.1, except `inside.test`, which is at an address that is not allowed.
async fn names() -> SocketAddr {
    dns::serve(|question| match (question.name.as_str(), question.kind) {
        ("inside.test", RecordType::A) => {
            dns::Reply::Records(vec![a("inside.test", [127, 0, 0, 2])])
        }
        ("missing.test", _) => nothing(),
        ("broken.test", _) => dns::Reply::Code(ResponseCode::ServFail),
        (name, RecordType::A) => dns::Reply::Records(vec![a(name, [127, 0, 0, 1])]),
        _ => dns::Reply::Records(Vec::new()),
    })
    .await
}

async fn validator(port: u16) -> Http01Validator {
    let settings = ValidationSettings {
        http01_port: port,
        timeout: Duration::from_secs(1),
        ..ValidationSettings::default()
    };
    Http01Validator::new(dialer(names().await), settings)
}

/// What a probe of `www.test` finds when the server behaves like this.
async fn probe(handler: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Verdict {
    let server = http::serve(handler).await;
    let request = request(ChallengeKind::Http01, "www.test");
    validator(server.port()).await.validate(&request).await
}

/// The same for a server that redirects; in its target, `{}` stands for the server's own port.
async fn follow(code: u16, to: &'static str) -> Verdict {
    let listener = std::sync::Arc::new(std::sync::OnceLock::new());
    let own = listener.clone();
    let server = http::serve(move |head| {
        if head.starts_with("GET /.well-known/") {
            let port: u16 = *own.wait();
            return redirect(code, &to.replace("{}", &port.to_string()));
        }
        ok(key_authorization())
    })
    .await;
    listener.set(server.port()).unwrap();
    let request = request(ChallengeKind::Http01, "www.test");
    validator(server.port()).await.validate(&request).await
}

#[tokio::test]
async fn the_key_authorization_at_the_well_known_url_shows_control() {
    let verdict = probe(|head| {
        assert!(head.starts_with(&format!(
            "GET /.well-known/acme-challenge/{TOKEN} HTTP/1.1\r\n"
        )));
        assert!(head.to_ascii_lowercase().contains("\r\nhost: www.test:"));
        assert!(!head.to_ascii_lowercase().contains("accept-encoding"));
        ok(format!("{}\r\n \t", key_authorization()))
    })
    .await;
    assert_eq!(verdict, Verdict::Valid { until: None });
}

#[tokio::test]
async fn an_address_is_asked_without_dns() {
    let server = http::serve(|_| ok(key_authorization())).await;
    let request = request(ChallengeKind::Http01, "127.0.0.1");
    let verdict = validator(server.port()).await.validate(&request).await;
    assert_eq!(verdict, Verdict::Valid { until: None });
}

#[tokio::test]
async fn a_wrong_body_is_shown_printable_and_can_be_tried_again() {
    let failure = failure(probe(|_| ok("<html>\x1b[2J not found")).await);
    assert_eq!(failure.kind, FailureKind::IncorrectResponse);
    assert!(failure.can_retry);
    assert!(
        failure.detail.contains("`<html>?[2J not found`"),
        "{failure}"
    );
    assert!(failure.detail.contains(&key_authorization()), "{failure}");
}

#[tokio::test]
async fn a_status_other_than_200_is_a_failure_whatever_the_body() {
    for code in [201, 204, 404, 500] {
        let failure = failure(probe(move |_| status(code)).await);
        assert_eq!(failure.kind, FailureKind::IncorrectResponse);
        assert!(failure.detail.contains(&code.to_string()), "{failure}");
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_a_connection_failure_that_can_pass() {
    let request = request(ChallengeKind::Http01, "www.test");
    let failure = failure(validator(1).await.validate(&request).await);
    assert_eq!(
        (failure.kind, failure.can_retry),
        (FailureKind::Connection, true)
    );
    assert!(failure.detail.contains("127.0.0.1:1"), "{failure}");
}

#[tokio::test]
async fn a_name_without_an_address_is_a_dns_failure() {
    for (name, seen) in [("missing.test", "NXDOMAIN"), ("broken.test", "SERVFAIL")] {
        let request = request(ChallengeKind::Http01, name);
        let failure = failure(validator(1).await.validate(&request).await);
        assert_eq!((failure.kind, failure.can_retry), (FailureKind::Dns, true));
        assert!(failure.detail.contains(seen), "{failure}");
    }
}

#[tokio::test]
async fn n01_a_name_at_a_denied_address_is_not_dialled() {
    for identifier in ["inside.test", "127.0.0.2", "169.254.169.254", "::1"] {
        let request = request(ChallengeKind::Http01, identifier);
        let failure = failure(validator(1).await.validate(&request).await);
        assert_eq!(
            (failure.kind, failure.can_retry),
            (FailureKind::Connection, false)
        );
        assert!(
            failure.detail.contains("does not connect there"),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn n01_a_redirect_to_a_denied_address_is_not_followed() {
    for to in [
        "http://inside.test:{}/",
        "http://127.0.0.2:{}/",
        "http://[::1]:{}/",
        "http://[::ffff:127.0.0.1]:{}/",
        "http://2130706434:{}/",
        "http://0x7f.2:{}/",
        "http://169.254.169.254/latest/meta-data/",
    ] {
        let failure = failure(follow(302, to).await);
        assert!(
            failure.detail.contains("does not connect there"),
            "{to}: {failure}"
        );
        assert!(!failure.can_retry);
    }
}

#[tokio::test]
async fn n01_a_name_that_changes_its_address_between_two_hops_is_judged_anew() {
    let answers = AtomicUsize::new(0);
    let dns = dns::serve(move |question| match question.kind {
        RecordType::A if answers.fetch_add(1, Ordering::SeqCst) == 0 => {
            dns::Reply::Records(vec![a("www.test", [127, 0, 0, 1])])
        }
        RecordType::A => dns::Reply::Records(vec![a("www.test", [127, 0, 0, 2])]),
        _ => dns::Reply::Records(Vec::new()),
    })
    .await;
    let server = http::serve(|_| redirect(302, "/elsewhere")).await;
    let settings = ValidationSettings {
        http01_port: server.port(),
        ..ValidationSettings::default()
    };
    let validator = Http01Validator::new(dialer(dns), settings);
    let failure = failure(
        validator
            .validate(&request(ChallengeKind::Http01, "www.test"))
            .await,
    );
    assert!(
        failure.detail.contains("127.0.0.2 is a loopback address"),
        "{failure}"
    );
}

#[tokio::test]
async fn redirects_by_host_path_and_scheme_are_followed() {
    for to in [
        "/other",
        "http://other.test:{}/x",
        "//other.test:{}/x",
        "https://secure.test:{}/x",
    ] {
        for code in [301, 302, 307, 308] {
            assert_eq!(
                follow(code, to).await,
                Verdict::Valid { until: None },
                "{code} {to}"
            );
        }
    }
}

#[tokio::test]
async fn n02_a_redirect_to_another_port_scheme_or_with_a_user_is_refused_by_name() {
    for (code, to, reason) in [
        (302, "http://www.test:1/", "ports 80 and 443"),
        (302, "file:///etc/passwd", "http and https"),
        (302, "gopher://www.test:{}/", "http and https"),
        (302, "ftp://www.test/", "http and https"),
        (302, "http://user:password@www.test:{}/", "user name"),
        (302, "http://user@www.test:{}/", "user name"),
        (302, "http://", "no URL"),
        (303, "/other", "303"),
    ] {
        let failure = failure(follow(code, to).await);
        assert_eq!(
            (failure.kind, failure.can_retry),
            (FailureKind::Connection, false)
        );
        assert!(failure.detail.contains(reason), "{to}: {failure}");
    }
}

#[tokio::test]
async fn n02_a_redirect_loop_ends_with_an_error() {
    let failure = failure(
        probe(|head| {
            let to = if head.contains("/back ") {
                "/forth"
            } else {
                "/back"
            };
            redirect(301, to)
        })
        .await,
    );
    assert!(failure.detail.contains("in a circle"), "{failure}");
}

#[tokio::test]
async fn n02_ten_redirects_are_followed_and_no_more() {
    for (hops, reached) in [(10, true), (11, false)] {
        let count = AtomicUsize::new(0);
        let verdict = probe(move |_| match count.fetch_add(1, Ordering::SeqCst) {
            hop if hop < hops => redirect(302, &format!("/{hop}")),
            _ => ok(key_authorization()),
        })
        .await;
        assert_eq!(verdict == Verdict::Valid { until: None }, reached, "{hops}");
        if !reached {
            assert!(failure(verdict).detail.contains("too many redirects"));
        }
    }
}

#[tokio::test]
async fn n02_an_endless_body_is_cut_off_at_the_limit() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let failure = failure(probe(move |_| Reply::Endless(head.into())).await);
        assert!(
            failure.detail.contains("more than 4096 octets"),
            "{failure}"
        );
        assert!(failure.detail.len() < 500);
    }
}

#[tokio::test]
async fn n02_a_compressed_body_is_not_unpacked() {
    let failure = failure(
        probe(|_| {
            let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n";
            let bomb = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
            Reply::Octets([head.as_bytes(), &bomb].concat())
        })
        .await,
    );
    assert_eq!(failure.kind, FailureKind::IncorrectResponse);
}

#[tokio::test]
async fn n02_a_slow_head_or_body_ends_at_the_deadline() {
    let stalled = |head: &'static str| move |_: &str| Reply::Hang(head.into());
    for verdict in [
        probe(stalled("")).await,
        probe(stalled("HTTP/1.1 200 OK\r\n")).await,
        probe(stalled("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\neva")).await,
        probe(|_| Reply::Drip).await,
    ] {
        let failure = failure(verdict);
        assert_eq!(
            (failure.kind, failure.can_retry),
            (FailureKind::Connection, true),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn n02_what_is_not_http_or_has_an_endless_head_is_refused() {
    let headers = "X: y\r\n".repeat(1000);
    let many = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
    for reply in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx".to_owned(),
        many,
    ] {
        let failure = failure(probe(move |_| Reply::Octets(reply.clone().into())).await);
        assert_eq!(
            (failure.kind, failure.can_retry),
            (FailureKind::IncorrectResponse, false),
            "{failure}"
        );
    }
    let endless = failure(probe(|_| Reply::Endless(b"HTTP/1.1 200 OK\r\nX: ".to_vec())).await);
    assert_eq!(endless.kind, FailureKind::IncorrectResponse);
}

#[tokio::test]
async fn a_connection_that_is_lost_can_be_tried_again() {
    for reply in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\neva",
    ] {
        let failure = failure(probe(move |_| Reply::Octets(reply.into())).await);
        assert_eq!(
            (failure.kind, failure.can_retry),
            (FailureKind::Connection, true),
            "{failure}"
        );
    }
}
