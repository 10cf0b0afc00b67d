//! Hostile bytes and hostile networks seen through the whole server: N1, N3, N5, N6. The limits
//! themselves are tested where they are: in the listener, the parsers, the dialler, the resolver.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::json;
use testkit::TestServer;
use testkit::acme::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn address(server: &TestServer) -> SocketAddr {
    let port = server.url().rsplit(':').next().unwrap().parse().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Sends octets as they are; gives the answer until the server closes or falls silent.
async fn raw(server: &TestServer, octets: &[u8]) -> String {
    let mut stream = TcpStream::connect(address(server)).await.unwrap();
    // The server may close while we write; then there is an answer all the same, or none.
    let _ = stream.write_all(octets).await;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(length @ 1..)) =
        tokio::time::timeout(Duration::from_secs(2), stream.read(&mut buffer)).await
    {
        answer.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The error with which the challenge of that name ends.
async fn failure(
    server: &TestServer,
    client: &Client,
    name: &str,
    kind: &str,
) -> serde_json::Value {
    let order = client.new_order(&[name]).await.json();
    let authorization = order["authorizations"][0].as_str().unwrap();
    let challenge = client.challenge(authorization, kind).await;
    let url = challenge["url"].as_str().unwrap();
    client.post(url, &json!({})).await.assert_status(200);
    // What may pass is tried again a little later.
    server
        .run_jobs_until(async || {
            server.clock.advance(Duration::from_secs(2));
            client.get(authorization).await.json()["status"] != "pending"
        })
        .await;
    let settled = client.get(authorization).await.json();
    assert_eq!(settled["status"], "invalid", "{settled}");
    let challenges = settled["challenges"].as_array().unwrap();
    challenges.iter().find(|c| c["type"] == kind).unwrap()["error"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n01_a_name_that_points_to_a_metadata_address_is_not_fetched() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    for (name, ip) in [
        ("cloud.example.org", "169.254.169.254"),
        ("any.example.org", "0.0.0.0"),
    ] {
        server
            .dns
            .set_addresses(name, &[ip.parse::<IpAddr>().unwrap()]);
        for kind in ["http-01", "tls-alpn-01"] {
            let error = failure(&server, &client, name, kind).await;
            let detail = error["detail"].as_str().unwrap();
            assert!(detail.contains(ip), "{error}");
            assert_eq!(
                error["type"], "urn:ietf:params:acme:error:connection",
                "{error}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n03_a_name_server_that_fails_is_told_as_dns_error() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    server.dns.fail("lame.example.org");
    server.dns.fail("_acme-challenge.lame.example.org");
    for kind in ["http-01", "dns-01"] {
        let error = failure(&server, &client, "lame.example.org", kind).await;
        assert_eq!(error["type"], "urn:ietf:params:acme:error:dns", "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n05_whole_flows_succeed_beside_five_hundred_half_open_requests() {
    let server = TestServer::start().await;
    let mut held = Vec::new();
    for _ in 0..500 {
        let mut stream = TcpStream::connect(address(&server)).await.unwrap();
        stream
            .write_all(b"POST /acme/default/new-order HTTP/1.1\r\nHost: localhost\r\nX-")
            .await
            .unwrap();
        held.push(stream);
    }
    let client = server.registered_client().await;
    for number in 0..5 {
        client
            .issue(&server, &[&format!("good{number}.example.org")])
            .await;
    }
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n06_bodies_that_are_too_large_too_deep_or_too_wide_are_refused() {
    let server = TestServer::start_with("[limits]\nmax_body_bytes = 4194304\n").await;
    let client = server.registered_client().await;
    let url = client.at("newOrder");
    let deep = format!("{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    let arrays = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let members: Vec<String> = (0..100_000).map(|n| format!("\"m{n}\":1")).collect();
    let wide = format!("{{{}}}", members.join(","));
    let long = format!("{{\"protected\":\"{}\"}}", "A".repeat(3_000_000));
    for body in [&deep, &arrays, &wide, &long] {
        let answer = client.send(&url, body.clone()).await;
        assert!((400..500).contains(&answer.status), "{}", answer.status);
        // The same inside a signed payload.
        if body.len() < 2_000_000 {
            let jws = client.key.jws(&client.header(&url).await, body.as_bytes());
            let answer = client.send(&url, jws.to_string()).await;
            assert!((400..500).contains(&answer.status), "{}", answer.status);
        }
    }
    client.issue(&server, &["after.example.org"]).await;

    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let answer = client
        .send(&client.at("newOrder"), " ".repeat(70_000))
        .await;
    assert_eq!(answer.status, 413);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n06_a_header_of_ten_megabytes_and_a_request_with_two_lengths_are_refused() {
    let server = TestServer::start().await;
    let mut endless = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ".to_vec();
    endless.resize(10 << 20, b'a');
    let answer = raw(&server, &endless).await;
    assert!(
        answer.is_empty() || answer.contains(" 431 ") || answer.contains(" 400 "),
        "{answer}"
    );
    assert!(!answer.contains("ok\n"));
    let smuggled = b"POST /acme/default/new-order HTTP/1.1\r\nHost: localhost\r\n\
        Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = raw(&server, smuggled).await;
    assert!(!answer.contains("ok\n"), "{answer}");
    let client = server.registered_client().await;
    client.issue(&server, &["after.example.org"]).await;
}
