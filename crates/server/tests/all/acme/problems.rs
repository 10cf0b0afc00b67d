//! What every refusal carries, whatever layer it comes from (P6).

use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Answer, Client};

use super::support::{assert_complete_refusal, assert_refused};

async fn post(client: &Client, url: &str, content_type: &str, body: Vec<u8>) -> Answer {
    let request = client.http.post(url).header("content-type", content_type);
    let response = request.body(body).send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

const JOSE: &str = "application/jose+json";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p06_a_refusal_of_any_layer_is_a_problem_with_a_nonce() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let order = client.at("newOrder");
    let base = order.trim_end_matches("new-order").to_owned();
    let signed = || async { client.signed(&order, b"{}").await.to_string().into_bytes() };
    let deep = format!("{}{}", r#"{"a":"#.repeat(60), "}".repeat(60));
    let orders = format!("{}/orders", client.kid.as_deref().unwrap());
    for (what, url, content_type, body, status) in [
        (
            "content type missing",
            order.clone(),
            "",
            signed().await,
            415,
        ),
        (
            "content type of JSON",
            order.clone(),
            "application/json",
            signed().await,
            415,
        ),
        (
            "content type almost right",
            order.clone(),
            "application/jose",
            signed().await,
            415,
        ),
        (
            "body too large",
            order.clone(),
            JOSE,
            vec![b' '; 100_000],
            413,
        ),
        (
            "body larger than a JWS",
            order.clone(),
            JOSE,
            vec![b' '; 60_000],
            400,
        ),
        ("no JSON", order.clone(), JOSE, b"hello".to_vec(), 400),
        ("no UTF-8", order.clone(), JOSE, vec![0xff; 10], 400),
        ("deep JSON", order.clone(), JOSE, deep.into_bytes(), 400),
        ("empty body", order.clone(), JOSE, Vec::new(), 400),
        (
            "no such resource",
            format!("{base}nothing"),
            JOSE,
            signed().await,
            404,
        ),
        (
            "no such path",
            format!("{base}order/x/y/z"),
            JOSE,
            signed().await,
            404,
        ),
        (
            "id that is none",
            format!("{base}order/x"),
            JOSE,
            signed().await,
            403,
        ),
        (
            "path that is no text",
            format!("{base}order/%ff"),
            JOSE,
            signed().await,
            404,
        ),
        (
            "resource not for POST",
            format!("{base}renewal-info/x"),
            JOSE,
            signed().await,
            405,
        ),
        (
            "query twice",
            format!("{orders}?after=a&after=b"),
            JOSE,
            signed().await,
            403,
        ),
    ] {
        let answer = post(&client, &url, content_type, body).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        assert_complete_refusal(&answer);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p06_a_query_that_is_not_ours_is_malformed() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let orders = format!("{}/orders", client.kid.as_deref().unwrap());
    for query in [
        "after=",
        "after=x",
        "after=a&after=b",
        "before=1",
        "%ff",
        "after=%ff",
        "x",
    ] {
        let answer = client.get(&format!("{orders}?{query}")).await;
        assert_refused(&answer, 400, "malformed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p06_a_directory_that_is_not_there_refuses_likewise() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let url = client.at("newOrder").replace("/default/", "/nowhere/");
    let answer = client.post(&url, &json!({})).await;
    assert_refused(&answer, 404, "malformed");
    let response = client
        .http
        .get(server.directory_url("nowhere"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p06_the_status_line_and_the_status_in_the_problem_agree() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    for (resource, payload) in [
        ("newOrder", json!({})),
        (
            "newOrder",
            json!({"identifiers": [{"type": "dns", "value": "*.com"}]}),
        ),
        (
            "newOrder",
            json!({"identifiers": [{"type": "dns", "value": "a.example"}], "profile": "x"}),
        ),
        (
            "newAuthz",
            json!({"identifier": {"type": "dns", "value": "*.a.example"}}),
        ),
        ("keyChange", json!({})),
        ("revokeCert", json!({})),
        ("newAccount", json!({})),
    ] {
        let answer = client.post(&client.at(resource), &payload).await;
        assert_complete_refusal(&answer);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s6_1_browsers_may_ask_and_read() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let url = client.at("newOrder");
    let response = client
        .http
        .request(reqwest::Method::OPTIONS, &url)
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type")
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success());
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_lowercase();
    assert_eq!(header("access-control-allow-origin"), "*");
    assert!(header("access-control-allow-methods").contains("post"));
    assert!(header("access-control-allow-headers").contains("content-type"));
    for answer in [
        client.new_order(&["www.example.org"]).await,
        client.new_order(&[]).await,
    ] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for name in ["Link", "Location", "Replay-Nonce", "Retry-After"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
    let directory = client.http.get(server.directory_url("default"));
    let directory = directory.send().await.unwrap();
    assert_eq!(directory.headers()["access-control-allow-origin"], "*");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s6_7_what_is_malformed_is_said_in_words() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let answer = client
        .post(
            &client.at("newOrder"),
            &json!({"identifiers": [{"type": "dns"}]}),
        )
        .await;
    let body: Value = answer.json();
    assert!(body["detail"].as_str().unwrap().contains("value"), "{body}");
}
