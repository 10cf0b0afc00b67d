//! From one CA to another: ten thousand certificates, simulated clients, waves, a stop, a rollback.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::certificate::{InventoryCertificate, Origin};
use domain::id::{AccountId, CertificateId, IssuerId};
use pki::ari::CertId;
use pki::fingerprint::Fingerprint;
use pki::random::SystemRandom;
use pki::serial::Serial;
use pki::time::Timestamp;
use serde_json::{Value, json};
use store::StoreError;
use testkit::TestServer;
use testkit::vault::{TOKEN, TestVault};

use super::{administrator, create, events, route_to};
use crate::enroll::Api;

const DAY: u64 = 24 * 60 * 60;
const AUTHORITY: [u8; 20] = [7; 20];

/// Clients with a certificate each, who ask when to renew, and do.
struct Fleet {
    waiting: Vec<InventoryCertificate>,
    renewed: usize,
}

fn certificate(n: usize, issuer: &IssuerId, now: Timestamp) -> InventoryCertificate {
    let random = SystemRandom::new();
    let serial = Serial::random(&random);
    let der = format!("certificate {n} {serial}").into_bytes();
    InventoryCertificate {
        id: CertificateId::mint(now, &random),
        fingerprint: Fingerprint::of(&der),
        issuer_id: Some(issuer.clone()),
        issuer_name: "CN=Old".to_owned(),
        subject: String::new(),
        names: vec![format!("h{n}.example.org")],
        not_before: now - Duration::from_secs(DAY),
        not_after: now + Duration::from_secs(80 * DAY),
        key_kind: "p-256".to_owned(),
        is_weak: false,
        spki_sha256: std::array::from_fn(|place| {
            let octets = serial.as_be_octets();
            octets.get(place).copied().unwrap_or_default()
        }),
        authority_key_identifier: AUTHORITY.to_vec(),
        der,
        chain_id: None,
        origin: Origin::Issued,
        enrollment_id: None,
        profile_id: None,
        profile_version: None,
        account_id: Some(AccountId::mint(now, &random)),
        directory_id: None,
        replaces: None,
        replaced_by: None,
        metadata: BTreeMap::new(),
        revocation: None,
        team_id: None,
        created_at: now,
        serial,
    }
}

async fn insert(server: &TestServer, certificates: &[InventoryCertificate]) {
    for some in certificates.chunks(1_000) {
        let some = some.to_vec();
        server
            .store()
            .write("test.fleet", move |tx| {
                Box::pin(async move {
                    for certificate in &some {
                        tx.insert_certificate(certificate).await?;
                        if let Some(replaced) = &certificate.replaces {
                            tx.set_replaced_by(replaced, &certificate.id).await?;
                        }
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .unwrap();
    }
}

impl Fleet {
    async fn new(server: &TestServer, issuer: &IssuerId, size: usize) -> Self {
        let now = server.lifecycle().now();
        let certificates: Vec<_> = (0..size).map(|n| certificate(n, issuer, now)).collect();
        insert(server, &certificates).await;
        Self {
            waiting: certificates,
            renewed: 0,
        }
    }

    /// Everyone asks; those who are told to renew now do, but for one of `failing`. Says how many were told.
    async fn ask(&mut self, server: &TestServer, to: &IssuerId, failing: Option<usize>) -> usize {
        let now = server.lifecycle().now();
        let (mut fresh, mut kept, mut told) = (Vec::new(), Vec::new(), 0);
        for old in self.waiting.drain(..) {
            let id = CertId {
                key_identifier: AUTHORITY.to_vec(),
                serial: old.serial.clone(),
            };
            let window = server
                .lifecycle()
                .renewal_window(&id)
                .await
                .unwrap()
                .unwrap();
            if window.start > now {
                kept.push(old);
                continue;
            }
            told += 1;
            if failing.is_some_and(|one_of| told % one_of == 0) {
                kept.push(old);
                continue;
            }
            fresh.push(InventoryCertificate {
                replaces: Some(old.id.clone()),
                ..certificate(self.renewed, to, now)
            });
            self.renewed += 1;
        }
        insert(server, &fresh).await;
        self.waiting = kept;
        told
    }
}

struct Move {
    server: TestServer,
    api: Api,
    from: IssuerId,
    to: IssuerId,
    _vaults: [TestVault; 2],
}

impl Move {
    async fn start() -> Self {
        let server = TestServer::start().await;
        let api = administrator(&server).await;
        let vaults = [TestVault::start().await, TestVault::start().await];
        let mut ids = Vec::new();
        for (name, vault) in ["old", "new"].iter().zip(&vaults) {
            let settings = json!({ "url": vault.url(), "role": "web" });
            let made = create(&api, name, "vault", settings, json!({ "token": TOKEN })).await;
            let made = made.expect(201);
            ids.push(made["id"].as_str().unwrap().parse::<IssuerId>().unwrap());
        }
        route_to(&api, json!([{ "issuer": "old", "weight": 3 }])).await;
        let [from, to]: [IssuerId; 2] = ids.try_into().unwrap();
        Self {
            server,
            api,
            from,
            to,
            _vaults: vaults,
        }
    }

    async fn until(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        self.server
            .run_jobs_until(async || done(&self.api.get(path).await))
            .await;
        self.api.get(path).await
    }

    async fn routes(&self) -> Value {
        self.api.get("/api/v1/profiles/default").await["rules"]["issuers"].clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_certificates_move_in_waves_that_stop_on_failure_and_roll_back() {
    let moved = Move::start().await;
    let (server, api) = (&moved.server, &moved.api);
    let mut fleet = Fleet::new(server, &moved.from, 10_000).await;
    let now = server.lifecycle().now();
    let mut pinned = certificate(20_001, &moved.from, now);
    pinned
        .metadata
        .insert("pinned".to_owned(), "true".to_owned());
    let mut by_hand = certificate(20_002, &moved.from, now);
    by_hand.account_id = None;
    insert(server, &[pinned, by_hand]).await;

    let wish = json!({
        "from": "old", "to": "new", "wave_size": 2500, "wave_seconds": DAY, "stop_above_percent": 5,
    });
    let plan = api
        .post("/api/v1/issuer-migrations/plan", wish.clone())
        .await;
    let plan = plan.expect(200);
    let readiness = json!({ "automatic": 10_000, "person": 1, "pinned": 1 });
    assert_eq!(plan["readiness"], readiness, "{plan}");
    assert_eq!(
        (&plan["waves"], &plan["profiles"]),
        (&json!(4), &json!(["default"]))
    );
    assert_eq!(
        moved.routes().await[0]["issuer"],
        "old",
        "a plan changes nothing"
    );

    let begun = api
        .post("/api/v1/issuer-migrations", wish.clone())
        .await
        .expect(201);
    let path = format!(
        "/api/v1/issuer-migrations/{}",
        begun["id"].as_str().unwrap()
    );
    api.post("/api/v1/issuer-migrations", wish)
        .await
        .expect(409);
    moved.until(&path, |view| view["wave"] == 1).await;
    assert_eq!(
        moved.routes().await,
        json!([{ "issuer": "new", "weight": 3 }])
    );

    // The first wave goes well; the second begins without waiting for the end of the day.
    assert_eq!(fleet.ask(server, &moved.to, None).await, 2500);
    server.clock.advance(Duration::from_secs(6 * 3600));
    moved.until(&path, |view| view["wave"] == 2).await;
    // One in ten of the second fails: everything stops.
    assert_eq!(fleet.ask(server, &moved.to, Some(10)).await, 2500);
    server.clock.advance(Duration::from_secs(DAY + 60));
    let stopped = moved.until(&path, |view| view["state"] == "paused").await;
    assert_eq!(stopped["wave_progress"]["late"], 250, "{stopped}");
    assert!(
        stopped["reason"]
            .as_str()
            .unwrap()
            .contains("250 of the 2500"),
        "{stopped}"
    );
    assert_eq!(events(api, "issuer_migration.stopped").await.len(), 1);
    server.clock.advance(Duration::from_secs(DAY));
    server.run_jobs().await;
    assert_eq!(
        api.get(&path).await["wave"],
        2,
        "nothing new is pulled forward"
    );

    // Somebody looks at it and goes on; then it is all taken back.
    api.post(&format!("{path}/resume"), json!({}))
        .await
        .expect(200);
    moved.until(&path, |view| view["wave"] == 3).await;
    api.post(&format!("{path}/rollback"), json!({}))
        .await
        .expect(200);
    let over = moved
        .until(&path, |view| view["state"] == "rolled-back")
        .await;
    assert_eq!(
        moved.routes().await,
        json!([{ "issuer": "old", "weight": 3 }])
    );
    assert_eq!(
        fleet.ask(server, &moved.to, None).await,
        0,
        "nobody is told to renew any more"
    );
    let progress = &over["progress"];
    assert_eq!(
        (&progress["renewed"], &progress["left"]),
        (&json!(4750), &json!(5252)),
        "{over}"
    );
    api.post(&format!("{path}/resume"), json!({}))
        .await
        .expect(409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_ends_with_a_report_of_what_is_left_to_people() {
    let moved = Move::start().await;
    let (server, api) = (&moved.server, &moved.api);
    let mut fleet = Fleet::new(server, &moved.from, 30).await;
    let mut by_hand = certificate(99, &moved.from, server.lifecycle().now());
    by_hand.account_id = None;
    insert(server, std::slice::from_ref(&by_hand)).await;
    let wish = json!({ "from": "old", "to": "new", "wave_size": 20 });
    let begun = api
        .post("/api/v1/issuer-migrations", wish)
        .await
        .expect(201);
    let path = format!(
        "/api/v1/issuer-migrations/{}",
        begun["id"].as_str().unwrap()
    );
    for wave in 1..=2 {
        moved.until(&path, |view| view["wave"] == wave).await;
        fleet.ask(server, &moved.to, None).await;
        server.clock.advance(Duration::from_secs(120));
    }
    let over = moved.until(&path, |view| view["state"] == "finished").await;
    assert_eq!(over["progress"]["renewed"], 30, "{over}");
    let left = api.get(&format!("{path}/items?state=left")).await;
    assert_eq!(left["items"][0]["certificate"], by_hand.id.to_string());
    assert_eq!(left["items"][0]["readiness"], "person");
    let items = api
        .get(&format!("{path}/items?state=renewed&limit=1"))
        .await;
    assert!(items["items"][0]["successor"].is_string(), "{items}");
    for (wish, status) in [
        (json!({ "from": "old", "to": "old" }), 400),
        (json!({ "from": "none", "to": "old" }), 400),
        (
            json!({ "from": "old", "to": "new", "wave_seconds": 5 }),
            400,
        ),
    ] {
        api.post("/api/v1/issuer-migrations/plan", wish)
            .await
            .expect(status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_old_issuer_signs_is_no_move_and_a_profile_that_names_it_stops_everything() {
    let moved = Move::start().await;
    let (server, api) = (&moved.server, &moved.api);
    let mut fleet = Fleet::new(server, &moved.from, 30).await;
    let wish = json!({ "from": "old", "to": "new", "wave_size": 20 });
    let begun = api.post("/api/v1/issuer-migrations", wish).await;
    let begun = begun.expect(201);
    let path = format!(
        "/api/v1/issuer-migrations/{}",
        begun["id"].as_str().unwrap()
    );
    moved.until(&path, |view| view["wave"] == 1).await;
    // Somebody routes the profile back, so everyone renews where they were.
    route_to(api, json!([{ "issuer": "old", "weight": 1 }])).await;
    assert_eq!(fleet.ask(server, &moved.from, None).await, 20);
    server.clock.advance(Duration::from_secs(90));
    let stopped = moved.until(&path, |view| view["state"] == "paused").await;
    let reason = stopped["reason"].as_str().unwrap();
    assert!(reason.contains("still name the old issuer"), "{reason}");
    assert!(reason.contains("`default`"), "{reason}");
    assert_eq!(stopped["progress"]["renewed"], 0, "{stopped}");
    // Going on is of no use before the profile is mended.
    let resume = format!("{path}/resume");
    api.post(&resume, json!({})).await.expect(200);
    moved.until(&path, |view| view["state"] == "paused").await;
    assert_eq!(api.get(&path).await["wave"], 1);

    route_to(api, json!([{ "issuer": "new", "weight": 1 }])).await;
    api.post(&resume, json!({})).await.expect(200);
    moved.until(&path, |view| view["wave"] == 2).await;
    assert_eq!(fleet.ask(server, &moved.to, None).await, 10);
    server.clock.advance(Duration::from_secs(6 * 3600));
    let over = moved.until(&path, |view| view["state"] == "finished").await;
    let progress = &over["progress"];
    assert_eq!(
        (&progress["renewed"], &progress["late"]),
        (&json!(10), &json!(20)),
        "{over}"
    );
}
