//! Profiles from outside: presets, faults with their place, versions, explanations, and what ACME and
//! REST make of the rules.

use domain::role::Role;
use pki::certificate::Certificate;
use pki::csr;
use pki::key::{KeyAlgorithm, LocalKey};
use pki::name::{DistinguishedName, GeneralName};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::csr_for;
use testkit::clock::days;

use crate::enroll::Api;

async fn put(api: &Api, name: &str, rules: Value) -> crate::enroll::Answer {
    let path = format!("/api/v1/profiles/{name}");
    api.call(Method::PUT, &path, Some(rules)).await
}

async fn preset(api: &Api, name: &str) -> Value {
    let presets = api.get("/api/v1/profile-presets").await;
    let items = presets["items"].as_array().unwrap();
    let found = items.iter().find(|preset| preset["name"] == name);
    found.unwrap()["rules"].clone()
}

async fn explain(api: &Api, profile: &str, asked: Value) -> Value {
    let path = format!("/api/v1/profiles/{profile}/explain");
    api.post(&path, asked).await.expect(200)
}

fn outcome<'a>(explanation: &'a Value, rule: &str) -> &'a str {
    let steps = explanation["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["rule"] == rule);
    step.unwrap_or_else(|| panic!("no step {rule}: {explanation}"))["outcome"]
        .as_str()
        .unwrap()
}

fn failed(explanation: &Value) -> Vec<&str> {
    let steps = explanation["steps"].as_array().unwrap();
    steps
        .iter()
        .filter(|step| step["outcome"] == "failed")
        .map(|step| step["rule"].as_str().unwrap())
        .collect()
}

fn csr_pem(subject: &str, names: &[GeneralName], algorithm: KeyAlgorithm) -> String {
    let key = LocalKey::generate(algorithm).unwrap();
    let subject: DistinguishedName = subject.parse().unwrap();
    let der = csr::build(&subject, names, &[], &key).unwrap();
    pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &der)
}

fn leaf(body: &Value) -> Certificate {
    let pem = body["chain"].as_str().unwrap();
    let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
    Certificate::from_der(&chain[0]).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_preset_works_at_once() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    let dns = |name: &str| GeneralName::Dns(name.to_owned());
    let email = GeneralName::Email("jane@example.org".to_owned());
    let uri = GeneralName::Uri("spiffe://example.org/press".to_owned());
    let cases = [
        ("tls-server", "", vec![dns("a.example.org")]),
        ("tls-server-public", "", vec![dns("b.example.org")]),
        ("tls-client", "", vec![dns("c.example.org")]),
        ("smime", "CN=jane@example.org", vec![email]),
        ("code-signing", "CN=Example,O=Example,L=Bonn,C=DE", vec![]),
        ("device", "CN=press,serialNumber=1", vec![uri]),
        ("short-lived", "", vec![dns("d.example.org")]),
    ];
    for (name, subject, names) in cases {
        let rules = preset(&api, name).await;
        put(&api, name, rules).await.expect(200);
        let mut request = json!({
            "profile": name,
            "csr": csr_pem(subject, &names, KeyAlgorithm::EcP256),
        });
        if name == "code-signing" {
            let refused = api.post("/api/v1/enrollments", request.clone()).await;
            assert_eq!(refused.expect(422)["violations"][0]["rule"], "key.evidence");
            request["key_evidence"] = json!({ "kind": "attestation", "reference": "report 1" });
        }
        let issued = api.post("/api/v1/enrollments", request).await.expect(201);
        let certificate = leaf(&issued);
        assert_eq!(certificate.names, names, "{name}");
        assert_eq!(
            certificate.subject.to_string().contains("O=Example"),
            name == "code-signing"
        );
        assert!(
            issued["profile_version"]
                .as_u64()
                .is_some_and(|version| version >= 1)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_are_refused_when_they_are_saved_with_their_place() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::PolicyAuthor).await;
    let mut rules = preset(&api, "tls-server").await;
    rules["names"]["allow"] = json!([".example.org", "dns:/ab(c/"]);
    rules["names"]["deny"] = json!(["192.0.2.0/40"]);
    rules["expressions"] = json!([{ "expression": "team == 'a' && tema == 'b'", "message": "no" }]);
    rules["subject"] = json!({ "attributes": [
        { "attribute": "O", "presence": "required", "pattern": "[a-" },
    ]});
    rules["extensions"] = json!([{ "oid": "2.5.29.19", "value": "DER:30030101ff" }]);
    let refused = put(&api, "faulty", rules).await.expect(400);
    let faults: Vec<&str> = refused["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault.as_str().unwrap())
        .collect();
    for place in [
        "names.allow[1] (character 8)",
        "names.deny[0]",
        "expressions[0].expression (character 16)",
        "subject.attributes[0].pattern",
        "extensions[0]",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(place)),
            "{place}: {faults:?}"
        );
    }
    let missing = api.call(Method::GET, "/api/v1/profiles/faulty", None).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_explanation_says_what_enrollment_then_does() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    let mut rules = preset(&api, "tls-server").await;
    rules["names"]["allow"] = json!([".example.org", "192.0.2.0/24"]);
    rules["names"]["wildcards"] = json!(false);
    rules["expressions"] = json!([{
        "expression": "validity_days <= 30 || key.kind == 'p-384'",
        "message": "longer than 30 days needs a P-384 key",
    }]);
    put(&api, "strict", rules).await.expect(200);
    let dns = |name: &str| GeneralName::Dns(name.to_owned());
    for (names, algorithm, seconds) in [
        (vec![dns("a.example.org")], KeyAlgorithm::EcP384, None),
        (vec![dns("a.example.org")], KeyAlgorithm::EcP256, None),
        (
            vec![dns("a.example.org")],
            KeyAlgorithm::EcP256,
            Some(86_400),
        ),
        (vec![dns("*.example.org")], KeyAlgorithm::EcP384, None),
        (
            vec![dns("www.example.com"), dns("b.example.org")],
            KeyAlgorithm::EcP256,
            Some(60),
        ),
        (
            vec![dns("c.example.org")],
            KeyAlgorithm::EcP384,
            Some(400 * 86_400),
        ),
        (vec![], KeyAlgorithm::EcP384, None),
    ] {
        let csr = csr_pem("", &names, algorithm);
        let mut asked = json!({ "csr": csr });
        if let Some(seconds) = seconds {
            asked["validity_seconds"] = json!(seconds);
        }
        let before = api.get("/api/v1/audit").await;
        let said = explain(&api, "strict", asked.clone()).await;
        assert_eq!(api.get("/api/v1/audit").await, before, "nothing is written");
        asked["profile"] = json!("strict");
        let done = api.post("/api/v1/enrollments", asked).await;
        match said["verdict"].as_str().unwrap() {
            "approved" => {
                let issued = leaf(&done.expect(201));
                let promised = &said["certificate"];
                assert_eq!(promised["not_after"], json!(issued.not_after));
                assert_eq!(promised["crl_urls"], json!(issued.crl_urls));
                assert_eq!(promised["subject"], issued.subject.to_string());
            }
            "rejected" => {
                let refused = done.expect(422);
                let broken: Vec<&str> = refused["violations"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|violation| violation["rule"].as_str().unwrap())
                    .collect();
                assert_eq!(failed(&said), broken, "{said}");
            }
            other => panic!("{other}: {said}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_alone_are_explained_with_an_assumed_key() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Auditor).await;
    let said = explain(
        &api,
        "default",
        json!({ "names": ["WWW.example.org", "192.0.2.7"] }),
    )
    .await;
    assert_eq!(said["verdict"], "approved", "{said}");
    assert_eq!(outcome(&said, "key"), "not-applicable");
    assert_eq!(said["issuer"], "issuing");
    assert_eq!(
        said["certificate"]["names"],
        json!(["www.example.org", "192.0.2.7"])
    );
    let said = explain(&api, "default", json!({ "names": ["jane@example.org"] })).await;
    assert_eq!(failed(&said), ["names.type"], "{said}");
    let bad = json!({ "names": ["a_b.example.org"] });
    api.post("/api/v1/profiles/default/explain", bad)
        .await
        .expect(400);
    api.post("/api/v1/profiles/none/explain", json!({}))
        .await
        .expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_are_kept_compared_and_put_back() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    let first = api.get("/api/v1/profiles/default").await;
    let mut rules = first["rules"].clone();
    rules["validity_seconds"] = json!(86_400);
    rules["names"]["allow"] = json!([".example.org"]);
    put(&api, "default", rules).await.expect(200);
    let newest = first["version"].as_u64().unwrap() + 1;
    let list = api.get("/api/v1/profiles/default/versions?limit=1").await;
    assert_eq!(list["items"][0]["version"], newest);
    assert_eq!(list["next"], newest.to_string());
    let path = format!("/api/v1/profiles/default/versions/{newest}/changes");
    let changes = api.get(&path).await;
    let paths: Vec<&str> = changes["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["names.allow[0]", "validity_seconds"], "{changes}");
    let old = api.get("/api/v1/profiles/default/versions/1").await;
    put(&api, "default", old["rules"].clone()).await.expect(200);
    let back = api.get("/api/v1/profiles/default").await;
    assert_eq!(
        (&back["rules"], &back["version"]),
        (&old["rules"], &json!(newest + 1))
    );
    let audit = api.get("/api/v1/audit?name=profile.changed").await;
    let changed = &audit["items"][0]["data"]["changes"];
    assert!(
        changed.as_array().is_some_and(|list| list.len() == 2),
        "{audit}"
    );
    api.call(Method::GET, "/api/v1/profiles/default/versions/99", None)
        .await
        .expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acme_offers_only_the_challenges_that_the_profile_accepts() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    let mut rules = api.get("/api/v1/profiles/default").await["rules"].clone();
    rules["challenges"] = json!(["dns-01"]);
    put(&api, "default", rules).await.expect(200);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let client = server.registered_client().await;
    let order = client.new_order(&["www.example.org"]).await;
    let url = order.json()["authorizations"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let authorization = client.get(&url).await.json();
    let kinds: Vec<&str> = authorization["challenges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|challenge| challenge["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["dns-01"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_renewal_window_of_the_profile_is_what_ari_says() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    let client = server.registered_client().await;
    client.issue(&server, &["ari.example.org"]).await;
    let mut rules = api.get("/api/v1/profiles/default").await["rules"].clone();
    rules["renewal"] = json!({ "begin_percent": 10, "end_percent": 20 });
    put(&api, "default", rules).await.expect(200);
    let found = api.get("/api/v1/certificates?name=ari.example.org").await;
    let certificate = &found["items"][0];
    let at = |member: &Value| -> pki::time::Timestamp { member.as_str().unwrap().parse().unwrap() };
    let begin = at(&certificate["not_before"]);
    let start = at(&certificate["renewal"]["start"]);
    // The last second of a lifetime belongs to it, so a tenth of it is a little less than nine days.
    assert_eq!(start.since(begin).as_secs().div_ceil(86_400), 9);
    server.clock.advance(days(10));
    let found = api.get("/api/v1/certificates?name=ari.example.org").await;
    assert_eq!(found["items"][0]["renewal"]["due"], true);
}

/// I6: the cap of the CA/Browser Forum holds from the first second of its day.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i06_the_cap_of_the_forum_switches_at_midnight() {
    let clock = testkit::MockClock::at("2027-03-14T23:59:30Z".parse().unwrap());
    let server = TestServer::start_at(clock.clone(), "").await;
    let api = Api::of(&server, Role::Administrator).await;
    let rules = preset(&api, "tls-server-public").await;
    put(&api, "public", rules).await.expect(200);
    for expected in [200, 100] {
        let name = format!("cap-{expected}.example.org");
        let csr = csr_pem("", &[GeneralName::Dns(name)], KeyAlgorithm::EcP256);
        let request = json!({ "profile": "public", "csr": csr });
        let issued = leaf(&api.post("/api/v1/enrollments", request).await.expect(201));
        let life = issued.not_after.since(issued.not_before).as_secs() + 1;
        assert_eq!(life, expected * 86_400);
        clock.advance(std::time::Duration::from_secs(30));
    }
}

/// A key that was certified once is not certified again where the profile wants a new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_with_the_old_key_is_refused_where_the_profile_wants_a_new_one() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    let mut rules = preset(&api, "tls-server").await;
    rules["new_key"] = json!(true);
    put(&api, "fresh", rules).await.expect(200);
    let csr = csr_pem(
        "",
        &[GeneralName::Dns("k.example.org".into())],
        KeyAlgorithm::EcP256,
    );
    let request = json!({ "profile": "fresh", "csr": csr });
    api.post("/api/v1/enrollments", request.clone())
        .await
        .expect(201);
    let refused = api.post("/api/v1/enrollments", request).await.expect(422);
    assert_eq!(refused["violations"][0]["rule"], "key.new");
    assert!(refused["violations"][0]["fix"].is_string());
}

/// A4: who writes profiles cannot make a CA of anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a04_a_policy_author_cannot_make_a_ca_or_a_responder() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::PolicyAuthor).await;
    for (member, value) in [
        ("key_usage", json!(["digitalSignature", "keyCertSign"])),
        ("extended_key_usage", json!(["serverAuth", "OCSPSigning"])),
        (
            "extensions",
            json!([{ "oid": "2.5.29.19", "critical": true, "value": "DER:30030101ff" }]),
        ),
        ("issuers", json!([{ "issuer": "no-such-ca", "weight": 1 }])),
    ] {
        let mut rules = preset(&api, "tls-server").await;
        rules[member] = value;
        let refused = put(&api, "sub-ca", rules).await.expect(400);
        assert!(
            refused["faults"][0].as_str().unwrap().starts_with(member),
            "{refused}"
        );
    }
    // Neither may a policy author have anything issued.
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let der = csr_for(&["x.example.org"], &key);
    let csr = pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &der);
    let request = json!({ "profile": "default", "csr": csr });
    api.post("/api/v1/enrollments", request).await.expect(403);
}
