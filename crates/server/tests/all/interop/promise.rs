//! The whole promise: clients of one directory notice nothing while the CA behind it is exchanged again and
//! again.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use parking_lot::Mutex;
use pki::certificate::Certificate;
use pki::fingerprint::Fingerprint;
use pki::key::{KeyAlgorithm, LocalKey};
use serde_json::{Value, json};
use testkit::acme::{Client, csr_for};
use testkit::vault::{TOKEN, TestVault};
use tokio::time::Instant;

use super::certbot::standalone;
use super::challenge_server::Answering;
use super::host::{DNS_PORT, PKI_PORT};
use super::lego::{by_tls, lego, stored_chain};
use super::process::{eventually, succeed};
use super::site::Site;
use crate::est::support::Est;
use crate::upstream::pebble::{Habits, Pebble};

/// No client waits longer.
const PATIENCE: Duration = Duration::from_secs(90);
/// Beside certbot and lego.
const DRIVERS: usize = 8;
/// Where the profile's issuer moves to, one after the other.
const STAGES: [&str; 4] = ["issuing", "pebble", "est", "vault"];
/// So many that the shares of 3 to 1 can be told to 2 %.
const WEIGHED: usize = 160;

/// What all clients have in common.
struct Yard {
    site: Site,
    /// How many flows of each client began after the latest move and came to their end.
    done: [AtomicUsize; DRIVERS + 2],
    stage: AtomicUsize,
    is_over: AtomicUsize,
    /// What clients hold in hand.
    acknowledged: Mutex<Vec<Fingerprint>>,
}

impl Yard {
    /// A client holds a chain: it is for the name, and fits together.
    fn acknowledge(&self, client: usize, began: usize, name: &str, pem: &str) -> Vec<u8> {
        let found = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
        let chain: Vec<Certificate> = found
            .iter()
            .map(|der| Certificate::from_der(der).unwrap())
            .collect();
        let names: Vec<String> = chain[0].names.iter().map(ToString::to_string).collect();
        assert!(names.iter().any(|found| found.contains(name)), "{names:?}");
        assert!(chain.len() >= 2, "{name} came alone");
        for pair in chain.windows(2) {
            assert!(pair[0].is_signed_by(&pair[1]), "{name}: {pem}");
        }
        self.acknowledged.lock().push(chain[0].fingerprint());
        if began == self.stage.load(Ordering::SeqCst) {
            self.done[client].fetch_add(1, Ordering::SeqCst);
        }
        chain[0].der.clone()
    }

    fn goes_on(&self) -> bool {
        self.is_over.load(Ordering::SeqCst) == 0
    }

    /// Has the profile signed by these, and by nobody else soon.
    async fn route(&self, issuers: Value) {
        self.site
            .change("/api/v1/profiles/default", |rules| {
                rules["issuers"] = issuers
            })
            .await;
        // Longer than a node remembers a profile.
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }

    /// How many certificates each issuer has signed for clients, by the inventory, with their fingerprints.
    async fn inventory(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!("/api/v1/certificates?limit=200&profile=default{after}");
            let page = self.site.call(Method::GET, &path, &Value::Null).await;
            let text = |item: &Value, member: &str| item[member].as_str().unwrap().to_owned();
            // The server's own certificate for TLS is nobody's who waits.
            let items = page["items"].as_array().unwrap().iter();
            let theirs = items.filter(|item| item["names"].to_string().contains("example.org"));
            found.extend(theirs.map(|item| (text(item, "issuer"), text(item, "fingerprint"))));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return found,
            }
        }
    }
}

/// One client of our own.
struct Driver {
    number: usize,
    client: Client,
    flows: usize,
}

impl Driver {
    async fn start(yard: &Yard, number: usize) -> Self {
        let root = std::fs::read(yard.site.root()).unwrap();
        let mut client = Client::trusting(&yard.site.directory(), &root).await;
        client.register().await.assert_status(201);
        Self {
            number,
            client,
            flows: 0,
        }
    }

    /// A resource once it is neither pending nor processing, as long as a patient client waits.
    async fn settled(&self, yard: &Yard, url: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let body = self.client.get(url).await.json();
            match body["status"].as_str() {
                Some("pending" | "processing") => {
                    assert!(Instant::now() < deadline, "{body}\n{}", yard.site.log());
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                Some("valid") => return body,
                _ => panic!("{body}\n{}", yard.site.log()),
            }
        }
    }

    async fn flow(&mut self, yard: &Yard) {
        self.flows += 1;
        let name = format!("n{}.driver{}.example.org", self.flows, self.number);
        let began = yard.stage.load(Ordering::SeqCst);
        let answer = self.client.new_order(&[&name]).await;
        answer.assert_status(201);
        let (url, order) = (answer.location(), answer.json());
        let authorization = order["authorizations"][0].as_str().unwrap();
        let challenge = self.client.challenge(authorization, "dns-01").await;
        let token = challenge["token"].as_str().unwrap();
        let value = self.client.key_authorization_digest(token);
        yard.site.challenges.set_txt(&name, &value).await;
        self.client.respond(&challenge).await.assert_status(200);
        self.settled(yard, authorization).await;
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let csr = csr_for(&[&name], &key);
        self.client.finalize(&order, &csr).await.assert_status(200);
        let order = self.settled(yard, &url).await;
        let pem = self
            .client
            .get(order["certificate"].as_str().unwrap())
            .await;
        let leaf = yard.acknowledge(self.number, began, &name, &pem.text);
        let leaf = Certificate::from_der(&leaf).unwrap();
        assert_eq!(&leaf.public_key, pki::key::SigningKey::public_key(&key));
    }
}

async fn drive(yard: Arc<Yard>, number: usize) -> Driver {
    let mut driver = Driver::start(&yard, number).await;
    while yard.goes_on() {
        driver.flow(&yard).await;
    }
    driver
}

async fn drive_certbot(yard: Arc<Yard>) {
    let name = "certbot.example.org";
    let chain: PathBuf = yard.site.file("config/live/it/fullchain.pem");
    while yard.goes_on() {
        let began = yard.stage.load(Ordering::SeqCst);
        succeed(&mut standalone(
            &yard.site,
            &["-d", name, "--force-renewal"],
        ))
        .await;
        let pem = std::fs::read_to_string(&chain).unwrap();
        yard.acknowledge(DRIVERS, began, name, &pem);
    }
}

async fn drive_lego(yard: Arc<Yard>) {
    for n in 0.. {
        if !yard.goes_on() {
            return;
        }
        let name = format!("n{n}.lego.example.org");
        let began = yard.stage.load(Ordering::SeqCst);
        let options = ["--domains", &name];
        succeed(
            lego(&yard.site, &options)
                .args(by_tls(&yard.site))
                .arg("run"),
        )
        .await;
        let pem = std::fs::read_to_string(stored_chain(&yard.site, &name)).unwrap();
        yard.acknowledge(DRIVERS + 1, began, &name, &pem);
    }
}

/// The CAs that stand behind, under the names of [`STAGES`].
async fn configure(yard: &Yard) -> (Pebble, Est, TestVault) {
    let host = &yard.site.host;
    let pebble = Pebble::start(Habits {
        http_port: PKI_PORT,
        dns: host.at(DNS_PORT),
        nonces_refused: 10,
        sleep: 0,
    })
    .await;
    let est = Est::start().await;
    let user = json!({ "username": "front", "name": "the server in front" });
    let (password, _) = est.password("default", user).await;
    let vault = TestVault::start().await;
    let issuers = [
        (
            "pebble",
            "acme",
            pebble.settings(json!({"challenge": "http-01"})),
            json!({}),
        ),
        (
            "est",
            "est",
            json!({ "url": est.server.url(), "username": "front" }),
            json!({ "password": password }),
        ),
        (
            "vault",
            "vault",
            json!({ "url": vault.url(), "role": "web" }),
            json!({ "token": TOKEN }),
        ),
    ];
    for (name, kind, settings, secrets) in issuers {
        let body = json!({ "name": name, "kind": kind, "settings": settings, "secrets": secrets });
        yard.site.call(Method::POST, "/api/v1/issuers", &body).await;
    }
    // Pebble's certificates are good for clients, too; this is settled before anyone has an order.
    yard.site
        .change("/api/v1/profiles/default", |rules| {
            rules["extended_key_usage"] = json!(["serverAuth", "clientAuth"]);
        })
        .await;
    (pebble, est, vault)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_clients_notice_nothing_while_the_issuer_moves_from_ca_to_ca_under_load() {
    let yard = Arc::new(Yard {
        site: Site::with(Answering::Client, &[]).await,
        done: Default::default(),
        stage: AtomicUsize::new(0),
        is_over: AtomicUsize::new(0),
        acknowledged: Mutex::default(),
    });
    let cas = configure(&yard).await;
    let drivers: Vec<_> = (0..DRIVERS)
        .map(|number| tokio::spawn(drive(Arc::clone(&yard), number)))
        .collect();
    let certbot = tokio::spawn(drive_certbot(Arc::clone(&yard)));
    let lego = tokio::spawn(drive_lego(Arc::clone(&yard)));
    for (n, stage) in STAGES.into_iter().enumerate() {
        yard.route(json!([{ "issuer": stage, "weight": 1 }])).await;
        for done in &yard.done {
            done.store(0, Ordering::SeqCst);
        }
        yard.stage.store(n + 1, Ordering::SeqCst);
        // Each client has been all the way through with this CA.
        let is_through = async || {
            let count = |done: &AtomicUsize| done.load(Ordering::SeqCst) > 0;
            yard.done.iter().all(count).then_some(())
        };
        eventually(is_through, || {
            format!("{stage}: {:?}\n{}", yard.done, yard.site.log())
        })
        .await;
    }
    yard.is_over.store(1, Ordering::SeqCst);
    certbot.await.unwrap();
    lego.await.unwrap();
    let mut idle = Vec::new();
    for driver in drivers {
        idle.push(driver.await.unwrap());
    }
    let before = yard.inventory().await;
    for stage in STAGES {
        let count = before.iter().filter(|(issuer, _)| issuer == stage).count();
        assert!(count >= DRIVERS + 2, "{stage} signed {count}");
    }
    assert_none_is_lost(&yard, &before);

    // Two share the load by weight.
    yard.route(json!([
        { "issuer": "issuing", "weight": 3 }, { "issuer": "vault", "weight": 1 },
    ]))
    .await;
    let shared = idle.into_iter().map(async |mut driver| {
        for _ in 0..WEIGHED / DRIVERS {
            driver.flow(&yard).await;
        }
    });
    futures::future::join_all(shared).await;
    let after = yard.inventory().await;
    assert_none_is_lost(&yard, &after);
    let of = |list: &[(String, String)], name: &str| {
        list.iter().filter(|(issuer, _)| issuer == name).count()
    };
    let more = of(&after, "issuing") - of(&before, "issuing");
    assert_eq!(after.len() - before.len(), WEIGHED);
    let wanted = WEIGHED * 3 / 4;
    assert!(
        more.abs_diff(wanted) * 50 <= WEIGHED,
        "{more} of {WEIGHED}, and {wanted} were to be"
    );
    drop(cas);
}

/// What clients hold and what the inventory has are the same.
#[track_caller]
fn assert_none_is_lost(yard: &Yard, inventory: &[(String, String)]) {
    let acknowledged = yard.acknowledged.lock();
    let mut held: Vec<String> = acknowledged.iter().map(ToString::to_string).collect();
    let mut known: Vec<String> = inventory.iter().map(|(_, print)| print.clone()).collect();
    held.sort();
    known.sort();
    assert_eq!(held, known);
}
