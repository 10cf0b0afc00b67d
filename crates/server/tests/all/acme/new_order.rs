//! Which names an order may have (P13).

use serde_json::{Value, json};
use testkit::TestServer;

use super::support::{assert_complete_refusal, assert_refused, census};

fn dns(value: &str) -> Value {
    json!({"type": "dns", "value": value})
}

fn long_name(octets: usize) -> String {
    let mut name = format!("{}.", "a".repeat(60)).repeat(octets / 61);
    name.push_str(&"b".repeat(octets - name.len()));
    assert_eq!(name.len(), octets);
    name
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_every_bad_identifier_is_named_and_no_order_is_made() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let too_long = long_name(254);
    for (bad, kind) in [
        (dns(""), "malformed"),
        (dns("WWW.example.org"), "malformed"),
        (dns("www.example.org."), "malformed"),
        (dns("a_b.example.org"), "malformed"),
        (dns("bücher.example"), "malformed"),
        (dns("xn--zz.example"), "malformed"),
        (dns("*.com"), "malformed"),
        (dns("*.co.uk"), "malformed"),
        (dns("a.*.example.org"), "malformed"),
        (dns("**.example.org"), "malformed"),
        (dns("*.*.example.org"), "malformed"),
        (dns("*"), "malformed"),
        (dns("w*.example.org"), "malformed"),
        (dns("192.0.2.1"), "malformed"),
        (dns("[2001:db8::1]"), "malformed"),
        (dns("2001:db8::1"), "malformed"),
        (dns("a..example.org"), "malformed"),
        (dns("-a.example.org"), "malformed"),
        (dns("a.example.org:443"), "malformed"),
        (dns("https://a.example.org"), "malformed"),
        (dns("a.example.org\u{0}"), "malformed"),
        (dns(" a.example.org"), "malformed"),
        (dns(&too_long), "malformed"),
        (json!({"type": "ip", "value": "192.0.2.256"}), "malformed"),
        (json!({"type": "ip", "value": "192.0.2.01"}), "malformed"),
        (json!({"type": "ip", "value": "2001:DB8::1"}), "malformed"),
        (json!({"type": "ip", "value": "192.0.2.0/24"}), "malformed"),
        (
            json!({"type": "email", "value": "a@example.org"}),
            "unsupportedIdentifier",
        ),
        (
            json!({"type": "DNS", "value": "a.example.org"}),
            "unsupportedIdentifier",
        ),
        (dns("good.example.org"), "malformed"), // is there twice
    ] {
        let identifiers = json!([dns("good.example.org"), bad, dns("fine.example.org")]);
        let answer = client
            .post(&client.at("newOrder"), &json!({"identifiers": identifiers}))
            .await;
        assert_eq!(answer.status, 400, "{bad}: {}", answer.text);
        assert_complete_refusal(&answer);
        let body = answer.json();
        let problems = body["subproblems"].as_array().unwrap();
        assert_eq!(problems.len(), 1, "{body}");
        assert_eq!(problems[0]["identifier"], bad);
        assert_eq!(
            problems[0]["type"],
            format!("urn:ietf:params:acme:error:{kind}")
        );
        assert!(!problems[0]["detail"].as_str().unwrap().is_empty());
    }
    assert_eq!(census(&server).await.1, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_all_faults_are_told_at_once() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let bad = [
        dns("*.com"),
        dns("A.example.org"),
        json!({"type": "email", "value": "x"}),
    ];
    let mut identifiers = bad.to_vec();
    identifiers.push(dns("good.example.org"));
    let answer = client
        .post(&client.at("newOrder"), &json!({"identifiers": identifiers}))
        .await;
    assert_refused(&answer, 400, "compound");
    let body = answer.json();
    let named: Vec<&Value> = body["subproblems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| &problem["identifier"])
        .collect();
    assert_eq!(named, bad.iter().collect::<Vec<_>>());
    assert_eq!(census(&server).await.1, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_an_order_names_at_least_one_and_at_most_as_many_as_the_profile_says() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let names = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|n| dns(&format!("n{n}.example.org")))
            .collect()
    };
    for payload in [
        json!({"identifiers": []}),
        json!({"identifiers": names(101)}),
        json!({}),
        json!({"identifiers": null}),
        json!({"identifiers": "www.example.org"}),
        json!({"identifiers": ["www.example.org"]}),
        json!({"identifiers": [{"type": "dns"}]}),
        json!({"identifiers": [{"value": "www.example.org"}]}),
        json!({"identifiers": [["dns", "www.example.org"]]}),
    ] {
        let answer = client.post(&client.at("newOrder"), &payload).await;
        assert_refused(&answer, 400, "malformed");
    }
    assert_eq!(census(&server).await.1, 0);
    let answer = client
        .post(&client.at("newOrder"), &json!({"identifiers": names(100)}))
        .await;
    answer.assert_status(201);
    assert_eq!(
        answer.json()["authorizations"].as_array().unwrap().len(),
        100
    );
}
