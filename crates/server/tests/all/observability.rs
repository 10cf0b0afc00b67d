//! What an operator sees of the running process: its log, its figures, and what it says of its settings.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pki::key::{KeyAlgorithm, LocalKey};
use serde_json::{Map, Value};
use testkit::ServerProcess;
use testkit::acme::csr_for;

use crate::architecture::{sources, workspace};

async fn process(tables: &str) -> ServerProcess {
    let mut process = ServerProcess::new(env!("CARGO_BIN_EXE_certwright"), "", tables).await;
    process.start().await;
    process
}

/// Issues a certificate; the id of the request that finalized the order.
async fn issue(process: &ServerProcess) -> String {
    let client = process.registered_client().await;
    let names = ["logged.example.org"];
    let (_, order) = client.ready_order_at(&process.web, &names).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let answer = client.finalize(&order, &csr_for(&names, &key)).await;
    answer.assert_status(200);
    answer.header("x-request-id").unwrap().to_owned()
}

/// The line of the log with this text, when it is there.
async fn line_with(process: &ServerProcess, text: &str) -> String {
    for _ in 0..600 {
        let log = process.log();
        if let Some(line) = log.lines().find(|line| line.contains(text)) {
            return line.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no line with `{text}`:\n{}", process.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_in_json_tells_of_each_certificate_with_its_request_and_enrollment() {
    let process = process("[log]\nformat = \"json\"").await;
    let request = issue(&process).await;
    let line = line_with(&process, "certificate issued").await;
    let fields: Map<String, Value> = serde_json::from_str(&line).unwrap();
    assert_eq!(fields["request.id"], request, "{line}");
    assert_eq!(fields["issuer.name"], "issuing", "{line}");
    assert_eq!(fields["profile.name"], "default", "{line}");
    assert_eq!(fields["level"], "INFO", "{line}");
    for (field, prefix) in [("enrollment.id", "enr_"), ("certificate.id", "crt_")] {
        assert!(
            fields[field].as_str().unwrap().starts_with(prefix),
            "{line}"
        );
    }
    assert!(fields.values().all(|value| !value.is_object()), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_in_text_tells_of_each_certificate_with_its_request_and_enrollment() {
    let process = process("").await;
    let request = issue(&process).await;
    let line = line_with(&process, "certificate issued").await;
    assert!(
        line.contains(&format!("request.id=\"{request}\"")),
        "{line}"
    );
    assert!(line.contains("enrollment.id=enr_"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_a_challenge_was_not_met_is_in_the_log_with_the_request_that_asked() {
    let process = process("[log]\nlevel = \"info,lifecycle=debug\"\nformat = \"json\"").await;
    let client = process.registered_client().await;
    let order = client.new_order(&["nobody.example.org"]).await.json();
    let authorization = order["authorizations"][0].as_str().unwrap();
    let challenge = client.challenge(authorization, "http-01").await;
    let answer = client.respond(&challenge).await;
    let line = line_with(&process, "the probe found no proof").await;
    let fields: Map<String, Value> = serde_json::from_str(&line).unwrap();
    assert_eq!(
        fields["request.id"].as_str(),
        answer.header("x-request-id"),
        "{line}"
    );
    assert_eq!(fields["challenge.kind"], "http-01", "{line}");
}

async fn crl_end(process: &ServerProcess) -> String {
    let url = format!("{}/metrics", process.url());
    let page = reqwest::get(url).await.unwrap().text().await.unwrap();
    let name = "certwright_crl_next_update_seconds{issuer=\"issuing\"} ";
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("{page}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s05_the_alarm_knows_how_long_a_crl_lasts_that_another_process_made() {
    let mut process = process("").await;
    let before = crl_end(&process).await;
    process.kill();
    process.start().await;
    assert_eq!(crl_end(&process).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_that_only_the_first_start_looks_at_is_warned_of_with_the_command_that_helps() {
    let mut process = process("").await;
    process.kill();
    process.set("CERTWRIGHT_ACME__WEBSITE", "https://ca.example/");
    process.start().await;
    let line = line_with(&process, "acme.website").await;
    let command = "certwright directory set default --set 'website=https://ca.example/'";
    assert!(line.contains(command), "{line}");
    assert!(!process.log().contains("acme.caa_identities"));
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// The names of figures in a text, without what Prometheus adds for histograms.
fn figures(text: &str) -> BTreeSet<String> {
    let is_word = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    text.split(|letter| !is_word(letter))
        .filter(|word| word.starts_with("certwright_"))
        .map(|word| {
            let suffixes = ["_bucket", "_count", "_sum"];
            let plain = suffixes.iter().find_map(|suffix| word.strip_suffix(suffix));
            plain.unwrap_or(word).to_owned()
        })
        .collect()
}

#[test]
fn alerts_dashboards_and_documentation_ask_for_figures_that_there_are() {
    let mut recorded = BTreeSet::new();
    for crate_name in ["store", "lifecycle", "connectors", "frontends", "server"] {
        for file in sources(&workspace().join("crates").join(crate_name).join("src")) {
            recorded.extend(figures(&std::fs::read_to_string(file).unwrap()));
        }
    }
    let mut asked = 0;
    let mut places = files(&workspace().join("deploy/grafana"));
    places.extend(files(&workspace().join("deploy/prometheus")));
    places.push(workspace().join("docs/operations.md"));
    for place in places {
        for figure in figures(&std::fs::read_to_string(&place).unwrap()) {
            assert!(recorded.contains(&figure), "{}: {figure}", place.display());
            asked += 1;
        }
    }
    assert!(asked > 10);
}
