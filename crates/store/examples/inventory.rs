//! Measures the inventory: `inventory [URL] [CERTIFICATES]` fills a database through the importer's path,
//! then prints the import's rate, the times of filtered pages and figures, and how fast texts are filed.
#![expect(clippy::print_stdout, reason = "a measurement is for reading")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::certificate::{CertificateStatus, InventoryCertificate, Origin};
use domain::id::{CertificateId, IssuerId, ProfileId};
use pki::fingerprint::Fingerprint;
use pki::random::{Random, SystemRandom};
use pki::serial::Serial;
use pki::time::Timestamp;
use store::certificates::{CertificateFilter, CertificateSort, NameQuery, SortKey};
use store::{Store, StoreConfig, StoreError};

/// As many as the importer stores in one transaction.
const BATCH: u32 = 500;
const PAGE: u32 = 51;
const ROUNDS: usize = 100;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What the certificates are made of.
struct World {
    now: Timestamp,
    issuers: Vec<IssuerId>,
    profiles: Vec<ProfileId>,
    random: SystemRandom,
}

#[tokio::main]
async fn main() -> Result<(), StoreError> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments
        .next()
        .unwrap_or_else(|| "sqlite://inventory.db".to_owned());
    let count: u32 = arguments
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000);
    let store = Store::open(StoreConfig::new(url)).await?;
    let world = Arc::new(World::new());
    import(&store, &world, count).await?;
    file(&store, count).await?;
    println!("{:>9} {:>9} {:>9} ms", "p50", "p99", "max");
    for (name, questions) in questions(&world, count) {
        measure(&store, name, questions).await?;
    }
    figures(&store, world.now).await
}

impl World {
    fn new() -> Self {
        let random = SystemRandom::new();
        // A day on which everything that is made here has a sensible age.
        let now = Timestamp::from_seconds(1_800_000_000);
        Self {
            now,
            issuers: (0..3).map(|_| IssuerId::mint(now, &random)).collect(),
            profiles: (0..5).map(|_| ProfileId::mint(now, &random)).collect(),
            random,
        }
    }

    /// Certificate `number` of `count`, the oldest first: 200 days of issuance, 90 days of life, each
    /// host renewed some times.
    fn certificate(&self, number: u32, count: u32) -> InventoryCertificate {
        let age = 200 * DAY * (count - number) / count.max(1);
        let created_at = self.now - age;
        let host = number % (count / 4).max(1);
        let name = format!("host{host}.{}", DOMAINS[host as usize % DOMAINS.len()]);
        let mut octets = vec![0; 700];
        self.random.fill(&mut octets);
        let issuer_id = self.issuers.get(number as usize % 7).cloned();
        InventoryCertificate {
            id: CertificateId::mint(created_at, &self.random),
            fingerprint: Fingerprint::of(&octets),
            serial: Serial::random(&self.random),
            issuer_id,
            issuer_name: "CN=Example Issuing CA,O=Example".to_owned(),
            subject: format!("CN={name}"),
            names: vec![name],
            not_before: created_at,
            not_after: created_at + 90 * DAY,
            key_kind: ["p-256", "p-256", "rsa-2048"][number as usize % 3].to_owned(),
            is_weak: number.is_multiple_of(1000),
            spki_sha256: Fingerprint::of(&octets[..64]).0,
            authority_key_identifier: octets[..20].to_vec(),
            chain_id: None,
            origin: Origin::Imported,
            enrollment_id: None,
            profile_id: self.profiles.get(number as usize % 6).cloned(),
            profile_version: Some(1),
            account_id: None,
            directory_id: None,
            replaces: None,
            replaced_by: None,
            metadata: BTreeMap::from([
                ("billing".to_owned(), (number % 5000).to_string()),
                ("stage".to_owned(), STAGES[number as usize % 3].to_owned()),
            ]),
            revocation: None,
            team_id: None,
            created_at,
            der: octets,
        }
    }
}

async fn import(store: &Store, world: &Arc<World>, count: u32) -> Result<(), StoreError> {
    let mut spent = Duration::ZERO;
    for from in (0..count).step_by(BATCH as usize) {
        let batch: Vec<_> = (from..count.min(from + BATCH))
            .map(|number| world.certificate(number, count))
            .collect();
        let started = Instant::now();
        store
            .write("import", |tx| {
                Box::pin(async move {
                    let fingerprints: Vec<_> = batch.iter().map(|made| made.fingerprint).collect();
                    let serials: Vec<_> = batch.iter().map(|made| made.serial.clone()).collect();
                    tx.find_known_certificates(&fingerprints).await?;
                    tx.find_certificates_of_serials(&serials).await?;
                    tx.insert_certificates(&batch).await
                })
            })
            .await?;
        spent += started.elapsed();
        let done = from + BATCH;
        if done.is_multiple_of(200_000) {
            println!("{done:>9} certificates, {:.0}/s", rate(done, spent));
        }
    }
    println!("imported {count} certificates: {:.0}/s", rate(count, spent));
    Ok(())
}

async fn file(store: &Store, count: u32) -> Result<(), StoreError> {
    let started = Instant::now();
    loop {
        let filed = store
            .write("file", |tx| {
                Box::pin(async move { tx.file_certificates(BATCH).await })
            })
            .await?;
        if filed == 0 {
            println!("filed their texts: {:.0}/s", rate(count, started.elapsed()));
            return Ok(());
        }
    }
}

/// Questions by kind, a different one in each round.
fn questions(
    world: &World,
    count: u32,
) -> Vec<(&'static str, Vec<(CertificateFilter, CertificateSort)>)> {
    let now = world.now;
    let any = |make: &dyn Fn(u32) -> CertificateFilter, sort| {
        (0..ROUNDS)
            .map(|_| (make(draw(world)), sort))
            .collect::<Vec<_>>()
    };
    let none = CertificateFilter::default;
    let names = |name| CertificateFilter {
        names: vec![name],
        ..none()
    };
    let host = |n: u32| {
        let host = n % (count / 4).max(1);
        format!("host{host}.{}", DOMAINS[host as usize % DOMAINS.len()])
    };
    let domain = |n: u32| DOMAINS[n as usize % DOMAINS.len()].to_owned();
    let billing = |n: u32| vec![("billing".to_owned(), (n % 5000).to_string())];
    let stage = |n: u32| vec![("stage".to_owned(), STAGES[n as usize % 3].to_owned())];
    let within = |n: u32, days: u32| CertificateFilter {
        status: Some((CertificateStatus::Valid, now)),
        expires_before: Some(now + DAY * (1 + n % days)),
        ..none()
    };
    let by_name = CertificateSort {
        key: SortKey::Name,
        descending: false,
    };
    let (newest, ending) = (CertificateSort::NEWEST, CertificateSort::ENDING);
    vec![
        ("name", any(&|n| names(NameQuery::Exact(host(n))), newest)),
        (
            "suffix",
            any(&|n| names(NameQuery::Suffix(domain(n))), newest),
        ),
        (
            "suffix, by end",
            any(&|n| names(NameQuery::Suffix(domain(n))), ending),
        ),
        (
            "suffix, by name",
            any(&|n| names(NameQuery::Suffix(domain(n))), by_name),
        ),
        (
            "part of a name",
            any(
                &|n| names(NameQuery::Contains(format!("ost{}", n % 90_000))),
                newest,
            ),
        ),
        ("expiring", any(&|n| within(n, 90), ending)),
        (
            "metadata, rare",
            any(
                &|n| CertificateFilter {
                    metadata: billing(n),
                    ..none()
                },
                newest,
            ),
        ),
        (
            "metadata, common",
            any(
                &|n| CertificateFilter {
                    metadata: stage(n),
                    ..none()
                },
                newest,
            ),
        ),
        (
            "metadata, common, expiring",
            any(
                &|n| CertificateFilter {
                    metadata: stage(n),
                    ..within(n, 30)
                },
                ending,
            ),
        ),
        (
            "suffix, metadata, expiring",
            any(
                &|n| CertificateFilter {
                    names: vec![NameQuery::Suffix(domain(n))],
                    metadata: billing(n),
                    ..within(n, 90)
                },
                ending,
            ),
        ),
        (
            "text",
            any(
                &|n| CertificateFilter {
                    texts: vec![host(n)],
                    ..none()
                },
                newest,
            ),
        ),
        (
            "text, common",
            any(
                &|_| CertificateFilter {
                    texts: vec!["corp".to_owned()],
                    ..none()
                },
                newest,
            ),
        ),
        (
            "profile",
            any(
                &|n| CertificateFilter {
                    profile: world.profiles.get(n as usize % 5).cloned(),
                    ..none()
                },
                newest,
            ),
        ),
    ]
}

async fn measure(
    store: &Store,
    name: &str,
    questions: Vec<(CertificateFilter, CertificateSort)>,
) -> Result<(), StoreError> {
    let mut times = Vec::with_capacity(questions.len());
    for (filter, sort) in questions {
        let started = Instant::now();
        store
            .scan("search", move |tx| {
                Box::pin(async move {
                    tx.search_certificates(&filter, sort, None, PAGE)
                        .await
                        .map(drop)
                })
            })
            .await?;
        times.push(started.elapsed());
    }
    print_times(name, times);
    Ok(())
}

async fn figures(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let mut times = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        store
            .scan("figures", move |tx| {
                Box::pin(async move { tx.certificate_figures(now).await.map(drop) })
            })
            .await?;
        times.push(started.elapsed());
    }
    print_times("figures", times);
    Ok(())
}

fn print_times(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| {
        let place = (times.len() * share / 100).min(times.len().saturating_sub(1));
        times
            .get(place)
            .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    println!("{:>9.2} {:>9.2} {:>9.2}  {name}", at(50), at(99), at(100));
}

fn rate(count: u32, spent: Duration) -> f64 {
    f64::from(count) / spent.as_secs_f64()
}

fn draw(world: &World) -> u32 {
    let mut octets = [0; 4];
    world.random.fill(&mut octets);
    u32::from_be_bytes(octets)
}

const DOMAINS: [&str; 5] = [
    "corp.example.com",
    "shop.example.net",
    "internal.example",
    "lab.example.org",
    "old.example.org",
];
const STAGES: [&str; 3] = ["production", "test", "development"];
