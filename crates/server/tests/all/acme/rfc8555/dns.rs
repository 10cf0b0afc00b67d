//! Proofs in DNS: dns-01, dns-account-01, dns-persist-01.

use std::time::Duration;

use pki::time::Timestamp;
use protocols::acme::dns_persist::hashed_uri;
use protocols::acme::{dns_account, jwk::Thumbprint};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::Client;

use super::super::support::first_authorization;

/// An order's authorization that is to be proven by one kind of challenge.
struct Attempt {
    authorization: String,
    challenge: Value,
}

async fn attempt(client: &Client, name: &str, kind: &str) -> Attempt {
    let order = client.new_order(&[name]).await;
    order.assert_status(201);
    let authorization = first_authorization(&order.json()).to_owned();
    let challenge = client.challenge(&authorization, kind).await;
    Attempt {
        authorization,
        challenge,
    }
}

impl Attempt {
    fn digest(&self, client: &Client) -> String {
        client.key_authorization_digest(self.challenge["token"].as_str().unwrap())
    }

    /// Answers the challenge and gives the authorization, or after a failure the challenge.
    async fn outcome(&self, server: &TestServer, client: &Client) -> Value {
        client.respond(&self.challenge).await.assert_status(200);
        for _ in 0..200 {
            let body = client.get(&self.authorization).await.json();
            if body["status"] != "pending" {
                return body;
            }
            let challenge = client
                .get(self.challenge["url"].as_str().unwrap())
                .await
                .json();
            if challenge.get("error").is_some() {
                server.clock.advance(Duration::from_secs(2));
                server.run_jobs().await;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{} is not settled", self.authorization);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s8_4_a_record_under_acme_challenge_proves_a_name_and_its_wildcard() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    for name in ["www.example.org", "*.www.example.org"] {
        let attempt = attempt(&client, name, "dns-01").await;
        // Records of other orders may be there, too.
        let holder = "_acme-challenge.www.example.org";
        server.dns.add_txt(holder, "another order's");
        server.dns.add_txt(holder, &attempt.digest(&client));
        let body = attempt.outcome(&server, &client).await;
        assert_eq!(body["status"], "valid", "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s8_4_the_record_may_be_an_alias() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let attempt = attempt(&client, "www.example.org", "dns-01").await;
    server
        .dns
        .set_cname("_acme-challenge.www.example.org", "www.validation.test");
    server
        .dns
        .add_txt("www.validation.test", &attempt.digest(&client));
    let body = attempt.outcome(&server, &client).await;
    assert_eq!(body["status"], "valid", "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s8_4_any_other_record_proves_nothing() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let other = server.registered_client().await;
    for (place, kind) in [
        "incorrectResponse",
        "incorrectResponse",
        "incorrectResponse",
        "dns",
        "dns",
    ]
    .iter()
    .enumerate()
    {
        let name = format!("n{place}.example.org");
        let attempt = attempt(&client, &name, "dns-01").await;
        let token = attempt.challenge["token"].as_str().unwrap();
        let holder = format!("_acme-challenge.{name}");
        match place {
            0 => server
                .dns
                .add_txt(&holder, &client.key_authorization(token)),
            1 => server
                .dns
                .add_txt(&holder, &other.key_authorization_digest(token)),
            2 => server
                .dns
                .add_txt(&holder, &format!("{}=", attempt.digest(&client))),
            3 => server.dns.add_txt(&name, &attempt.digest(&client)),
            _ => server.dns.fail(&holder),
        }
        let body = attempt.outcome(&server, &client).await;
        assert_eq!(body["status"], "invalid", "{place}: {body}");
        let challenge = client.challenge(&attempt.authorization, "dns-01").await;
        let wanted = format!("urn:ietf:params:acme:error:{kind}");
        assert_eq!(challenge["error"]["type"], wanted, "{place}: {challenge}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dns_account_01_is_proven_under_the_accounts_own_label() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let other = server.registered_client().await;
    let label = |client: &Client| {
        dns_account::record_name(client.kid.as_deref().unwrap(), "www.example.org")
    };
    for name in ["www.example.org", "*.www.example.org"] {
        let attempt = attempt(&client, name, "dns-account-01").await;
        server
            .dns
            .add_txt(&label(&client), &attempt.digest(&client));
        let body = attempt.outcome(&server, &client).await;
        assert_eq!(body["status"], "valid", "{body}");
    }
    let attempt = attempt(&client, "www.example.org", "dns-account-01").await;
    server.dns.clear_txt(&label(&client));
    let digest = attempt.digest(&client);
    server
        .dns
        .add_txt("_acme-challenge.www.example.org", &digest);
    server.dns.add_txt(&label(&other), &digest);
    let body = attempt.outcome(&server, &client).await;
    assert_eq!(body["status"], "invalid", "{body}");
}

/// Both forms of `accounturi`: the account's URL, and the hash that hides it.
fn account_uris(client: &Client, domain: &str) -> [String; 3] {
    let url = client.kid.as_deref().unwrap();
    let thumbprint: Thumbprint = client.key.thumbprint().parse().unwrap();
    let prefix = client.directory["meta"]["accountHashPrefix"]
        .as_str()
        .unwrap();
    [
        url.to_owned(),
        hashed_uri(prefix, domain, &thumbprint, url),
        hashed_uri(prefix, "*", &thumbprint, url),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dns_persist_01_is_proven_by_a_lasting_record_of_either_form() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let holder = "_validation-persist.www.example.org";
    for uri in account_uris(&client, "www.example.org") {
        server.dns.clear_txt(holder);
        server
            .dns
            .add_txt(holder, "other-ca.test; accounturi=https://other-ca.test/1");
        let attempt = attempt(&client, "www.example.org", "dns-persist-01").await;
        assert!(attempt.challenge.get("token").is_none());
        let issuer = &attempt.challenge["issuerDomainNames"][0];
        assert_eq!(*issuer, attempt.challenge["issuer-domain-names"][0]);
        let issuer = issuer.as_str().unwrap();
        server
            .dns
            .add_txt(holder, &format!("{issuer}; accounturi={uri}"));
        let body = attempt.outcome(&server, &client).await;
        assert_eq!(body["status"], "valid", "{uri}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dns_persist_01_goes_beyond_the_name_only_where_the_record_says_so() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let uri = client.kid.clone().unwrap();
    let plain = format!("localhost; accounturi={uri}");
    let wide = format!("{plain}; policy=wildcard");
    for (place, (name, record, valid)) in [
        ("*.{}", &plain, false),
        ("*.{}", &wide, true),
        ("sub.{}", &plain, false),
        ("sub.{}", &wide, true),
        ("{}", &wide, true),
    ]
    .into_iter()
    .enumerate()
    {
        let base = format!("n{place}.example.org");
        server
            .dns
            .add_txt(&format!("_validation-persist.{base}"), record);
        let name = name.replace("{}", &base);
        let attempt = attempt(&client, &name, "dns-persist-01").await;
        let body = attempt.outcome(&server, &client).await;
        assert_eq!(body["status"] == "valid", valid, "{name} {record}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dns_persist_01_ends_when_its_record_says_so() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let uri = client.kid.clone().unwrap();
    let now = domain::clock::Clock::now(&server.clock).floor_to_second();
    let until = |end: Timestamp| {
        let seconds = end.millis() / 1000;
        format!("localhost; accounturi={uri}; persistUntil={seconds}")
    };
    let end = now + Duration::from_secs(2 * 24 * 3600);
    server
        .dns
        .add_txt("_validation-persist.a.example.org", &until(end));
    let fine = attempt(&client, "a.example.org", "dns-persist-01").await;
    let body = fine.outcome(&server, &client).await;
    assert_eq!(body["status"], "valid");
    assert_eq!(body["expires"], json!(end));
    let past = now - Duration::from_secs(1);
    server
        .dns
        .add_txt("_validation-persist.b.example.org", &until(past));
    let late = attempt(&client, "b.example.org", "dns-persist-01").await;
    assert_eq!(late.outcome(&server, &client).await["status"], "invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dns_persist_01_takes_no_record_of_another_account_or_issuer() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let other = server.registered_client().await;
    let uri = client.kid.clone().unwrap();
    let [_, hashed, _] = account_uris(&client, "another.example.org");
    let [_, _, foreign] = account_uris(&other, "*");
    for (place, record) in [
        format!("localhost; accounturi={}", other.kid.as_deref().unwrap()),
        format!("localhost; accounturi={foreign}"),
        format!("localhost; accounturi={hashed}"),
        format!("ca.test; accounturi={uri}"),
        "localhost".to_owned(),
        format!("localhost; accounturi={uri}; accounturi={uri}"),
        format!("localhost; accounturi={uri};"),
        format!("localhost; accounturi={}", uri.to_uppercase()),
    ]
    .iter()
    .enumerate()
    {
        let name = format!("n{place}.example.org");
        server
            .dns
            .add_txt(&format!("_validation-persist.{name}"), record);
        let attempt = attempt(&client, &name, "dns-persist-01").await;
        let body = attempt.outcome(&server, &client).await;
        assert_eq!(body["status"], "invalid", "{record}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dns_persist_01_records_outlive_a_change_of_key() {
    let server = TestServer::start().await;
    let mut client = server.registered_client().await;
    let [_, hashed, _] = account_uris(&client, "www.example.org");
    server.dns.add_txt(
        "_validation-persist.www.example.org",
        &format!("localhost; accounturi={hashed}"),
    );
    let new = testkit::acme::Key::p256();
    let url = client.at("keyChange");
    let header = json!({"alg": new.alg(), "jwk": new.jwk(), "url": url});
    let payload = json!({"account": client.kid, "oldKey": client.key.jwk()});
    let inner = new.jws(&header, payload.to_string().as_bytes());
    client.post(&url, &inner).await.assert_status(200);
    client.key = new;
    let attempt = attempt(&client, "www.example.org", "dns-persist-01").await;
    let body = attempt.outcome(&server, &client).await;
    assert_eq!(body["status"], "valid", "{body}");
}
