//! What every connector to a CA elsewhere holds to, whatever it speaks: one table of peers, and the same
//! statements of each.

mod peers;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::peer::{Fault, SAYS_NO};

use self::peers::Peer;
use super::Desk;

/// A server whose profile `default` is signed by a CA of that kind.
struct Case {
    desk: Desk,
    peer: Peer,
    _commands: TempDir,
}

impl Case {
    async fn start(kind: &str) -> Self {
        let commands = tempfile::tempdir().unwrap();
        let peer = Peer::start(kind, commands.path()).await;
        let tables = format!(
            "[ca]\ncommand_directory = \"{}\"",
            commands.path().display()
        );
        let desk = Desk::with(&tables).await;
        let (settings, secrets) = (peer.settings.clone(), peer.secrets.clone());
        desk.configure(peer.kind, settings, secrets).await;
        desk.route_to(peer.kind).await;
        Self {
            desk,
            peer,
            _commands: commands,
        }
    }

    /// Asks for a name, and lets things go wrong for a while.
    async fn ask_and_wait(&self, name: &str) -> String {
        let place = self.desk.ask(&[name]).await;
        for _ in 0..3 {
            self.desk.tick(20).await;
        }
        place
    }

    /// Lets time go by until a request is signed.
    async fn until_issued(&self, place: &str) -> Value {
        let state = self.desk.settle(place, 5).await;
        assert_eq!(state["status"], "issued", "{state}");
        state
    }

    /// Whoever waits is told why, in words without a secret, and the request lives.
    async fn is_alive(&self, place: &str, fault: Fault) {
        let state = self.desk.state(place).await;
        let status = state["status"].as_str().unwrap();
        let alive = ["approved", "signing", "awaiting-issuer"];
        assert!(alive.contains(&status), "{fault:?}: {state}");
    }

    async fn keeps_its_secret(&self) {
        if self.peer.secret.is_empty() {
            return;
        }
        let one = format!("/api/v1/issuers/{}", self.peer.kind);
        let all = [
            one.as_str(),
            "/api/v1/issuers",
            "/api/v1/audit?limit=500",
            "/api/v1/enrollments",
        ];
        for path in all {
            let text = self.desk.api.get(path).await.to_string();
            assert!(!text.contains(&self.peer.secret), "{path}");
        }
    }
}

async fn signs_what_was_asked_for(kind: &str) {
    let case = Case::start(kind).await;
    let (passed, findings) = case.desk.test(kind).await;
    assert!(passed, "{findings:#?}");
    let names = ["one.example.org", "two.example.org"];
    let chain = case.desk.issue(&names).await;
    let mut found: Vec<String> = chain[0].names.iter().map(ToString::to_string).collect();
    found.sort();
    assert!(found[0].contains(names[0]) && found[1].contains(names[1]));
    assert_eq!(
        chain[1].der,
        case.peer.side.ca().der(),
        "with those above it"
    );
    assert_eq!(case.peer.side.signed(), 1);
    case.keeps_its_secret().await;
}

async fn is_told_of_revocations_or_says_that_it_cannot_be(kind: &str) {
    let case = Case::start(kind).await;
    let place = case.desk.ask(&["old.example.org"]).await;
    let state = case.until_issued(&place).await;
    let id = state["certificate"].as_str().unwrap();
    let path = format!("/api/v1/certificates/{id}/revoke");
    let body = json!({ "reason": "superseded" });
    case.desk.api.post(&path, body).await.expect(200);
    let event = match case.peer.can.revoke {
        true => "certificate.revocation_told",
        false => "certificate.revocation_not_told",
    };
    let told = async || case.desk.has_event(event).await;
    case.desk.server.run_jobs_until(told).await;
}

async fn a_fault_that_passes_loses_no_request_and_makes_no_second_certificate(kind: &str) {
    let case = Case::start(kind).await;
    let passing = [Fault::Throttled, Fault::Broken, Fault::Html, Fault::Half];
    for (n, fault) in passing.into_iter().enumerate() {
        case.peer.side.fails(fault);
        let place = case.ask_and_wait(&format!("f{n}.example.org")).await;
        case.is_alive(&place, fault).await;
        case.peer.side.fails(Fault::None);
        case.until_issued(&place).await;
        assert_eq!(case.peer.side.signed(), n + 1, "{fault:?}");
    }
    case.keeps_its_secret().await;
}

async fn one_that_says_nothing_holds_up_nobody_else(kind: &str) {
    let case = Case::start(kind).await;
    case.peer.side.fails(Fault::Silent);
    let held = case.desk.ask(&["held.example.org"]).await;
    case.desk.route_to("issuing").await;
    let chain = case.desk.issue(&["free.example.org"]).await;
    assert_ne!(chain[1].der, case.peer.side.ca().der());
    case.is_alive(&held, Fault::Silent).await;
    case.peer.side.fails(Fault::None);
    case.until_issued(&held).await;
}

async fn what_no_longer_lets_us_in_keeps_requests_waiting_until_it_is_mended(kind: &str) {
    let case = Case::start(kind).await;
    case.peer.side.fails(Fault::Locked);
    let place = case.ask_and_wait("later.example.org").await;
    case.is_alive(&place, Fault::Locked).await;
    case.keeps_its_secret().await;
    case.peer.side.fails(Fault::None);
    case.until_issued(&place).await;
}

async fn a_refusal_ends_the_request_in_the_words_of_the_ca(kind: &str) {
    let case = Case::start(kind).await;
    case.peer.side.fails(Fault::Refusing);
    let place = case.desk.ask(&["no.example.org"]).await;
    let state = case.desk.settle(&place, 15).await;
    assert_eq!(state["status"], "failed", "{state}");
    assert!(
        state["reason"].as_str().unwrap().contains(SAYS_NO),
        "{state}"
    );
}

async fn i14_a_certificate_that_was_not_asked_for_ends_the_request(kind: &str) {
    let case = Case::start(kind).await;
    let lies = [
        (Fault::WrongKey, "key"),
        (Fault::WrongNames, "wrong.example.org"),
        (Fault::Expired, "not valid now"),
        (Fault::BrokenChain, "chain does not hold together"),
        (Fault::MorePurposes, "clientAuth"),
        (Fault::TooLong, "longer than"),
    ];
    for (n, (lie, said)) in lies.into_iter().enumerate() {
        case.peer.side.fails(lie);
        let place = case.desk.ask(&[&format!("lie{n}.example.org")]).await;
        let state = case.desk.settle(&place, 15).await;
        assert_eq!(state["status"], "failed", "{lie:?}: {state}");
        let reason = state["reason"].as_str().unwrap();
        assert!(reason.contains(said), "{lie:?}: {reason}");
        assert_eq!(case.peer.side.signed(), n + 1, "it is not asked again");
    }
}

async fn what_waits_over_there_is_waited_for_over_a_restart_and_asked_once(kind: &str) {
    let mut case = Case::start(kind).await;
    if !case.peer.can.wait {
        return;
    }
    case.peer.side.fails(Fault::Waiting);
    let place = case.desk.ask(&["slow.example.org"]).await;
    case.desk.reaches(&place, "awaiting-issuer").await;
    for _ in 0..3 {
        case.desk.tick(600).await;
    }
    // However often it is asked, it waits.
    case.desk.reaches(&place, "awaiting-issuer").await;
    case.desk.server.crash_and_restart().await;
    case.desk.tick(120).await;
    case.peer.side.fails(Fault::None);
    case.until_issued(&place).await;
    assert_eq!(case.peer.side.signed(), 1);
}

async fn an_answer_that_is_lost_in_a_crash_makes_no_second_certificate_where_the_ca_remembers(
    kind: &str,
) {
    let mut case = Case::start(kind).await;
    case.peer.side.loses_next_answer();
    let place = case.desk.ask(&["lost.example.org"]).await;
    // Some are asked for the certificate only after the request was taken.
    let signed = async || case.peer.side.signed() > 0;
    assert!(case.desk.tick_until(2, signed).await);
    case.desk.server.crash_and_restart().await;
    // The lease of the process that died ends.
    case.desk.tick(120).await;
    case.until_issued(&place).await;
    let expected = if case.peer.can.remember { 1 } else { 2 };
    assert_eq!(case.peer.side.signed(), expected);
    let list = "/api/v1/certificates?name=lost.example.org&origin=issued";
    let found = case.desk.api.get(list).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
}

async fn where_nobody_listens_another_issuer_is_asked_at_once(kind: &str) {
    let mut case = Case::start(kind).await;
    case.peer.is_gone();
    let issuers = json!([
        {"issuer": kind, "weight": 1}, {"issuer": "issuing", "weight": 1, "tier": 1},
    ]);
    case.desk.route(issuers).await;
    let place = case.desk.ask(&["over.example.org"]).await;
    // No time has to go by for it.
    let issued = async || case.desk.state(&place).await["status"] == "issued";
    case.desk.server.run_jobs_until(issued).await;
    let found = "/api/v1/certificates?name=over.example.org";
    let found = case.desk.api.get(found).await;
    assert_eq!(found["items"][0]["issuer"], "issuing", "{found}");
}

macro_rules! holds {
    ($kind:literal: $($statement:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $statement() {
                super::$statement($kind).await;
            }
        )*
    };
}

macro_rules! contract {
    ($($name:ident: $kind:literal,)*) => {
        $(mod $name {
            holds!($kind:
                signs_what_was_asked_for
                is_told_of_revocations_or_says_that_it_cannot_be
                a_fault_that_passes_loses_no_request_and_makes_no_second_certificate
                one_that_says_nothing_holds_up_nobody_else
                what_no_longer_lets_us_in_keeps_requests_waiting_until_it_is_mended
                a_refusal_ends_the_request_in_the_words_of_the_ca
                i14_a_certificate_that_was_not_asked_for_ends_the_request
                what_waits_over_there_is_waited_for_over_a_restart_and_asked_once
                an_answer_that_is_lost_in_a_crash_makes_no_second_certificate_where_the_ca_remembers
                where_nobody_listens_another_issuer_is_asked_at_once
            );
        })*

        const KINDS: &[&str] = &[$($kind),*];
    };
}

contract! {
    acme: "acme",
    adcs: "adcs",
    aws_pca: "aws-pca",
    cmp: "cmp",
    command: "command",
    ejbca: "ejbca",
    est: "est",
    scep: "scep",
    vault: "vault",
}

#[tokio::test]
async fn the_matrix_of_connectors_says_what_the_contract_shows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/connectors.md");
    let text = std::fs::read_to_string(path).unwrap();
    let commands = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let can = Peer::start(kind, commands.path()).await.can;
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("| [`{kind}`]")));
        let row = row.unwrap_or_else(|| panic!("no row of {kind}"));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for (column, can) in [(3, can.wait), (4, can.revoke), (7, can.remember)] {
            assert_eq!(
                cells[column].starts_with("yes"),
                can,
                "{kind}: {}",
                cells[column]
            );
        }
    }
}
