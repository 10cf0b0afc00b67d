//! S10: each event once at least, with one id, in order for each object, until it is there or given up.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, StatusCode};
use serde_json::json;
use testkit::TestServer;
use testkit::receiver::{Receiver, Reply};

use super::{AN_HOUR, Api, SECRET, received, settle};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_an_event_arrives_once_signed_and_as_the_api_shows_it() {
    let server = TestServer::start().await;
    let (api, receiver) = (Api::of(&server).await, Receiver::start().await);
    api.subscribe(&server, "hook", &receiver, &["account.created"])
        .await;
    let client = server.registered_client().await;
    received(&server, &receiver, 1).await;
    settle(&server).await;
    let posts = receiver.posts();
    assert_eq!(posts.len(), 1);
    let post = &posts[0];
    let id = post.header("webhook-id");
    assert!(id.starts_with("dlv_"), "{id}");
    let signed = format!(
        "{id}.{}.{}",
        post.header("webhook-timestamp"),
        String::from_utf8_lossy(&post.body)
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    assert_eq!(post.header("webhook-signature"), format!("v1,{signature}"));
    assert_eq!(post.header("content-type"), "application/json");
    let event = post.json();
    let account = client.kid.unwrap();
    assert_eq!(event["object"], account.rsplit('/').next().unwrap());
    let shown = api.get(&server, "audit?name=account.created").await;
    assert_eq!(event, shown["items"][0]);
    let deliveries = api.get(&server, "notification-deliveries").await;
    assert_eq!(deliveries["items"][0]["id"], id);
    assert_eq!(deliveries["items"][0]["state"], "delivered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_what_is_not_taken_holds_up_its_object_alone_and_keeps_its_id() {
    let server = TestServer::start().await;
    let (api, receiver) = (Api::of(&server).await, Receiver::start().await);
    let events = ["directory.changed", "account.created"];
    api.subscribe(&server, "hook", &receiver, &events).await;
    receiver.reply(Reply::Status(500));
    api.change_directory(&server).await;
    received(&server, &receiver, 1).await;
    api.change_directory(&server).await;
    server.registered_client().await;
    received(&server, &receiver, 2).await;
    settle(&server).await;
    // The second change waits for the first; the account waits for nobody.
    assert_eq!(receiver.names(), ["directory.changed", "account.created"]);
    server.clock.advance(Duration::from_secs(11));
    received(&server, &receiver, 4).await;
    let posts = receiver.posts();
    assert_eq!(posts[0].header("webhook-id"), posts[2].header("webhook-id"));
    assert_eq!(posts[0].body, posts[2].body);
    assert_ne!(posts[2].header("webhook-id"), posts[3].header("webhook-id"));
    let ids: Vec<String> = [&posts[2], &posts[3]]
        .map(|post| post.json()["id"].as_str().unwrap().to_owned())
        .into();
    assert!(ids[0] < ids[1], "{ids:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_what_is_never_taken_ends_in_the_dead_letter_list_and_can_be_sent_again() {
    let server = TestServer::start().await;
    let (api, receiver) = (Api::of(&server).await, Receiver::start().await);
    let watcher = Receiver::start().await;
    api.subscribe(&server, "hook", &receiver, &["directory.changed"])
        .await;
    api.subscribe(&server, "watcher", &watcher, &["notification.failed"])
        .await;
    receiver.always(Reply::Status(503));
    api.change_directory(&server).await;
    for attempt in 1..=12 {
        received(&server, &receiver, attempt).await;
        settle(&server).await;
        assert_eq!(receiver.posts().len(), attempt, "no try before its time");
        server.clock.advance(AN_HOUR);
    }
    received(&server, &watcher, 1).await;
    let failed = watcher.posts()[0].json();
    assert_eq!(failed["data"]["channel"], "hook");
    let dead = "notification-deliveries?state=dead&channel=hook";
    let list = api.get(&server, dead).await;
    let delivery = &list["items"][0];
    assert_eq!(delivery["attempts"], 12);
    let error = delivery["last_error"].as_str().unwrap();
    assert!(error.contains("503"), "{error}");
    receiver.always(Reply::Status(200));
    let path = format!(
        "notification-deliveries/{}/resend",
        delivery["id"].as_str().unwrap()
    );
    let (status, sent) = api.call(&server, Method::POST, &path, None).await;
    assert_eq!(status, StatusCode::OK, "{sent}");
    received(&server, &receiver, 13).await;
    let posts = receiver.posts();
    assert_eq!(
        posts[0].header("webhook-id"),
        posts[12].header("webhook-id")
    );
    server
        .run_jobs_until(async || api.get(&server, dead).await["items"] == json!([]))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_a_crash_before_it_is_noted_repeats_it_once_with_the_same_id() {
    // SQLite's file would belong to the process that hangs.
    let mut server = TestServer::start_on_postgres().await;
    let (api, receiver) = (Api::of(&server).await, Receiver::start().await);
    api.subscribe(&server, "hook", &receiver, &["directory.changed"])
        .await;
    // The receiver has it, but the server dies before it hears so.
    receiver.reply(Reply::Silence);
    api.change_directory(&server).await;
    received(&server, &receiver, 1).await;
    server.crash_and_restart().await;
    settle(&server).await;
    assert_eq!(receiver.posts().len(), 1, "the lease is not over");
    server.clock.advance(Duration::from_secs(61));
    received(&server, &receiver, 2).await;
    settle(&server).await;
    server.clock.advance(AN_HOUR);
    settle(&server).await;
    let posts = receiver.posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0].header("webhook-id"), posts[1].header("webhook-id"));
    assert_eq!(posts[0].body, posts[1].body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_two_nodes_send_an_event_once() {
    let server = TestServer::start_on_postgres().await;
    let node = server.second_node().await.unwrap();
    let (api, receiver) = (Api::of(&server).await, Receiver::start().await);
    api.subscribe(&server, "hook", &receiver, &["account.created"])
        .await;
    for _ in 0..10 {
        server.registered_client().await;
        let lifecycle = node.lifecycle.clone();
        let other = tokio::spawn(async move { lifecycle.work_once().await });
        server.run_jobs().await;
        other.await.unwrap().unwrap();
    }
    received(&server, &receiver, 10).await;
    settle(&server).await;
    let mut ids: Vec<String> = receiver
        .posts()
        .iter()
        .map(|post| post.header("webhook-id").to_owned())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), receiver.posts().len()), (10, 10));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_a_clock_that_is_set_back_holds_nothing_up() {
    let server = TestServer::start().await;
    let (api, receiver) = (Api::of(&server).await, Receiver::start().await);
    api.subscribe(&server, "hook", &receiver, &["directory.changed"])
        .await;
    receiver.reply(Reply::Status(500));
    server.clock.jump(7 * 24 * 3600);
    api.change_directory(&server).await;
    received(&server, &receiver, 1).await;
    settle(&server).await;
    server.clock.jump(-7 * 24 * 3600);
    received(&server, &receiver, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_a_hostile_receiver_harms_nobody() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    let good = Receiver::start().await;
    let bystander = Receiver::start().await;
    let elsewhere = format!(
        "HTTP/1.1 307 Elsewhere\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        bystander.url()
    );
    let long_head = [
        b"HTTP/1.1 200 OK\r\nX: ".to_vec(),
        vec![b'x'; 100_000],
        b"\r\n\r\n".to_vec(),
    ]
    .concat();
    let mut receivers = Vec::new();
    for (name, reply) in [
        ("silent", Reply::Silence),
        ("endless", Reply::Endless),
        ("redirecting", Reply::Octets(elsewhere.into_bytes())),
        ("garbage", Reply::Octets(vec![0xff; 4096])),
        ("long", Reply::Octets(long_head)),
        ("empty", Reply::Octets(Vec::new())),
    ] {
        let receiver = Receiver::start().await;
        receiver.always(reply);
        api.subscribe(&server, name, &receiver, &["account.created"])
            .await;
        receivers.push((name, receiver));
    }
    api.subscribe(&server, "good", &good, &["account.created"])
        .await;
    server.registered_client().await;
    received(&server, &good, 1).await;
    for (_, receiver) in &receivers {
        received(&server, receiver, 1).await;
    }
    // The silent one is waited for; nobody waits with it.
    server.registered_client().await;
    received(&server, &good, 2).await;
    assert!(bystander.posts().is_empty(), "a redirect was followed");
    let state = async |name: &str| {
        let path = format!("notification-deliveries?channel={name}");
        api.get(&server, &path).await["items"][1].clone()
    };
    for (name, says) in [
        ("redirecting", "redirect"),
        ("garbage", "HTTP"),
        ("long", "HTTP"),
        ("empty", "lost"),
    ] {
        server
            .run_jobs_until(async || state(name).await["attempts"] == 1)
            .await;
        let delivery = state(name).await;
        let error = delivery["last_error"].as_str().unwrap();
        assert!(error.contains(says), "{name}: {error}");
        assert_eq!(delivery["state"], "waiting", "{name}");
    }
    server
        .run_jobs_until(async || state("endless").await["state"] == "delivered")
        .await;
}
