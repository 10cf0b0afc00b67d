//! Solvers whose services are not to be had here, against stand-ins made from their documentation: what
//! is put into the zone, and that it is gone afterwards. The CA asks elsewhere, so every order fails.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use domain::role::Role;
use parking_lot::Mutex;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::service::{Asked, TestService, Told};

use super::Desk;
use super::pebble::{Habits, Pebble};
use crate::enroll::Api;

/// The TXT values of the one name there is, and everything that ever was among them.
#[derive(Clone, Default)]
struct Zone(Arc<Mutex<(Vec<String>, Vec<String>)>>);

impl Zone {
    fn put(&self, value: &str) {
        let mut zone = self.0.lock();
        zone.0.push(value.to_owned());
        zone.1.push(value.to_owned());
    }

    fn values(&self) -> Vec<String> {
        self.0.lock().0.clone()
    }

    fn ever(&self) -> usize {
        self.0.lock().1.len()
    }
}

async fn run(desk: &Desk, provider: Value, secrets: Value, name: &str) -> Value {
    let pebble = Pebble::start(Habits {
        http_port: 9,
        dns: desk.server.dns.address,
        nonces_refused: 5,
        sleep: 0,
    })
    .await;
    let solver = json!({"challenge": "dns-01", "provider": provider, "propagation_seconds": 0});
    desk.configure("acme", pebble.settings(solver), secrets)
        .await;
    let (passed, findings) = desk.test("acme").await;
    assert!(passed, "{findings:#?}");
    desk.route_widely_to("acme").await;
    let place = desk.ask(&[name]).await;
    let state = desk.settle(&place, 2).await;
    assert_eq!(state["status"], "failed", "{state}");
    let reason = state["reason"].as_str().unwrap();
    assert!(reason.contains("does not see control over"), "{reason}");
    state
}

fn powerdns(zone: &Zone, asked: &Asked) -> Told {
    if asked.headers["x-api-key"] != "key" {
        return Told::json(401, &json!({}));
    }
    let (path, _) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    match (asked.method.as_str(), path) {
        ("GET", "/api/v1/servers/localhost") => Told::json(200, &json!({"type": "Server"})),
        ("GET", "/api/v1/servers/localhost/zones/example.org.") => {
            let record = |value: &String| json!({"content": value, "disabled": false});
            let records: Vec<Value> = zone.values().iter().map(record).collect();
            let set = json!({
                "name": "_acme-challenge.p.example.org.", "type": "TXT", "records": records,
            });
            Told::json(200, &json!({"rrsets": [set]}))
        }
        ("PATCH", "/api/v1/servers/localhost/zones/example.org.") => {
            let body: Value = serde_json::from_slice(&asked.body).unwrap();
            let set = &body["rrsets"][0];
            assert_eq!(set["name"], "_acme-challenge.p.example.org.");
            let kept: Vec<String> = match set["records"].as_array() {
                Some(records) => records
                    .iter()
                    .map(|record| record["content"].as_str().unwrap().to_owned())
                    .collect(),
                None => Vec::new(),
            };
            let mut held = zone.0.lock();
            held.1
                .extend(kept.iter().filter(|value| **value != "\"else\"").cloned());
            held.0 = kept;
            Told::new(204, "application/json", "")
        }
        _ => Told::json(404, &json!({"error": "Not Found"})),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn powerdns_keeps_what_others_wrote_beside_the_proof() {
    let desk = Desk::start().await;
    let zone = Zone::default();
    zone.0.lock().0.push("\"else\"".to_owned());
    let shared = zone.clone();
    let handler = Arc::new(move |asked: Asked| powerdns(&shared, &asked));
    let service = TestService::start(None, handler).await;
    let provider = json!({
        "type": "power-dns", "url": service.url(), "trust_anchors": service.certificate,
    });
    run(&desk, provider, json!({"api_key": "key"}), "p.example.org").await;
    assert_eq!(zone.ever(), 1);
    assert_eq!(zone.values(), ["\"else\""]);
}

fn cloudflare(zone: &Zone, asked: &Asked) -> Told {
    assert_eq!(asked.headers["authorization"], "Bearer token");
    let done = |result: Value| Told::json(200, &json!({"success": true, "result": result}));
    let own = json!([{"id": "z1", "name": "example.org"}]);
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/zones?per_page=5" | "/zones?name=example.org") => done(own),
        ("GET", path) if path.starts_with("/zones?") => done(json!([])),
        ("POST", "/zones/z1/dns_records") => {
            let body: Value = serde_json::from_slice(&asked.body).unwrap();
            assert_eq!(body["name"], "_acme-challenge.c.example.org");
            zone.put(body["content"].as_str().unwrap());
            done(json!({"id": "r1"}))
        }
        ("GET", _) => {
            let values = zone.values();
            let records = values
                .iter()
                .map(|value| json!({"id": "r1", "content": value}));
            done(records.collect())
        }
        ("DELETE", "/zones/z1/dns_records/r1") => {
            zone.0.lock().0.clear();
            done(json!({"id": "r1"}))
        }
        _ => Told::json(404, &json!({"success": false, "errors": []})),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cloudflare_gets_a_record_in_the_nearest_zone_and_loses_it_again() {
    let desk = Desk::start().await;
    let zone = Zone::default();
    let shared = zone.clone();
    let handler = Arc::new(move |asked: Asked| cloudflare(&shared, &asked));
    let service = TestService::start_plain(handler).await;
    let provider = json!({"type": "cloudflare", "url": service.url()});
    run(
        &desk,
        provider,
        json!({"api_key": "token"}),
        "c.example.org",
    )
    .await;
    assert_eq!(zone.ever(), 1);
    assert!(zone.values().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acme_dns_is_told_at_the_end_of_the_alias() {
    let desk = Desk::start().await;
    let zone = Zone::default();
    let shared = zone.clone();
    let handler = Arc::new(move |asked: Asked| match asked.path.as_str() {
        "/health" => Told::json(200, &json!({})),
        _ => {
            let body: Value = serde_json::from_slice(&asked.body).unwrap();
            let known =
                asked.headers["x-api-user"] == "user" && asked.headers["x-api-key"] == "pass";
            assert!(known && body["subdomain"] == "d420c923");
            shared.put(body["txt"].as_str().unwrap());
            Told::json(200, &json!({"txt": body["txt"]}))
        }
    });
    let service = TestService::start_plain(handler).await;
    desk.server
        .dns
        .set_cname("_acme-challenge.d.example.org", "d420c923.auth.example.org");
    let provider = json!({
        "type": "acme-dns", "url": service.url(), "username": "user", "subdomain": "d420c923",
    });
    run(
        &desk,
        provider,
        json!({"password": "pass"}),
        "d.example.org",
    )
    .await;
    assert_eq!(zone.ever(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_of_the_operators_puts_records_and_takes_them_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let script = folder.path().join("dns-hook");
    let text = format!("#!/bin/sh\ncat >> {path}/told\necho >> {path}/told\nenv > {path}/env\n");
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let server = TestServer::start_with(&format!("[ca]\ncommand_directory = \"{path}\"\n")).await;
    let api = Api::of(&server, Role::Administrator).await;
    let desk = Desk { server, api };
    let provider = json!({"type": "command", "program": "dns-hook"});
    run(&desk, provider, json!({}), "x.example.org").await;
    let told = std::fs::read_to_string(folder.path().join("told")).unwrap();
    let told: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let actions: Vec<&str> = told
        .iter()
        .map(|one| one["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["check", "put", "remove"]);
    assert_eq!(told[1]["name"], "_acme-challenge.x.example.org");
    assert_eq!(told[1]["value"], told[2]["value"]);
    // Of this server's surroundings it is told nothing.
    let environment = std::fs::read_to_string(folder.path().join("env")).unwrap();
    assert!(!environment.contains("CARGO"), "{environment}");
}
