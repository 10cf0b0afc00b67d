//! From the order to the certificate by a mail and its reply.

use pki::key::{KeyAlgorithm, LocalKey};
use serde_json::json;
use testkit::acme::csr_for;

use super::support::{MAILBOX, Post};

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_to_the_challenges_mail_proves_a_mailbox() {
    let post = Post::start().await;
    let arrived = post.order(MAILBOX).await;
    assert_eq!(arrived.challenge["from"], "acme@ca.example.org");
    assert_eq!(arrived.challenge["status"], "pending");
    let raw = String::from_utf8(arrived.raw.clone()).unwrap();
    assert!(
        raw.contains("Auto-Submitted: auto-generated; type=acme\r\n"),
        "{raw}"
    );
    assert!(!raw.contains(arrived.challenge["token"].as_str().unwrap()));
    assert!(post.is_signed(&arrived.raw).await, "{raw}");
    let tampered = raw.replace("somebody asked", "nobody asked");
    assert!(!post.is_signed(tampered.as_bytes()).await);
    // The client says that it is ready before the reply is there.
    let answer = post.client.respond(&arrived.challenge).await;
    assert_eq!(answer.json()["status"], "processing", "{}", answer.text);
    let reply = arrived.reply(&post.digest(&arrived));
    post.deliver(&reply, post.signature(), json!([])).await;
    let valid = async || post.challenge(&arrived).await["status"] == "valid";
    post.until(valid).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let csr = csr_for(&[MAILBOX], &key);
    post.client.finalize(&arrived.order, &csr).await;
    let order = post.client.settled(&arrived.order_url).await;
    assert_eq!(order["status"], "valid", "{order}");
    let url = order["certificate"].as_str().unwrap();
    let pem = post.client.get(url).await.text;
    let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
    let leaf = pki::certificate::Certificate::from_der(&chain[0]).unwrap();
    let names: Vec<String> = leaf.names.iter().map(ToString::to_string).collect();
    assert!(names[0].contains(MAILBOX), "{names:?}");
    // The audit trail knows that a mail left; it knows no token.
    let events = post
        .api
        .get("/api/v1/audit?name=email_challenge.sent")
        .await;
    assert_eq!(events["items"].as_array().unwrap().len(), 1, "{events}");
    let token = arrived.subject.strip_prefix("ACME: ").unwrap();
    assert!(!events.to_string().contains(token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_there_before_the_client_is_ready_counts_at_once() {
    let post = Post::start().await;
    let arrived = post.order(MAILBOX).await;
    let reply = arrived.reply(&post.digest(&arrived));
    let mut signature = post.signature();
    signature["form"] = json!("simple/simple");
    post.deliver(&reply, signature, json!([])).await;
    // Read, and kept until the client asks.
    let valid = async || {
        let answer = post.client.respond(&arrived.challenge).await;
        answer.json()["status"] == "valid"
    };
    post.until(valid).await;
    let authorization = post.client.get(&arrived.authorization).await.json();
    assert_eq!(authorization["status"], "valid");
    assert_eq!(authorization["identifier"]["type"], "email");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_no_challenge_proves_a_mailbox() {
    let server = testkit::TestServer::start().await;
    let client = server.registered_client().await;
    let answer = client.new_order(&[MAILBOX]).await;
    assert!(answer.status >= 400, "{}", answer.text);
}
