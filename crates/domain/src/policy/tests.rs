//! What the rules decide, profile by profile; and that deciding and explaining are one.

use std::collections::BTreeMap;

use pki::csr::{self, RequestedExtension};
use pki::key::{KeyAlgorithm, LocalKey};
use pki::random::SystemRandom;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::id::{AccountId, DirectoryId, OrderId, ProfileId, TokenId};
use crate::profile::preset::{self, Preset};
use crate::profile::{
    Expression, FixedExtension, KeyEvidenceKind, NamedSchedule, ValiditySchedule,
};

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn profile(spec: ProfileSpec) -> Profile {
    Profile {
        id: ProfileId::mint(now(), &SystemRandom::new()),
        name: "tested".to_owned(),
        version: 1,
        spec,
        team_id: None,
        created_at: now(),
    }
}

fn token() -> Requester {
    Requester::Token {
        token: TokenId::mint(now(), &SystemRandom::new()),
    }
}

fn acme() -> Requester {
    let random = SystemRandom::new();
    Requester::AcmeAccount {
        account: AccountId::mint(now(), &random),
        directory: DirectoryId::mint(now(), &random),
        order: OrderId::mint(now(), &random),
    }
}

/// A request as a test changes it.
struct Asked {
    requester: Requester,
    names: Vec<Identifier>,
    subject: Option<DistinguishedName>,
    csr: Csr,
    not_after: Option<Timestamp>,
    key_evidence: Option<KeyEvidence>,
    metadata: BTreeMap<String, String>,
    at: Timestamp,
    key_is_certified: bool,
}

impl Asked {
    fn of(csr_subject: &str, names: &[&str]) -> Self {
        Self::with_key(KeyAlgorithm::EcP256, csr_subject, names, &[])
    }

    fn with_key(
        algorithm: KeyAlgorithm,
        csr_subject: &str,
        names: &[&str],
        extensions: &[RequestedExtension],
    ) -> Self {
        let names: Vec<Identifier> = names
            .iter()
            .map(|name| Identifier::from_text(name).unwrap())
            .collect();
        let general: Vec<_> = names.iter().map(Identifier::to_general_name).collect();
        let key = LocalKey::generate(algorithm).unwrap();
        let subject = csr_subject.parse().unwrap();
        let der = csr::build(&subject, &general, extensions, &key).unwrap();
        Self {
            requester: token(),
            names,
            subject: None,
            csr: Csr::from_der(&der).unwrap(),
            not_after: None,
            key_evidence: None,
            metadata: BTreeMap::new(),
            at: now(),
            key_is_certified: false,
        }
    }

    fn judge(&self, profile: &Profile, ledger: &mut Ledger) -> CertificateContent {
        let proposal = Proposal {
            requester: &self.requester,
            identifiers: &self.names,
            subject: self.subject.as_ref(),
            csr: &self.csr,
            csr_is_assumed: false,
            not_before: None,
            not_after: self.not_after,
            key_evidence: self.key_evidence.as_ref(),
            team: Some("web"),
            metadata: &self.metadata,
        };
        let at = Circumstances {
            now: self.at,
            issuer: "issuing",
            issuer_not_after: "2040-01-01T00:00:00Z".parse().unwrap(),
            key_is_blocked: false,
            key_is_account_key: false,
            key_is_certified: self.key_is_certified,
        };
        super::judge(&proposal, profile, &at, ledger)
    }

    fn rules_broken(&self, spec: ProfileSpec) -> Vec<String> {
        let mut ledger = Ledger::brief();
        self.judge(&profile(spec), &mut ledger);
        let (violations, _) = ledger.close();
        for violation in &violations {
            assert!(!violation.message.is_empty(), "{violation:?}");
        }
        violations.into_iter().map(|one| one.rule).collect()
    }

    fn content(&self, spec: ProfileSpec) -> CertificateContent {
        let mut ledger = Ledger::brief();
        let content = self.judge(&profile(spec), &mut ledger);
        assert_eq!(ledger.close().0, []);
        content
    }
}

#[rstest]
#[case(Preset::TlsServer, "", &["www.example.org", "192.0.2.7"])]
#[case(Preset::TlsServerPublic, "", &["www.example.org"])]
#[case(Preset::ShortLived, "CN=www.example.org", &["www.example.org"])]
#[case(Preset::TlsClient, "", &["host.example.org"])]
#[case(Preset::Smime, "CN=jane@example.org", &["jane@example.org"])]
#[case(Preset::Device, "CN=press-7,serialNumber=4711", &["spiffe://example.org/press-7"])]
fn every_preset_certifies_what_it_is_for(
    #[case] preset: Preset,
    #[case] subject: &str,
    #[case] names: &[&str],
) {
    let content = Asked::of(subject, names).content(preset.spec("issuing"));
    assert_eq!(content.subject_alt_names.len(), names.len());
}

#[test]
fn code_signing_needs_a_subject_and_evidence_and_ends_after_460_days() {
    let spec = || preset::code_signing("issuing");
    let mut asked = Asked::of("CN=Example,O=Example,L=Bonn,C=DE", &[]);
    assert_eq!(asked.rules_broken(spec()), ["key.evidence"]);
    asked.key_evidence = Some(KeyEvidence {
        kind: KeyEvidenceKind::Attestation,
        reference: "report 4711".to_owned(),
        attested: None,
    });
    let content = asked.content(spec());
    assert_eq!(
        content.subject.to_string(),
        "CN=Example,O=Example,L=Bonn,C=DE"
    );
    let life = content.not_after.since(content.not_before).as_secs() + 1;
    assert_eq!(life, 460 * 86_400);
    let mut bare = Asked::of("CN=Example", &[]);
    bare.key_evidence = asked.key_evidence.clone();
    let missing = ["subject.C", "subject.L", "subject.O"];
    assert_eq!(bare.rules_broken(spec()), missing);
    let weak = Asked::with_key(KeyAlgorithm::Rsa2048, "CN=a,O=b,L=c,C=DE", &[], &[]);
    assert!(
        weak.rules_broken(spec())
            .contains(&"key.algorithm".to_owned())
    );
}

/// I6: the cap of the day, and on the very second.
#[rstest]
#[case("2027-03-14T23:59:59Z", 200)]
#[case("2027-03-15T00:00:00Z", 100)]
#[case("2029-03-15T00:00:00Z", 47)]
fn i06_the_cap_of_the_day_cuts_the_lifetime(#[case] at: &str, #[case] days: u64) {
    let mut asked = Asked::of("", &["www.example.org"]);
    asked.at = at.parse().unwrap();
    let spec = preset::tls_server_public("issuing");
    let content = asked.content(spec.clone());
    let life = content.not_after.since(content.not_before).as_secs() + 1;
    assert_eq!(life, days * 86_400);
    // What is asked for beyond it is refused, not bent.
    asked.not_after = Some(content.not_after + std::time::Duration::from_secs(1));
    assert_eq!(asked.rules_broken(spec), ["validity.schedule"]);
}

#[test]
fn every_violation_is_listed_at_once() {
    let mut spec = preset::tls_server("issuing");
    spec.names.wildcards = false;
    spec.names.allow = vec![".example.org".parse().unwrap()];
    spec.names.limits.dns = Some(1);
    spec.key_algorithms = vec![KeyAlgorithm::Rsa4096];
    spec.expressions = vec![Expression::new("validity_days < 10", "shorter, please")];
    let mut asked = Asked::of("O=Example", &["*.example.org", "www.example.com"]);
    asked.subject = Some("O=Example".parse().unwrap());
    asked.not_after = Some(now() + std::time::Duration::from_secs(400 * 86_400));
    assert_eq!(
        asked.rules_broken(spec),
        [
            "names.count",
            "names.wildcard",
            "names.allow",
            "key.algorithm",
            "subject.others",
            "validity.not-after",
            "expressions[0]",
        ]
    );
}

#[rstest]
#[case("db.internal", true)]
#[case("10.1.2.3", true)]
#[case("www.example.org", false)]
fn a_public_profile_certifies_public_names_only(#[case] name: &str, #[case] refused: bool) {
    let broken = Asked::of("", &[name]).rules_broken(preset::tls_server_public("issuing"));
    assert_eq!(
        broken.contains(&"names.public".to_owned()),
        refused,
        "{broken:?}"
    );
}

#[test]
fn a_key_that_is_certified_already_is_refused_where_renewals_need_a_new_one() {
    let mut asked = Asked::of("", &["www.example.org"]);
    asked.key_is_certified = true;
    let mut spec = preset::tls_server("issuing");
    assert_eq!(asked.rules_broken(spec.clone()), Vec::<String>::new());
    spec.new_key = true;
    assert_eq!(asked.rules_broken(spec), ["key.new"]);
}

#[test]
fn a_csr_may_name_less_than_the_request_but_not_under_acme_and_never_more() {
    let spec = || preset::tls_server("issuing");
    let mut asked = Asked::of("", &["a.example.org"]);
    asked
        .names
        .push(Identifier::from_text("b.example.org").unwrap());
    assert_eq!(asked.rules_broken(spec()), Vec::<String>::new());
    asked.requester = acme();
    assert_eq!(asked.rules_broken(spec()), ["csr.names"]);
    let mut asked = Asked::of("", &["a.example.org", "b.example.org"]);
    asked.names.truncate(1);
    assert_eq!(asked.rules_broken(spec()), ["csr.names"]);
}

#[rstest]
#[case("metadata.cost_center == '4711'", true)]
#[case("metadata.cost_center == '0815'", false)]
#[case("metadata.missing == 'x'", false)]
#[case(
    "names.all(n, n.endsWith('.example.org')) && sans[0].type == 'dns'",
    true
)]
#[case(
    "subject.CN == 'www.example.org' && key.kind == 'p-256' && key.bits == 256",
    true
)]
#[case("validity_days == 90 && team == 'web' && issuer == 'issuing'", true)]
#[case("requester.kind == 'token' && profile == 'tested'", true)]
#[case("names[5] == 'x'", false)]
fn an_expression_sees_the_final_content_and_fails_closed(
    #[case] expression: &str,
    #[case] holds: bool,
) {
    let mut spec = preset::tls_server("issuing");
    spec.expressions = vec![Expression::new(expression, "change something")];
    let mut asked = Asked::of("", &["www.example.org"]);
    asked
        .metadata
        .insert("cost_center".to_owned(), "4711".to_owned());
    let broken = asked.rules_broken(spec);
    assert_eq!(broken.is_empty(), holds, "{broken:?}");
}

#[test]
fn extensions_of_the_profile_are_written_and_those_of_a_csr_are_not() {
    let mut spec = preset::tls_server("issuing");
    spec.extensions = vec![FixedExtension {
        oid: "1.3.6.1.4.1.99999.1".to_owned(),
        critical: false,
        value: "UTF8:ours".to_owned(),
    }];
    let theirs = RequestedExtension {
        oid: "1.3.6.1.4.1.99999.1".to_owned(),
        critical: true,
        der: vec![0x05, 0],
    };
    let asked = Asked::with_key(KeyAlgorithm::EcP256, "", &["www.example.org"], &[theirs]);
    let content = asked.content(spec);
    assert_eq!(content.extra_extensions[0].der, b"\x0c\x04ours");
    assert!(!content.extra_extensions[0].critical);
}

fn specs() -> impl Strategy<Value = ProfileSpec> {
    (
        0..Preset::ALL.len(),
        any::<bool>(),
        any::<bool>(),
        0..3_usize,
        any::<bool>(),
    )
        .prop_map(|(preset, wildcards, new_key, limit, schedule)| {
            let mut spec = Preset::ALL[preset].spec("issuing");
            spec.names.wildcards = wildcards;
            spec.new_key = new_key;
            spec.names.limits.dns = Some(limit);
            if schedule {
                spec.validity_schedule = Some(ValiditySchedule::Named(NamedSchedule::Sc081v3));
            }
            spec.expressions = vec![Expression::new("size(names) != 2", "not two")];
            spec
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_explanation_never_disagrees_with_the_decision(
        spec in specs(),
        names in proptest::sample::subsequence(
            vec!["a.example.org", "*.example.org", "10.0.0.1", "jane@example.org", "urn:x:y"], 0..4),
        subject in proptest::sample::select(vec!["", "CN=a.example.org", "CN=x,O=y,C=DE,L=z", "C=Germany"]),
        days in proptest::option::of(0_u64..500),
        certified in any::<bool>(),
    ) {
        let mut asked = Asked::of(subject, &names);
        asked.not_after = days.map(|days| now() + std::time::Duration::from_secs(days * 86_400));
        asked.key_is_certified = certified;
        let profile = profile(spec);
        let (mut brief, mut full) = (Ledger::brief(), Ledger::full());
        let decided = asked.judge(&profile, &mut brief);
        let explained = asked.judge(&profile, &mut full);
        prop_assert_eq!(decided, explained);
        let (violations, no_steps) = brief.close();
        let (same, steps) = full.close();
        prop_assert_eq!(&violations, &same);
        prop_assert!(no_steps.is_empty());
        let failed: Vec<&str> = steps
            .iter()
            .filter(|step| step.outcome == Outcome::Failed)
            .map(|step| step.rule.as_str())
            .collect();
        let broken: Vec<&str> = violations.iter().map(|one| one.rule.as_str()).collect();
        prop_assert_eq!(failed, broken);
    }
}
