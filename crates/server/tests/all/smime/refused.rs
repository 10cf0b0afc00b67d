//! Mails that prove nothing: each is refused with its own reason, where the client reads it.

use serde_json::{Value, json};

use super::support::{Arrived, MAILBOX, Post, block};

/// A challenge whose client says that the reply is under way.
async fn ready(post: &Post) -> Arrived {
    let arrived = post.order(MAILBOX).await;
    let answer = post.client.respond(&arrived.challenge).await;
    assert_eq!(answer.json()["status"], "processing", "{}", answer.text);
    arrived
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_that_do_not_count_are_told_and_a_right_one_still_does() {
    let post = Post::start().await;
    let arrived = ready(&post).await;
    let right = arrived.reply(&post.digest(&arrived));
    let signature = post.signature();
    let unsigned = post.told_after(&arrived, &right, Value::Null, "DKIM").await;
    assert_eq!(unsigned["status"], "processing");
    assert_eq!(
        unsigned["error"]["type"],
        "urn:ietf:params:acme:error:unauthorized"
    );
    let other = right.replace(MAILBOX, "mallory@example.org");
    post.told_after(
        &arrived,
        &other,
        signature.clone(),
        "alice@example.org alone",
    )
    .await;
    let absent = right.replace(
        "Content-Type",
        "Auto-Submitted: auto-replied\r\nContent-Type",
    );
    post.told_after(&arrived, &absent, signature.clone(), "by itself")
        .await;
    let html = right.replace("text/plain", "text/html");
    post.told_after(&arrived, &html, signature.clone(), "plain text")
        .await;
    let unrelated = right.replace(&arrived.id, "<another@ca.example.org>");
    post.told_after(
        &arrived,
        &unrelated,
        signature.clone(),
        "reply to that mail",
    )
    .await;
    let page = post
        .api
        .get("/api/v1/audit?name=email_challenge.reply_refused")
        .await;
    assert_eq!(page["items"].as_array().unwrap().len(), 5, "{page}");
    // Anybody may write in anybody's name: none of it has decided anything.
    post.deliver(&right, signature, json!([])).await;
    post.until(async || post.challenge(&arrived).await["status"] == "valid")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_that_do_not_hold_are_told_apart() {
    let post = Post::start().await;
    let arrived = ready(&post).await;
    let right = arrived.reply(&post.digest(&arrived));
    let with = |members: Value| {
        let mut signature = post.signature();
        for (name, value) in members.as_object().unwrap() {
            signature[name] = value.clone();
        }
        signature
    };
    let stranger = with(json!({ "domain": "mallory.example" }));
    post.told_after(&arrived, &right, stranger, "mallory.example")
        .await;
    let partial = with(json!({ "length": true }));
    post.told_after(&arrived, &right, partial, "part of the body")
        .await;
    let bare = with(json!({ "without": ["subject"] }));
    post.told_after(&arrived, &right, bare, "`subject` is not signed")
        .await;
    let lost = with(json!({ "selector": "lost" }));
    post.told_after(&arrived, &right, lost, "lost._domainkey.example.org")
        .await;
    let changed = json!([["-----END", "x-----END"]]);
    post.deliver(&right, post.signature(), changed).await;
    post.told(&arrived, "the body is not the one").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_reply_with_another_digest_makes_the_challenge_invalid() {
    let post = Post::start().await;
    let arrived = ready(&post).await;
    let wrong = arrived.reply("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
    post.deliver(&wrong, post.signature(), json!([])).await;
    post.until(async || post.challenge(&arrived).await["status"] == "invalid")
        .await;
    let challenge = post.challenge(&arrived).await;
    let kind = "urn:ietf:params:acme:error:incorrectResponse";
    assert_eq!(challenge["error"]["type"], kind, "{challenge}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_reply_at_all_holds_nothing_up() {
    let post = Post::start().await;
    let arrived = ready(&post).await;
    let right = arrived.reply(&post.digest(&arrived));
    let stale = right.replace(&arrived.subject, "ACME: a-token-of-yesterday");
    let huge = format!("{right}{}", "nothing\r\n".repeat(100_000));
    let mut deep = String::from("Subject: ACME: x\r\n");
    for level in 0..30 {
        deep.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
        ));
    }
    for mail in [stale.as_str(), &huge, &deep, "no fields at all", "\r\n\r\n"] {
        post.deliver(mail, Value::Null, json!([])).await;
    }
    let nested = right.replace("text/plain", "multipart/alternative; boundary=i").replace(
        &block(&post.digest(&arrived)),
        &format!(
            "--i\r\nContent-Type: text/plain\r\n\r\n{}\r\n--i\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>\r\n--i--\r\n",
            block(&post.digest(&arrived))
        ),
    );
    post.deliver(&nested, post.signature(), json!([])).await;
    post.until(async || post.challenge(&arrived).await["status"] == "valid")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_the_mail_server_refuses_ends_the_challenge_with_its_reason() {
    let post = Post::start().await;
    let answer = post.client.new_order(&["refused@example.org"]).await;
    answer.assert_status(201);
    let order = answer.json();
    let url = order["authorizations"][0].as_str().unwrap();
    let ended = async || post.client.get(url).await.json()["status"] == "invalid";
    post.until(ended).await;
    let challenge = post.client.challenge(url, "email-reply-00").await;
    assert!(
        challenge["error"].to_string().contains("550"),
        "{challenge}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_may_be_left_to_the_provider() {
    let post = Post::with("require_dkim = false\n").await;
    let arrived = ready(&post).await;
    let right = arrived.reply(&post.digest(&arrived));
    post.deliver(&right, Value::Null, json!([])).await;
    post.until(async || post.challenge(&arrived).await["status"] == "valid")
        .await;
}

impl Post {
    async fn told_after(&self, arrived: &Arrived, mail: &str, sign: Value, because: &str) -> Value {
        self.deliver(mail, sign, json!([])).await;
        self.told(arrived, because).await
    }
}
