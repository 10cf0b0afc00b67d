//! `certwright-bench ocsp`: how many status requests per second a responder (RFC 6960) answers.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::task::JoinSet;
use url::Url;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::connection::{Connection, Method};
use crate::der::{INTEGER, OCTET_STRING, SEQUENCE, element, position};
use crate::message::Answer;
use crate::process;
use crate::report::ServerCost;
use crate::tally::Durations;
use crate::target::{Target, TargetOptions};

/// `AlgorithmIdentifier` of SHA-1, the only hash that RFC 9654's and RFC 5019's clients all use in a `CertID`.
const SHA1: [u8; 11] = [0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0];
/// `responseStatus successful`, which stands right behind the outermost header.
const SUCCESSFUL: [u8; 3] = [0x0a, 1, 0];
/// `CertStatus good`, which stands right behind the serial number.
const GOOD: [u8; 2] = [0x80, 0];
const REQUEST_TYPE: &str = "application/ocsp-request";
const RESPONSE_TYPE: &str = "application/ocsp-response";

/// Options of `certwright-bench ocsp`.
#[derive(clap::Args)]
pub struct Options {
    /// The responder
    #[arg(long)]
    url: Url,
    #[command(flatten)]
    target: TargetOptions,
    /// The issuing CA's certificate, PEM
    #[arg(long, value_name = "FILE")]
    issuer_cert: PathBuf,
    /// The certificate to ask about, PEM
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// How many connections ask at once
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1024))]
    connections: u32,
    /// How long each of GET and POST is measured, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    duration: u64,
    /// The responder's process, to account for its CPU time and memory
    #[arg(long)]
    pid: Option<u32>,
}

/// One request, made once and sent again and again.
struct Question {
    method: Method,
    path: String,
    body: Vec<u8>,
}

/// Measures POST, then GET.
pub async fn ocsp(options: Options) -> anyhow::Result<()> {
    let target = Target::resolve(&options.url, &options.target)?;
    let issuer = certificate(&options.issuer_cert)?;
    let subject = certificate(&options.cert)?;
    let (request, serial) = request(&issuer, &subject)?;
    for question in questions(&options.url, &request) {
        let question = Arc::new(question);
        let first = ask(&mut Connection::new(Arc::clone(&target)), &question).await?;
        check(&first, &serial)?;
        measure(&options, &target, &question, first.body.len()).await?;
    }
    Ok(())
}

/// RFC 6960 appendix A.1: the same request as a POST and in the path of a GET.
fn questions(url: &Url, request: &[u8]) -> [Question; 2] {
    let base = url.path();
    let encoded: String =
        url::form_urlencoded::byte_serialize(STANDARD.encode(request).as_bytes()).collect();
    [
        Question {
            method: Method::Post,
            path: base.to_owned(),
            body: request.to_vec(),
        },
        Question {
            method: Method::Get,
            path: format!("{}/{encoded}", base.trim_end_matches('/')),
            body: Vec::new(),
        },
    ]
}

async fn ask(connection: &mut Connection, question: &Question) -> anyhow::Result<Answer> {
    let answer = connection
        .send(
            question.method,
            &question.path,
            REQUEST_TYPE,
            &question.body,
        )
        .await?;
    ensure!(
        answer.is_success() && answer.header("content-type") == Some(RESPONSE_TYPE),
        "{} was answered with status {} and type {:?}",
        question.method.name(),
        answer.status,
        answer.header("content-type")
    );
    Ok(answer)
}

/// The first answer is looked at closely, the others only for being as long.
fn check(answer: &Answer, serial: &[u8]) -> anyhow::Result<()> {
    let status = position(&answer.body, &SUCCESSFUL);
    ensure!(
        status.is_some_and(|at| at <= 6),
        "the responder did not answer `successful`"
    );
    let behind = position(&answer.body, serial).map(|at| at + serial.len());
    let good = behind.and_then(|at| answer.body.get(at..at + GOOD.len())) == Some(&GOOD);
    ensure!(good, "the certificate is not `good` in the answer");
    Ok(())
}

async fn measure(
    options: &Options,
    target: &Arc<Target>,
    question: &Arc<Question>,
    length: usize,
) -> anyhow::Result<()> {
    let before = options.pid.and_then(process::usage);
    let start = Instant::now();
    let end = start + Duration::from_secs(options.duration);
    let mut tasks = JoinSet::new();
    for _ in 0..options.connections {
        let (connection, question) = (Connection::new(Arc::clone(target)), Arc::clone(question));
        tasks.spawn(repeat(connection, question, length, end));
    }
    let mut times = Durations::default();
    while let Some(finished) = tasks.join_next().await {
        times.add(&finished??);
    }
    let elapsed = start.elapsed();
    let after = options.pid.and_then(process::usage);
    print(question.method, &times, elapsed)?;
    if let (Some(before), Some(after)) = (before, after) {
        let cost = ServerCost::between(&before, &after, times.count());
        let (name, cpu) = (&cost.name, cost.cpu_ms_per_flow * 1000.0);
        let memory = cost.rss_after_mib;
        writeln!(
            io::stdout(),
            "  {name}: {cpu:.0} µs CPU each, {memory:.0} MiB resident"
        )?;
    }
    Ok(())
}

async fn repeat(
    mut connection: Connection,
    question: Arc<Question>,
    length: usize,
    end: Instant,
) -> anyhow::Result<Durations> {
    let mut times = Durations::default();
    let mut now = Instant::now();
    while now < end {
        let answer = ask(&mut connection, &question).await?;
        // An ECDSA signature's length varies by a few octets.
        if answer.body.len().abs_diff(length) > 8 {
            bail!(
                "one answer has {} octets, the first {length}",
                answer.body.len()
            );
        }
        let then = std::mem::replace(&mut now, Instant::now());
        times.record(now - then);
    }
    Ok(times)
}

fn print(method: Method, times: &Durations, elapsed: Duration) -> io::Result<()> {
    let rate = f64::from(u32::try_from(times.count()).unwrap_or(u32::MAX)) / elapsed.as_secs_f64();
    let summary = times.summary();
    writeln!(
        io::stdout(),
        "OCSP {}: {rate:.0} answers/s, p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        method.name(),
        summary.p50_ms,
        summary.p99_ms,
        summary.max_ms
    )
}

/// The request (RFC 6960 section 4.1.1), without a nonce as in RFC 5019, and the serial's encoding.
fn request(issuer: &[u8], subject: &[u8]) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let (_, issuer) = X509Certificate::from_der(issuer).context("the issuer is no certificate")?;
    let (_, subject) = X509Certificate::from_der(subject).context("this is no certificate")?;
    ensure!(
        subject.issuer() == issuer.subject(),
        "the certificate was issued by {}, not by {}",
        subject.issuer(),
        issuer.subject()
    );
    let hash = |octets: &[u8]| digest(&SHA1_FOR_LEGACY_USE_ONLY, octets);
    let name = hash(issuer.subject().as_raw());
    let key = hash(&issuer.public_key().subject_public_key.data);
    let serial = element(INTEGER, &[subject.raw_serial()]);
    let cert_id = element(
        SEQUENCE,
        &[
            &SHA1,
            &element(OCTET_STRING, &[name.as_ref()]),
            &element(OCTET_STRING, &[key.as_ref()]),
            &serial,
        ],
    );
    let mut request = cert_id;
    // Request, requestList, TBSRequest, OCSPRequest: each is a sequence of nothing but the one before.
    for _ in 0..4 {
        request = element(SEQUENCE, &[&request]);
    }
    Ok((request, serial))
}

fn certificate(file: &Path) -> anyhow::Result<Vec<u8>> {
    CertificateDer::from_pem_file(file)
        .map(|certificate| certificate.as_ref().to_vec())
        .with_context(|| format!("{} holds no PEM certificate", file.display()))
}
