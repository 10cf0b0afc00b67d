//! tls-alpn-01 (RFC 8737; for addresses RFC 8738 section 6).

use std::time::Duration;

use serde_json::Value;
use testkit::TestServer;
use testkit::acme::Client;
use testkit::tls_alpn::TestTlsAlpn;

use super::super::support::first_authorization;

async fn pair() -> (TestServer, TestTlsAlpn) {
    let responder = TestTlsAlpn::start().await;
    let port = responder.address.port();
    let config = format!("[validation]\ntlsalpn01_port = {port}\n");
    (TestServer::start_with(&config).await, responder)
}

async fn challenge_for(client: &Client, name: &str) -> (String, Value) {
    let order = client.new_order(&[name]).await.json();
    let authorization = first_authorization(&order).to_owned();
    let challenge = client.challenge(&authorization, "tls-alpn-01").await;
    (authorization, challenge)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rfc8737_s3_the_certificate_of_the_challenge_proves_a_name() {
    let (server, responder) = pair().await;
    let client = server.registered_client().await;
    let (authorization, challenge) = challenge_for(&client, "www.example.org").await;
    let proof = client.key_authorization(challenge["token"].as_str().unwrap());
    responder.put("www.example.org", "www.example.org", &proof);
    client.respond(&challenge).await.assert_status(200);
    let body = client.settled(&authorization).await;
    assert_eq!(body["status"], "valid", "{body}");
    let challenge = client.challenge(&authorization, "tls-alpn-01").await;
    assert_eq!(challenge["status"], "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rfc8738_s6_an_address_is_asked_for_by_its_reverse_name() {
    let (server, responder) = pair().await;
    let client = server.registered_client().await;
    let (authorization, challenge) = challenge_for(&client, "127.0.0.1").await;
    let proof = client.key_authorization(challenge["token"].as_str().unwrap());
    responder.put("1.0.0.127.in-addr.arpa", "127.0.0.1", &proof);
    client.respond(&challenge).await.assert_status(200);
    let body = client.settled(&authorization).await;
    assert_eq!(body["status"], "valid", "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rfc8737_s3_any_other_certificate_proves_nothing() {
    let (server, responder) = pair().await;
    let client = server.registered_client().await;
    let other = server.registered_client().await;
    for (place, kind) in ["unauthorized", "unauthorized", "tls"].iter().enumerate() {
        let name = format!("n{place}.example.org");
        let (_, challenge) = challenge_for(&client, &name).await;
        let token = challenge["token"].as_str().unwrap();
        let proof = client.key_authorization(token);
        match place {
            0 => responder.put(&name, &name, &other.key_authorization(token)),
            1 => responder.put(&name, "www.example.org", &proof),
            _ => responder.put("www.example.org", &name, &proof),
        }
        client.respond(&challenge).await.assert_status(200);
        let url = challenge["url"].as_str().unwrap();
        let mut shown = client.get(url).await.json();
        for _ in 0..200 {
            if shown.get("error").is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
            shown = client.get(url).await.json();
        }
        let wanted = format!("urn:ietf:params:acme:error:{kind}");
        assert_eq!(shown["error"]["type"], wanted, "{place}: {shown}");
    }
}
