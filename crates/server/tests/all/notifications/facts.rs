//! Whatever happens to a certificate or a request for one, its event says whose it is, what it is for,
//! who signs it and what is known of it: rules choose by that.

use std::sync::Arc;
use std::time::Duration;

use domain::certificate::Chain;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::acme::csr_for;
use testkit::issuer::Behaviour;
use testkit::receiver::Receiver;
use testkit::{IssuerDouble, TestServer};

use super::Api;

const TOLD: [&str; 12] = [
    "approval.cancelled",
    "certificate.issued",
    "certificate.metadata_changed",
    "certificate.revoked",
    "certificate.transferred",
    "enrollment.awaiting_approval",
    "enrollment.cancelled",
    "enrollment.failed",
    "enrollment.key_fetched",
    "enrollment.rejected",
    "enrollment.requested",
    "profile.transferred",
];

struct Shop {
    server: TestServer,
    issuers: IssuerDouble,
    api: Api,
}

impl Shop {
    async fn open() -> Self {
        let issuers = IssuerDouble::default();
        let server = TestServer::start_with_issuers(&issuers).await;
        let api = Api::of(&server).await;
        let shop = Self {
            server,
            issuers,
            api,
        };
        shop.put("teams/web", json!({})).await;
        shop.put("metadata-fields/code", json!({ "kind": "string" }))
            .await;
        shop
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.api.call(&self.server, method, path, Some(body)).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    async fn put(&self, path: &str, body: Value) -> Value {
        self.call(Method::PUT, path, body).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, body).await
    }

    /// Asks for a certificate with a key that is made by the server, for the team where there is one.
    fn request(name: &str, team: Option<&str>) -> Value {
        json!({
            "profile": "default", "team": team, "metadata": { "code": "4711" },
            "key": { "algorithm": "p-256" },
            "identifiers": [{ "type": "dns", "value": name }],
        })
    }

    async fn enroll(&self, name: &str, team: Option<&str>) -> Value {
        self.post("enrollments", Self::request(name, team)).await
    }

    async fn change_profile(&self, change: impl FnOnce(&mut Value)) {
        let mut rules = self.api.get(&self.server, "profiles/default").await["rules"].take();
        change(&mut rules);
        self.put("profiles/default", rules).await;
        // Longer than any node remembers a profile.
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }

    /// A receiver of all events that fit a condition.
    async fn listen(&self, name: &str, condition: Value) -> Receiver {
        let receiver = Receiver::start().await;
        self.api
            .subscribe(&self.server, name, &receiver, &["*"])
            .await;
        let mut rule = json!({ "channels": [name], "events": ["*"] });
        let members = condition.as_object().unwrap().clone();
        rule.as_object_mut().unwrap().extend(members);
        self.put(&format!("notification-rules/{name}"), rule).await;
        receiver
    }

    async fn do_everything(&self) {
        let issued = self.enroll("one.example.org", Some("web")).await;
        let key = format!("enrollments/{}/key", id(&issued["id"]));
        self.post(&key, json!({ "format": "pkcs8" })).await;
        let certificate = format!("certificates/{}", id(&issued["certificate"]));
        self.call(
            Method::PATCH,
            &format!("{certificate}/metadata"),
            json!({ "metadata": { "code": "4712" } }),
        )
        .await;
        let reason = json!({ "reason": "superseded" });
        self.post(&format!("{certificate}/revoke"), reason).await;
        let given = self.enroll("given.example.org", None).await;
        let given = format!("certificates/{}/owner", id(&given["certificate"]));
        self.put(&given, json!({ "team": "web" })).await;
        let owner = json!({ "team": "web" });
        self.put("profiles/default/owner", owner).await;
        self.issuers
            .does(Behaviour::Lie(Arc::new(|_, _| Chain::new(vec![]))));
        let lie = Self::request("lie.example.org", Some("web"));
        self.api
            .call(&self.server, Method::POST, "enrollments", Some(lie))
            .await;
        self.issuers.does(Behaviour::Honest);
        self.change_profile(|rules| {
            rules["names"]["deny"] = json!(["never.example.org"]);
            rules["approval"] = json!({ "stages": [{
                "approvals": 1, "approvers": [{ "kind": "role", "role": "approver" }],
            }] });
        })
        .await;
        let never = Self::request("never.example.org", Some("web"));
        let (status, refused) = self
            .api
            .call(&self.server, Method::POST, "enrollments", Some(never))
            .await;
        assert_eq!(status, 422, "{refused}");
        let waits = self.enroll("waits.example.org", Some("web")).await;
        let path = format!("enrollments/{}/cancel", id(&waits["id"]));
        self.post(&path, json!({ "reason": "typo" })).await;
    }
}

fn id(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_by_team_profile_and_issuer_miss_no_event_and_each_carries_the_metadata() {
    let shop = Shop::open().await;
    let by_team = shop.listen("team", json!({ "teams": ["web"] })).await;
    let by_profile = shop
        .listen("profile", json!({ "profiles": ["default"] }))
        .await;
    let by_issuer = shop
        .listen("issuer", json!({ "issuers": ["issuing"] }))
        .await;
    shop.do_everything().await;
    let has = |receiver: &Receiver, wanted: &str| receiver.names().iter().any(|n| n == wanted);
    shop.server
        .run_jobs_until(async || {
            TOLD.iter().all(|name| has(&by_team, name))
                && TOLD.iter().all(|name| has(&by_profile, name))
                && TOLD
                    .iter()
                    .all(|name| *name == "profile.transferred" || has(&by_issuer, name))
        })
        .await;
    for post in by_team.posts() {
        let event = post.json();
        let (name, data) = (id(&event["name"]), &event["data"]);
        assert_eq!(data["team_name"], "web", "{event}");
        assert!(id(&data["team"]).starts_with("team_"), "{event}");
        if TOLD.contains(&name) && name != "profile.transferred" {
            assert_eq!(data["profile"], "default", "{event}");
            assert_eq!(data["issuer"], "issuing", "{event}");
            let code = id(&data["metadata"]["code"]);
            assert!(code.starts_with("471"), "{event}");
            assert!(id(&data["names"][0]).ends_with(".example.org"), "{event}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_acme_asked_for_is_told_by_team_as_well_and_of_other_teams_nothing_is() {
    let shop = Shop::open().await;
    shop.put("teams/mail", json!({})).await;
    shop.put("acme/directories/default/owner", json!({ "team": "web" }))
        .await;
    let web = shop.listen("web", json!({ "teams": ["web"] })).await;
    let mail = shop.listen("mail", json!({ "teams": ["mail"] })).await;
    let client = shop.server.registered_client().await;
    let issued = client.issue(&shop.server, &["acme.example.org"]).await;
    crate::pki_frontend::revoke(&client, &issued).await;
    shop.enroll("mail.example.org", Some("mail")).await;
    shop.server
        .run_jobs_until(async || {
            web.names().iter().any(|name| name == "certificate.revoked")
                && mail.names().iter().any(|name| name == "certificate.issued")
        })
        .await;
    let told = |receiver: &Receiver| {
        let names = receiver.posts().into_iter().map(|post| {
            let names = post.json()["data"]["names"][0].clone();
            names.as_str().unwrap_or_default().to_owned()
        });
        names.filter(|name| !name.is_empty()).collect::<Vec<_>>()
    };
    assert!(told(&web).iter().all(|name| name == "acme.example.org"));
    assert!(told(&mail).iter().all(|name| name == "mail.example.org"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_program_asked_for_with_a_token_is_silent_until_its_window_has_passed() {
    let shop = Shop::open().await;
    shop.change_profile(|rules| rules["validity_seconds"] = json!(100 * 24 * 3600))
        .await;
    let receiver = Receiver::start().await;
    let notices = ["certificate.expiring", "renewal.overdue"];
    shop.api
        .subscribe(&shop.server, "hook", &receiver, &notices)
        .await;
    let key = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::EcP256).unwrap();
    let csr = pki::pem::encode(
        pki::pem::CERTIFICATE_REQUEST,
        &csr_for(&["renewed.example.org"], &key),
    );
    let request = json!({ "profile": "default", "csr": csr });
    shop.post("enrollments", request).await;
    for day in 0..73 {
        if day == 70 {
            // The first threshold is 33 per cent, on day 67.
            super::settle(&shop.server).await;
            assert_eq!(receiver.names(), [] as [&str; 0]);
        }
        shop.server.clock.advance(Duration::from_secs(24 * 3600));
        shop.server.run_jobs().await;
    }
    super::received(&shop.server, &receiver, 1).await;
    assert_eq!(receiver.names(), ["renewal.overdue"]);
}
