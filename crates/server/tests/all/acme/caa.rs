//! Whom the owner of a domain lets certify it (I10, and the half of I8 that is about CAA).

use std::time::Duration;

use domain::acme::directory::Caa;
use pki::key::{KeyAlgorithm, LocalKey};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Client, csr_for};

use super::support::{assert_refused, first_authorization, put_directory, status};

type Record<'a> = (u8, &'a str, &'a str);

async fn server_that_asks() -> TestServer {
    let server = TestServer::start().await;
    put_directory(&server, "default", |spec| {
        spec.caa = Caa::Enforced;
        spec.caa_identities = vec!["ca.test".to_owned()];
    })
    .await;
    server
}

/// Proves control of the first name of a fresh order by http-01, or for a wildcard by dns-01, and
/// gives the authorization as it then is.
async fn authorization_for(server: &TestServer, client: &Client, name: &str) -> Value {
    let order = client.new_order(&[name]).await;
    order.assert_status(201);
    let order = order.json();
    let url = first_authorization(&order);
    let base = name.trim_start_matches("*.");
    let kind = if name == base { "http-01" } else { "dns-01" };
    let challenge = client.challenge(url, kind).await;
    let token = challenge["token"].as_str().unwrap();
    server.web.put(token, &client.key_authorization(token));
    let digest = client.key_authorization_digest(token);
    server
        .dns
        .add_txt(&format!("_acme-challenge.{base}"), &digest);
    client.respond(&challenge).await.assert_status(200);
    client.settled(url).await
}

#[track_caller]
fn assert_outcome(authorization: &Value, error: Option<&str>, what: &str) {
    let Some(error) = error else {
        assert_eq!(authorization["status"], "valid", "{what}: {authorization}");
        return;
    };
    assert_eq!(
        authorization["status"], "invalid",
        "{what}: {authorization}"
    );
    let tried = authorization["challenges"].as_array().unwrap();
    let found = tried
        .iter()
        .find(|challenge| challenge["status"] == "invalid");
    let kind = &found.unwrap()["error"]["type"];
    assert_eq!(
        *kind,
        format!("urn:ietf:params:acme:error:{error}"),
        "{what}: {authorization}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i10_the_records_of_a_name_decide() {
    let server = server_that_asks().await;
    let client = server.registered_client().await;
    let account = client.kid.clone().unwrap();
    let own = format!("ca.test; accounturi={account}");
    let foreign = format!("ca.test; accounturi={account}x");
    let twice = format!("ca.test; accounturi={account}; accounturi={account}");
    let cases: Vec<(&str, Vec<Record<'_>>, Option<&str>)> = vec![
        ("nothing", vec![], None),
        ("us", vec![(0, "issue", "ca.test")], None),
        ("us in capitals", vec![(0, "ISSUE", "CA.test")], None),
        (
            "us among others",
            vec![(0, "issue", "x.test"), (0, "issue", "ca.test")],
            None,
        ),
        ("nobody", vec![(0, "issue", ";")], Some("caa")),
        ("nobody, in short", vec![(0, "issue", "")], Some("caa")),
        ("another", vec![(0, "issue", "x.test")], Some("caa")),
        ("one below us", vec![(0, "issue", "a.ca.test")], Some("caa")),
        ("only wildcards", vec![(0, "issuewild", "ca.test")], None),
        (
            "no wildcards",
            vec![(0, "issue", "ca.test"), (0, "issuewild", ";")],
            None,
        ),
        (
            "unknown tag",
            vec![(0, "future", "1"), (0, "issue", "ca.test")],
            None,
        ),
        (
            "unknown critical tag",
            vec![(128, "future", "1"), (0, "issue", "ca.test")],
            Some("caa"),
        ),
        (
            "critical tag that is known",
            vec![(128, "issue", "ca.test")],
            None,
        ),
        ("mail only", vec![(0, "issuemail", ";")], None),
        (
            "where to complain",
            vec![(0, "iodef", "mailto:a@example.org")],
            None,
        ),
        ("our account", vec![(0, "issue", &own)], None),
        ("another account", vec![(0, "issue", &foreign)], Some("caa")),
        ("account twice", vec![(0, "issue", &twice)], Some("caa")),
        (
            "our method",
            vec![(0, "issue", "ca.test; validationmethods=dns-01,http-01")],
            None,
        ),
        (
            "another method",
            vec![(0, "issue", "ca.test; validationmethods=dns-01")],
            Some("caa"),
        ),
        (
            "no method",
            vec![(0, "issue", "ca.test; validationmethods=")],
            Some("caa"),
        ),
        ("unreadable", vec![(0, "issue", "ca.test; =")], Some("caa")),
    ];
    for (place, (what, records, error)) in cases.iter().enumerate() {
        let name = format!("n{place}.example.org");
        server.dns.set_caa(&name, records);
        assert_outcome(
            &authorization_for(&server, &client, &name).await,
            *error,
            what,
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i10_a_wildcard_has_records_of_its_own() {
    let server = server_that_asks().await;
    let client = server.registered_client().await;
    let cases: Vec<(&str, Vec<Record<'_>>, Option<&str>)> = vec![
        ("wildcards too", vec![(0, "issue", "ca.test")], None),
        (
            "no wildcards",
            vec![(0, "issue", "ca.test"), (0, "issuewild", ";")],
            Some("caa"),
        ),
        (
            "only wildcards",
            vec![(0, "issue", ";"), (0, "issuewild", "ca.test")],
            None,
        ),
        (
            "another's",
            vec![(0, "issue", "ca.test"), (0, "issuewild", "x.test")],
            Some("caa"),
        ),
    ];
    for (place, (what, records, error)) in cases.iter().enumerate() {
        let base = format!("w{place}.example.org");
        server.dns.set_caa(&base, records);
        let authorization = authorization_for(&server, &client, &format!("*.{base}")).await;
        assert_outcome(&authorization, *error, what);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i10_the_tree_is_climbed_aliases_are_followed_and_silence_forbids() {
    let server = server_that_asks().await;
    let client = server.registered_client().await;
    let dns = &server.dns;
    dns.set_caa("strict.test", &[(0, "issue", ";")]);
    dns.set_caa("open.strict.test", &[(0, "issue", "ca.test")]);
    dns.set_cname("alias.example.org", "target.strict.test");
    dns.set_caa("target.strict.test", &[(0, "issue", "x.test")]);
    dns.set_cname("free.example.org", "bare.strict.test");
    dns.fail("broken.test");
    for (name, error) in [
        ("a.b.strict.test", Some("caa")),
        ("strict.test", Some("caa")),
        ("a.open.strict.test", None),
        ("alias.example.org", Some("caa")),
        // RFC 8659 section 3: the parents of an alias's target are not looked at.
        ("free.example.org", None),
        ("a.broken.test", Some("dns")),
    ] {
        assert_outcome(
            &authorization_for(&server, &client, name).await,
            error,
            name,
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i10_a_directory_that_ignores_caa_does_not_ask() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    server.dns.set_caa("www.example.org", &[(0, "issue", ";")]);
    client.issue(&server, &["www.example.org"]).await;
    assert_eq!(server.dns.caa_questions("www.example.org"), 0);
}

const NAMES: [&str; 3] = ["a.example.org", "b.example.org", "c.example.org"];
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i08_caa_older_than_eight_hours_is_asked_again_for_each_name() {
    let server = server_that_asks().await;
    let client = server.registered_client().await;
    for forbidden in NAMES {
        let (order_url, order) = client.ready_order(&server, &NAMES).await;
        server.clock.advance(9 * HOUR);
        server.dns.set_caa(forbidden, &[(0, "issue", ";")]);
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let answer = client.finalize(&order, &csr_for(&NAMES, &key)).await;
        assert_refused(&answer, 403, "caa");
        let problem = &answer.json()["subproblems"][0];
        assert_eq!(
            problem["identifier"],
            json!({"type": "dns", "value": forbidden})
        );
        // Nothing is lost: the owner may still change the records.
        assert_eq!(status(&client, &order_url).await, "ready");
        server.dns.set_caa(forbidden, &[]);
        let before = NAMES.map(|name| server.dns.caa_questions(name));
        client
            .finalize(&order, &csr_for(&NAMES, &key))
            .await
            .assert_status(200);
        for (name, before) in NAMES.iter().zip(before) {
            assert!(server.dns.caa_questions(name) > before, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i08_caa_of_the_same_hour_is_relied_on() {
    let server = server_that_asks().await;
    let client = server.registered_client().await;
    let (_, order) = client.ready_order(&server, &NAMES).await;
    server.clock.advance(HOUR);
    let before = NAMES.map(|name| server.dns.caa_questions(name));
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    client
        .finalize(&order, &csr_for(&NAMES, &key))
        .await
        .assert_status(200);
    assert_eq!(NAMES.map(|name| server.dns.caa_questions(name)), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i08_caa_that_cannot_be_asked_again_forbids() {
    let server = server_that_asks().await;
    let client = server.registered_client().await;
    let (order_url, order) = client.ready_order(&server, &NAMES).await;
    server.clock.advance(9 * HOUR);
    server.dns.fail(NAMES[1]);
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let answer = client.finalize(&order, &csr_for(&NAMES, &key)).await;
    assert_refused(&answer, 400, "dns");
    assert_eq!(status(&client, &order_url).await, "ready");
}
