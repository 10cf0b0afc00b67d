//! The listener over real sockets: what a client may hold, and what it sees.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path};
use axum::routing::{get, post};
use certwright::config::Config;
use certwright::listener::{ConnectionLimits, Listener, ReloadableTls, Serving, tls};
use certwright::observability;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

/// Long enough for a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A limit that a test wants to see reached.
const SHORT: Duration = Duration::from_millis(300);

struct Running {
    address: SocketAddr,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
}

#[derive(Default)]
struct Setup {
    limits: ConnectionLimits,
    tls: Option<ReloadableTls>,
    trusted: Vec<ipnet::IpNet>,
    config: Config,
}

impl Setup {
    fn limits(change: impl FnOnce(&mut ConnectionLimits)) -> Self {
        let mut setup = Self::default();
        change(&mut setup.limits);
        setup
    }

    fn serve(self, router: Router) -> Running {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr();
        let shutdown = CancellationToken::new();
        let serving = Serving {
            router: observability::instrumented(router, &self.config.limits),
            tls: self.tls,
            limits: self.limits,
            trusted_proxies: self.trusted.into(),
            certificate_header: None,
            shutdown: shutdown.clone(),
        };
        Running {
            address,
            shutdown,
            ended: tokio::spawn(listener.serve(serving)),
        }
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends octets on a connection of their own and reads until the server closes it.
    async fn exchange(&self, octets: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may close before it has read everything.
        let _ = stream.write_all(octets).await;
        read_to_end(&mut stream).await
    }

    async fn get(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        self.exchange(request.as_bytes()).await
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut octets = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut octets)).await;
    // A reset is an end as well; what arrived before it counts.
    let _ = read.expect("the server never closed the connection");
    String::from_utf8_lossy(&octets).into_owned()
}

fn routes() -> Router {
    Router::new().route("/", get(|| async { "here" })).route(
        "/length",
        post(|body: Bytes| async move { body.len().to_string() }),
    )
}

#[tokio::test]
async fn a_header_that_does_not_come_is_cut_off() {
    let server = Setup::limits(|limits| limits.header = SHORT).serve(routes());
    for half in [
        "",
        "G",
        "GET / HTTP/1.1\r\nHost: x\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n",
    ] {
        let answers = server.exchange(half.as_bytes()).await;
        let complete = half.matches("\r\n\r\n").count();
        assert_eq!(answers.matches("200 OK").count(), complete, "{half:?}");
    }
}

#[tokio::test]
async fn an_http2_connection_on_which_nothing_moves_is_closed() {
    let server = Setup::limits(|limits| limits.idle = SHORT).serve(routes());
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    server.exchange(&preface[..10]).await;
    server
        .exchange(&[preface.as_slice(), &settings].concat())
        .await;
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_cut_off() {
    let (tls, _) = self_signed();
    let mut setup = Setup::limits(|limits| limits.handshake = SHORT);
    setup.tls = Some(tls);
    assert_eq!(setup.serve(routes()).exchange(&[0x16, 3, 1]).await, "");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let server = Setup::limits(|limits| limits.body = SHORT).serve(routes());
    let head = "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc";
    let answer = server.exchange(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn a_slow_handler_is_not_taken_for_an_idle_connection() {
    let slow = get(|| async {
        tokio::time::sleep(SHORT * 4).await;
        "at last"
    });
    let server =
        Setup::limits(|limits| limits.idle = SHORT).serve(Router::new().route("/slow", slow));
    assert!(server.get("/slow").await.ends_with("at last"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n05_five_hundred_half_open_connections_do_not_block_a_good_client() {
    certwright::listener::raise_descriptor_limit();
    let server = Setup::default().serve(routes());
    let mut half_open = Vec::new();
    for _ in 0..500 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        half_open.push(stream);
    }
    for _ in 0..20 {
        assert!(server.get("/").await.ends_with("here"));
    }
    drop(half_open);
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_for_one_to_end() {
    let server = Setup::limits(|limits| limits.max_connections = 1).serve(routes());
    let mut first = server.connect().await;
    first
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    first.read_u8().await.unwrap();
    let mut second = server.connect().await;
    second
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let early = tokio::time::timeout(SHORT, second.read_u8()).await;
    assert!(early.is_err(), "answered beyond the limit");
    drop(first);
    assert!(read_to_end(&mut second).await.ends_with("here"));
}

#[tokio::test]
async fn n06_a_body_beyond_the_limit_is_413_and_one_at_the_limit_is_read() {
    let server = Setup::default().serve(routes());
    for (length, status) in [(65_536, 200), (65_537, 413)] {
        let mut request = format!(
            "POST /length HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.resize(request.len() + length, b'x');
        let answer = server.exchange(&request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_route_may_raise_the_limit_of_bodies_for_itself() {
    let raised = axum::extract::DefaultBodyLimit::max(100_000);
    let route = post(|body: Bytes| async move { body.len().to_string() }).layer(raised);
    let server = Setup::default().serve(Router::new().route("/large", route));
    let mut request =
        b"POST /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 90000\r\n\r\n"
            .to_vec();
    request.resize(request.len() + 90_000, b'x');
    assert!(server.exchange(&request).await.ends_with("90000"));
}

#[tokio::test]
async fn n06_a_header_beyond_the_limit_is_431() {
    let server = Setup::default().serve(routes());
    let header = "x".repeat(20_000);
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {header}\r\n\r\n");
    let answer = server.exchange(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn n06_a_request_with_two_lengths_is_refused() {
    let server = Setup::default().serve(routes());
    let request = "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd\r\n";
    let answer = server.exchange(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

/// A route that answers once the test lets it, and says when it began.
fn gated() -> (Router, Arc<Semaphore>, Arc<Semaphore>) {
    let (began, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let handles = (Arc::clone(&began), Arc::clone(&gate));
    let handler = get(move || async move {
        began.add_permits(1);
        gate.acquire().await.unwrap().forget();
        "finished"
    });
    let router = Router::new().route("/gated", handler);
    (router, handles.0, handles.1)
}

#[tokio::test]
async fn a_drain_finishes_the_request_in_flight_and_takes_no_new_one() {
    let (router, began, gate) = gated();
    let server = Setup::default().serve(router);
    let mut idle = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /gated HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    began.acquire().await.unwrap().forget();
    server.shutdown.cancel();
    assert_eq!(read_to_end(&mut idle).await, "");
    assert!(TcpStream::connect(server.address).await.is_err());
    gate.add_permits(1);
    assert!(read_to_end(&mut busy).await.ends_with("finished"));
    tokio::time::timeout(PATIENCE, server.ended)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_drain_ends_although_a_request_does_not() {
    let (router, began, _gate) = gated();
    let server = Setup::limits(|limits| limits.grace = SHORT).serve(router);
    let mut busy = server.connect().await;
    busy.write_all(b"GET /gated HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    began.acquire().await.unwrap().forget();
    server.shutdown.cancel();
    tokio::time::timeout(PATIENCE, server.ended)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read_to_end(&mut busy).await, "");
}

fn self_signed() -> (ReloadableTls, CertificateDer<'static>) {
    let (certificate, der) = certificate();
    (ReloadableTls::new(certificate).unwrap(), der)
}

fn certificate() -> (rustls::sign::CertifiedKey, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = made.signing_key.serialize_pem();
    let parsed = tls::certificate_from_pem(made.cert.pem().as_bytes(), key.as_bytes()).unwrap();
    (parsed, made.cert.der().clone())
}

fn client_config(roots: &[&CertificateDer<'static>], alpn: &[&[u8]]) -> rustls::ClientConfig {
    let mut store = rustls::RootCertStore::empty();
    for root in roots {
        store.add((*root).clone()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}

/// The certificate that a new connection is shown, and the protocol it agrees on.
async fn handshake(
    server: &Running,
    config: &Arc<rustls::ClientConfig>,
) -> (CertificateDer<'static>, Option<Vec<u8>>) {
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::clone(config));
    let stream = connector
        .connect(name, server.connect().await)
        .await
        .unwrap();
    let connection = stream.get_ref().1;
    let shown = connection.peer_certificates().unwrap()[0]
        .clone()
        .into_owned();
    (shown, connection.alpn_protocol().map(<[u8]>::to_vec))
}

#[tokio::test]
async fn a_reloaded_certificate_is_shown_to_the_next_connection() {
    let (tls, first) = self_signed();
    let (replacement, second) = certificate();
    let server = Setup {
        tls: Some(tls.clone()),
        ..Setup::default()
    }
    .serve(routes());
    let config = Arc::new(client_config(&[&first, &second], &[]));
    assert_eq!(handshake(&server, &config).await.0, first);
    tls.replace(replacement);
    // A client that remembers nothing: a resumed session shows no certificate at all.
    let config = Arc::new(client_config(&[&first, &second], &[]));
    assert_eq!(handshake(&server, &config).await.0, second);
}

#[tokio::test]
async fn http2_is_preferred_and_http1_served() {
    let (tls, root) = self_signed();
    let server = Setup {
        tls: Some(tls),
        ..Setup::default()
    }
    .serve(routes());
    for (offered, agreed) in [
        (vec![b"http/1.1".as_slice(), b"h2"], Some(b"h2".to_vec())),
        (vec![b"http/1.1"], Some(b"http/1.1".to_vec())),
        (vec![], None),
    ] {
        let config = Arc::new(client_config(&[&root], &offered));
        assert_eq!(handshake(&server, &config).await.1, agreed);
    }
}

#[tokio::test]
async fn a_client_is_answered_over_http2() {
    let (tls, root) = self_signed();
    let server = Setup {
        tls: Some(tls),
        ..Setup::default()
    }
    .serve(routes());
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(client_config(&[&root], &[b"h2"]))
        .build()
        .unwrap();
    let url = format!("https://localhost:{}/", server.address.port());
    for _ in 0..3 {
        let answer = client.get(&url).send().await.unwrap();
        assert_eq!(answer.version(), http::Version::HTTP_2);
        assert!(
            answer.headers()["x-request-id"]
                .to_str()
                .unwrap()
                .starts_with("req_")
        );
        assert_eq!(answer.text().await.unwrap(), "here");
    }
}

#[tokio::test]
async fn x_forwarded_for_is_believed_from_trusted_proxies_only() {
    let who = |ConnectInfo(client): ConnectInfo<SocketAddr>| async move { client.ip().to_string() };
    for (trusted, seen) in [("127.0.0.0/8", "192.0.2.7"), ("10.0.0.0/8", "127.0.0.1")] {
        let server = Setup {
            trusted: vec![trusted.parse().unwrap()],
            ..Setup::default()
        }
        .serve(Router::new().route("/who", get(who)));
        let answer = server
            .exchange(b"GET /who HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9, 192.0.2.7\r\nConnection: close\r\n\r\n")
            .await;
        assert!(answer.ends_with(seen), "{trusted}: {answer}");
    }
}

#[tokio::test]
async fn a_handler_that_panics_answers_500_and_the_server_goes_on() {
    let panics = get(|Path(text): Path<String>| async move {
        let number: u32 = text.parse().expect(&text);
        number.to_string()
    });
    let server = Setup::default().serve(routes().route("/panic/{text}", panics));
    let answer = server.get("/panic/canary").await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
    assert!(!answer.contains("canary"), "{answer}");
    assert!(server.get("/").await.ends_with("here"));
}

#[tokio::test]
async fn metrics_count_by_the_routes_pattern_and_never_by_the_path() {
    let page = observability::metrics::install();
    let handler = get(|Path(id): Path<u32>| async move { id.to_string() });
    let server = Setup::default().serve(Router::new().route("/pattern/{id}", handler));
    for id in 0..5 {
        server.get(&format!("/pattern/{id}")).await;
    }
    server.get("/canary-path").await;
    let text = page.render();
    let counted =
        r#"certwright_http_requests_total{route="/pattern/{id}",method="GET",status="200"} 5"#;
    assert!(text.contains(counted), "{text}");
    assert!(
        text.contains(r#"certwright_http_request_duration_seconds_bucket{route="/pattern/{id}""#)
    );
    assert!(text.contains(r#"route="unmatched""#));
    assert!(!text.contains("canary-path"));
}

#[tokio::test]
async fn n08_requests_beyond_the_rate_are_429_with_retry_after() {
    let mut setup = Setup::default();
    setup.config.limits.requests_per_second_per_ip = std::num::NonZeroU32::new(2);
    let server = setup.serve(routes());
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(server.get("/").await);
    }
    let refused: Vec<_> = answers
        .iter()
        .filter(|a| a.starts_with("HTTP/1.1 429"))
        .collect();
    assert!(!refused.is_empty());
    assert!(
        refused
            .iter()
            .all(|answer| answer.contains("retry-after: 1\r\n"))
    );
    assert!(answers[0].starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let first = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let error = Listener::bind(first.local_addr()).err().unwrap();
    assert!(
        error.to_string().contains(&first.local_addr().to_string()),
        "{error}"
    );
}

#[test]
fn a_certificate_file_without_a_certificate_is_refused() {
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let error = tls::certificate_from_pem(key.as_bytes(), key.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("no PEM certificate"), "{error}");
}

/// An HTTP/2 frame (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

const DATA_END: u8 = 0x1;
const HEADERS_END: u8 = 0x4;

/// `GET http://x/` in HPACK's static table.
const GET_ROOT: &[u8] = &[0x82, 0x86, 0x84, 0x41, 1, b'x'];

/// The error code of the GOAWAY frame among what a server sent (RFC 9113 section 6.8).
fn goaway_code(mut octets: &[u8]) -> Option<u32> {
    while let Some((head, rest)) = octets.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (payload, rest) = rest.split_at_checked(length)?;
        if head[3] == 7 {
            return Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
        octets = rest;
    }
    None
}

const ENHANCE_YOUR_CALM: u32 = 0xb;

/// Floods an HTTP/2 connection until the server closes it, and says with which error. The flood ends
/// by itself if the server does not.
async fn flood(server: &Running, mut next: impl FnMut(u32) -> Vec<u8>) -> Option<u32> {
    let (mut reader, mut writer) = server.connect().await.into_split();
    writer
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    writer.write_all(&frame(4, 0, 0, &[])).await.unwrap();
    let closed = tokio::spawn(async move {
        let mut octets = Vec::new();
        let _ = reader.read_to_end(&mut octets).await;
        goaway_code(&octets)
    });
    for round in 0..100_000 {
        if writer.write_all(&next(round)).await.is_err() {
            break;
        }
    }
    let closed = tokio::time::timeout(PATIENCE, closed).await;
    closed.expect("the server let itself be flooded").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n06_rapid_resets_and_endless_headers_end_the_connection() {
    let (router, _began, _gate) = gated();
    let server = Setup::default().serve(router.merge(routes()));
    let resets = flood(&server, |round| {
        let stream = 2 * round + 1;
        let mut frames = frame(1, DATA_END | HEADERS_END, stream, GET_ROOT);
        frames.extend(frame(3, 0, stream, &8_u32.to_be_bytes()));
        frames
    });
    assert_eq!(resets.await, Some(ENHANCE_YOUR_CALM));
    let headers = flood(&server, |round| {
        let literal = [&[0x40, 1, b'a', 100][..], &[b'b'; 100]].concat();
        match round {
            0 => frame(1, DATA_END, 1, GET_ROOT),
            _ => frame(9, 0, 1, &literal),
        }
    });
    assert_eq!(headers.await, Some(ENHANCE_YOUR_CALM));
    assert!(server.get("/").await.ends_with("here"));
}
