//! What a CA elsewhere publishes about revocations, and what waits for it: another server of ours is
//! the CA, its CRL and its OCSP responder stand behind a web server that can be made to fail.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::service::{Asked, TestService, Told};

use crate::est::support::{Est, Shows, csr};

/// Whose CRL and OCSP answers are at the addresses in the CA's certificates.
#[derive(Clone)]
enum Shown {
    Of(String),
    Nobody,
}

struct Watched {
    ca: Est,
    front: Est,
    shown: Arc<Mutex<Shown>>,
    /// Kept running.
    _web: TestService,
}

/// Passes a request on to whoever is shown.
fn pass_on(shown: &Mutex<Shown>, asked: Asked) -> Told {
    let Shown::Of(url) = shown.lock().clone() else {
        return Told::new(503, "text/plain", "down for repair");
    };
    let passing = async {
        let request = reqwest::Client::new()
            .request(asked.method, format!("{url}{}", asked.path))
            .header("content-type", "application/ocsp-request")
            .body(asked.body);
        let answer = request.send().await.unwrap();
        Told::new(
            answer.status().as_u16(),
            "application/octet-stream",
            answer.bytes().await.unwrap().to_vec(),
        )
    };
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(passing))
}

impl Watched {
    /// A CA and a server before it that has had a certificate of it.
    async fn start() -> Self {
        let shown = Arc::new(Mutex::new(Shown::Nobody));
        let behind = Arc::clone(&shown);
        let web = TestService::start_plain(Arc::new(move |asked| pass_on(&behind, asked))).await;
        let line = format!("pki_url = \"{}\"", web.url());
        let ca = Est::over(TestServer::start_with_server(&line).await).await;
        *shown.lock() = Shown::Of(ca.server.url());
        let front = Est::start().await;
        front.put_behind(&ca).await;
        let watched = Self {
            ca,
            front,
            shown,
            _web: web,
        };
        let (secret, _) = watched.front.password("behind", json!({})).await;
        let shows = Shows::Password("", &secret);
        let request = csr(&["host.example.org"]);
        let path = "behind/simpleenroll";
        watched
            .front
            .post(path, &request, shows)
            .await
            .certificate();
        watched
    }

    /// Lets time pass, and gives what the next look finds.
    async fn look(&self) -> Value {
        self.look_after(Duration::from_secs(16 * 60)).await
    }

    async fn look_after(&self, time: Duration) -> Value {
        look_after(&self.front, time).await
    }
}

async fn health(front: &Est) -> Value {
    let path = "issuers/upstream";
    front.operate(Method::GET, path, Value::Null).await["health"].clone()
}

async fn look_after(front: &Est, time: Duration) -> Value {
    front.server.clock.advance(time);
    let turned = domain::clock::Clock::now(&front.server.clock);
    let looked = async || {
        let at = health(front).await["checked_at"].clone();
        at.as_str().is_some_and(|at| {
            at.parse()
                .is_ok_and(|at: pki::time::Timestamp| at >= turned)
        })
    };
    front.server.run_jobs_until(looked).await;
    health(front).await
}

async fn told(front: &Est, name: &str) -> usize {
    let path = format!("audit?name={name}");
    let page = front.operate(Method::GET, &path, Value::Null).await;
    page["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn crl_and_ocsp_of_a_ca_elsewhere_are_found_by_its_certificates_and_judged() {
    let watched = Watched::start().await;
    let found = watched.look().await;
    assert_eq!(found["healthy"], true, "{found}");
    let places = found["published"].as_array().unwrap();
    let kinds: Vec<&Value> = places.iter().map(|place| &place["kind"]).collect();
    assert_eq!(kinds, ["crl", "ocsp"], "{found}");
    for place in places {
        assert!(place["fresh_until"].is_string(), "{found}");
        assert_eq!(place["problem"], Value::Null, "{found}");
    }
    let there = watched
        .ca
        .operate(Method::GET, "issuers/issuing", Value::Null);
    let number = there.await["crl"]["number"].to_string();
    assert_eq!(places[0]["number"], number, "{found}");

    // Another CA of the same name with another key.
    let other = TestServer::start().await;
    *watched.shown.lock() = Shown::Of(other.url());
    let found = watched.look().await;
    assert_eq!(found["healthy"], false);
    let text = found["findings"].to_string();
    assert!(text.contains("not signed by the CA's key"), "{text}");
    assert!(
        text.contains("the responder answers `unauthorized`"),
        "{text}"
    );
    assert_eq!(told(&watched.front, "issuer.unhealthy").await, 1);
    watched.look().await;
    assert_eq!(told(&watched.front, "issuer.unhealthy").await, 1);
    assert_eq!(told(&watched.front, "issuer.recovered").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_reached_is_a_fault_from_the_second_look_on() {
    let watched = Watched::start().await;
    *watched.shown.lock() = Shown::Nobody;
    let found = watched.look().await;
    assert_eq!(found["healthy"], true, "{found}");
    assert_eq!(found["findings"][0]["outcome"], "warning", "{found}");
    let since = found["published"][0]["unreached_since"].clone();
    let found = watched.look().await;
    assert_eq!(found["healthy"], false, "{found}");
    assert_eq!(found["published"][0]["unreached_since"], since);
    let text = found["findings"].to_string();
    assert!(
        text.contains("is not reached since") && text.contains("503"),
        "{text}"
    );
    *watched.shown.lock() = Shown::Of(watched.ca.server.url());
    let found = watched.look().await;
    assert_eq!(found["healthy"], true, "{found}");
    assert_eq!(told(&watched.front, "issuer.recovered").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crl_and_an_ocsp_answer_that_nobody_renews_are_stale() {
    let watched = Watched::start().await;
    // The CA's own clock stands still.
    let found = watched
        .look_after(Duration::from_secs(10 * 24 * 3600))
        .await;
    assert_eq!(found["healthy"], false, "{found}");
    for place in found["published"].as_array().unwrap() {
        let problem = place["problem"].as_str().unwrap();
        assert!(problem.contains("stale since"), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_ca_is_counted_and_told_after_a_day() {
    let (ca, front) = (Est::start().await, Est::start().await);
    ca.guarded_profile().await;
    ca.label("default", json!({ "profile": "guarded" })).await;
    front.put_behind(&ca).await;
    let (secret, _) = front.password("behind", json!({})).await;
    let shows = Shows::Password("", &secret);
    let request = csr(&["host.example.org"]);
    let answer = front.post("behind/simpleenroll", &request, shows).await;
    answer.refused(202, "same request again");
    let quarter = Duration::from_secs(16 * 60);
    let found = look_after(&front, quarter).await;
    assert_eq!(found["backlog"]["pending"], 1, "{found}");
    assert_eq!(found["findings"], json!([]), "{found}");
    let found = look_after(&front, Duration::from_secs(25 * 3600)).await;
    let text = found["findings"].to_string();
    assert!(text.contains("1 requests lie at the CA"), "{found}");
    assert_eq!(found["healthy"], true, "{found}");
    assert_eq!(ca.decide("approve", json!({})).await.as_u16(), 200);
    front
        .server
        .run_jobs_until(async || {
            ca.server.run_jobs().await;
            let found = look_after(&front, Duration::from_secs(3600)).await;
            found["backlog"].is_null()
        })
        .await;
}
