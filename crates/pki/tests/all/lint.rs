//! The linter has nothing against sound certificates, and each rule speaks up on a broken one.

use const_oid::ObjectIdentifier;
use pki::asn1::{Writer, tag};
use pki::certificate::{
    BasicConstraints, CertificateContent, ExtendedKeyUsage, IssuerFacts, KeyUsage,
};
use pki::key::{KeyAlgorithm, PublicKey, SignatureAlgorithm, SigningKey};
use pki::lint::{CertificateKind, Finding, LintContext, Severity, blocks, lint_tbs};
use pki::name::{DistinguishedName, GeneralName, NameConstraints, NameSubtree};
use pki::oid;
use pki::time::Timestamp;
use rstest::rstest;

use crate::draft::Draft;
use crate::fixture::{Authority, at, dns, new_key, responder_content, server_content};

/// An issuing CA and a leaf's key, and the linter's answer for what they make.
struct Bench {
    authority: Authority,
    key: PublicKey,
}

impl Bench {
    fn new() -> Self {
        Self {
            authority: Authority::root(KeyAlgorithm::EcP256),
            key: new_key(KeyAlgorithm::EcP256).public_key().clone(),
        }
    }

    fn lint(&self, tbs: &[u8], kind: CertificateKind) -> Vec<Finding> {
        let issuer = self.authority.facts();
        let end = self.authority.certificate.not_after;
        lint_tbs(tbs, &LintContext::new(&issuer, end, kind))
    }

    fn server(&self, change: impl FnOnce(&mut CertificateContent)) -> Vec<Finding> {
        self.content(
            CertificateKind::TlsServer,
            server_content(&self.key),
            change,
        )
    }

    fn content(
        &self,
        kind: CertificateKind,
        mut content: CertificateContent,
        change: impl FnOnce(&mut CertificateContent),
    ) -> Vec<Finding> {
        change(&mut content);
        self.lint(&self.authority.tbs(&content), kind)
    }

    fn draft(&self, change: impl FnOnce(&mut Draft)) -> Vec<Finding> {
        let mut draft = Draft::of(&self.authority.tbs(&server_content(&self.key)));
        change(&mut draft);
        self.lint(&draft.encode(), CertificateKind::TlsServer)
    }
}

fn errors(findings: &[Finding]) -> Vec<&'static str> {
    findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.code)
        .collect()
}

fn ca_content(key: &PublicKey) -> CertificateContent {
    CertificateContent {
        subject: DistinguishedName::parse("CN=Sub,O=Example,C=DE").unwrap(),
        subject_alt_names: vec![],
        basic_constraints: BasicConstraints::Ca { path_len: Some(0) },
        key_usage: KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN,
        extended_key_usage: vec![],
        subject_key_identifier: true,
        ..server_content(key)
    }
}

#[test]
fn sound_certificates_of_every_kind_pass() {
    let bench = Bench::new();
    let purpose = |purpose: ExtendedKeyUsage| CertificateContent {
        extended_key_usage: vec![purpose],
        ..server_content(&bench.key)
    };
    let email = CertificateContent {
        subject_alt_names: vec![GeneralName::Email("a@example.org".into())],
        ..purpose(ExtendedKeyUsage::EmailProtection)
    };
    let code = CertificateContent {
        subject: DistinguishedName::parse("CN=Example,O=Example,C=DE").unwrap(),
        ..purpose(ExtendedKeyUsage::CodeSigning)
    };
    let cases = [
        (CertificateKind::TlsServer, server_content(&bench.key)),
        (
            CertificateKind::TlsClient,
            purpose(ExtendedKeyUsage::ClientAuth),
        ),
        (CertificateKind::Email, email),
        (CertificateKind::CodeSigning, code),
        (
            CertificateKind::Device,
            purpose(ExtendedKeyUsage::ClientAuth),
        ),
        (CertificateKind::CaCertificate, ca_content(&bench.key)),
        (
            CertificateKind::OcspResponder,
            responder_content(&bench.key),
        ),
    ];
    for (kind, content) in cases {
        assert_eq!(bench.content(kind, content, |_| ()), [], "{kind:?}");
    }
}

#[test]
fn a_root_passes_as_its_own_issuer() {
    let root = Authority::root(KeyAlgorithm::Rsa2048);
    let facts = root.facts();
    let context = LintContext::new(
        &facts,
        root.certificate.not_after,
        CertificateKind::CaCertificate,
    );
    assert_eq!(lint_tbs(root.certificate.tbs_der(), &context), []);
}

fn subject(text: &str) -> DistinguishedName {
    DistinguishedName::parse(text).unwrap()
}

fn claim_baseline(content: &mut CertificateContent) {
    content.certificate_policies = vec!["2.23.140.1.2.1".into()];
    content.subject_alt_names = vec![dns("www.example.org")];
}

type Change = fn(&mut CertificateContent);

#[rstest]
#[case("validity.outlives_issuer", |c: &mut CertificateContent| c.not_after = Timestamp::NO_EXPIRATION)]
#[case("subject.common_name_not_in_san", |c: &mut CertificateContent| c.subject = subject("CN=other.example.org"))]
#[case("subject.common_names", |c: &mut CertificateContent| c.subject = subject("CN=www.example.org,CN=*.example.org"))]
#[case("subject.upper_bound", |c: &mut CertificateContent| c.subject = subject(&format!("O={}", "x".repeat(65))))]
#[case("subject.value", |c: &mut CertificateContent| c.subject = subject("O=Example\\ "))]
#[case("subject.value", |c: &mut CertificateContent| c.subject = subject("O=a\\00b"))]
#[case("subject.value", |c: &mut CertificateContent| c.subject = subject("O=#0201ff"))]
#[case("subject.country", |c: &mut CertificateContent| c.subject = subject("C=Germany"))]
#[case("subject.country", |c: &mut CertificateContent| c.subject = subject("C=de"))]
#[case("subject.string_type", |c: &mut CertificateContent| c.subject = subject("serialNumber=ä"))]
#[case("san.missing", |c: &mut CertificateContent| { c.subject_alt_names.clear(); c.subject = subject("O=x"); })]
#[case("san.dns", |c: &mut CertificateContent| c.subject_alt_names.push(dns("a_b.example.org")))]
#[case("san.dns", |c: &mut CertificateContent| c.subject_alt_names.push(dns("a.*.example.org")))]
#[case("san.dns", |c: &mut CertificateContent| c.subject_alt_names.push(dns("192.0.2.1")))]
#[case("san.dns", |c: &mut CertificateContent| c.subject_alt_names.push(dns("*.org")))]
#[case("san.email", |c: &mut CertificateContent| c.subject_alt_names.push(GeneralName::Email("nobody".into())))]
#[case("san.uri", |c: &mut CertificateContent| c.subject_alt_names.push(GeneralName::Uri("/path".into())))]
#[case("basic_constraints.ca", |c: &mut CertificateContent| { c.basic_constraints = BasicConstraints::Ca { path_len: None }; c.subject = subject("O=x"); })]
#[case("key_usage.missing", |c: &mut CertificateContent| c.key_usage = KeyUsage::EMPTY)]
#[case("key_usage.not_ca", |c: &mut CertificateContent| c.key_usage |= KeyUsage::KEY_CERT_SIGN)]
#[case("key_usage.key", |c: &mut CertificateContent| c.key_usage |= KeyUsage::KEY_ENCIPHERMENT)]
#[case("key_usage.agreement", |c: &mut CertificateContent| c.key_usage |= KeyUsage::ENCIPHER_ONLY)]
#[case("eku.missing", |c: &mut CertificateContent| c.extended_key_usage = vec![ExtendedKeyUsage::ClientAuth])]
#[case("eku.any", |c: &mut CertificateContent| c.extended_key_usage.push(ExtendedKeyUsage::Other("2.5.29.37.0".into())))]
#[case("eku.responder", |c: &mut CertificateContent| c.extended_key_usage.push(ExtendedKeyUsage::OcspSigning))]
#[case("eku.repeated", |c: &mut CertificateContent| c.extended_key_usage.push(ExtendedKeyUsage::ServerAuth))]
#[case("ocsp_no_check.misplaced", |c: &mut CertificateContent| c.ocsp_no_check = true)]
#[case("extension.acme_identifier", |c: &mut CertificateContent| c.acme_identifier = Some([0; 32]))]
#[case("aia.form", |c: &mut CertificateContent| c.ocsp_urls = vec!["ftp://example.org".into()])]
#[case("crldp.form", |c: &mut CertificateContent| c.crl_urls = vec!["http://".into()])]
#[case("name_constraints.not_ca", |c: &mut CertificateContent| c.name_constraints = Some(NameConstraints { permitted: vec![NameSubtree::Dns("a".into())], excluded: vec![] }))]
#[case("br.validity", |c: &mut CertificateContent| { claim_baseline(c); c.not_after = at("2027-06-11T14:00:00Z"); })]
#[case("br.name", |c: &mut CertificateContent| { claim_baseline(c); c.subject_alt_names.push(dns("host.internal")); })]
#[case("br.name", |c: &mut CertificateContent| { claim_baseline(c); c.subject_alt_names.push(dns("1.2.0.192.in-addr.arpa")); })]
#[case("br.name", |c: &mut CertificateContent| { claim_baseline(c); c.subject_alt_names.push(GeneralName::Ip("10.0.0.1".parse().unwrap())); })]
#[case("br.name", |c: &mut CertificateContent| { claim_baseline(c); c.subject_alt_names.push(GeneralName::Uri("a:b".into())); })]
#[case("br.aia", |c: &mut CertificateContent| { claim_baseline(c); c.ocsp_urls.clear(); c.ca_issuer_urls.clear(); })]
#[case("br.revocation", |c: &mut CertificateContent| { claim_baseline(c); c.ocsp_urls.clear(); c.crl_urls.clear(); })]
#[case("br.url", |c: &mut CertificateContent| { claim_baseline(c); c.crl_urls = vec!["ldap://example.org/x".into()]; })]
#[case("br.policy", |c: &mut CertificateContent| { claim_baseline(c); c.certificate_policies.push("2.23.140.1.2.2".into()); })]
fn a_server_certificate_with_one_fault_is_blocked(#[case] code: &str, #[case] change: Change) {
    let findings = Bench::new().server(change);
    assert_eq!(errors(&findings), [code], "{findings:?}");
    assert!(blocks(&findings));
}

#[rstest]
#[case("tls_feature.no_ocsp", |c: &mut CertificateContent| { c.must_staple = true; c.ocsp_urls.clear(); })]
#[case("san.form", |c: &mut CertificateContent| c.subject_alt_names = vec![GeneralName::Uri("spiffe://example.org/a".into())])]
#[case("san.repeated", |c: &mut CertificateContent| c.subject_alt_names.push(dns("WWW.example.org")))]
#[case("crldp.form", |c: &mut CertificateContent| c.crl_urls = vec!["https://example.org/crl".into()])]
fn what_is_only_unusual_is_a_warning(#[case] code: &str, #[case] change: Change) {
    let findings = Bench::new().server(change);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(
        (findings[0].code, findings[0].severity),
        (code, Severity::Warning)
    );
    assert!(!blocks(&findings));
}

#[rstest]
#[case("ski.missing", |c: &mut CertificateContent| c.subject_key_identifier = false)]
#[case("basic_constraints.ca", |c: &mut CertificateContent| { c.basic_constraints = BasicConstraints::EndEntity; c.key_usage = KeyUsage::DIGITAL_SIGNATURE; })]
#[case("key_usage.ca", |c: &mut CertificateContent| c.key_usage = KeyUsage::CRL_SIGN)]
fn a_ca_certificate_with_a_fault_is_blocked(#[case] code: &str, #[case] change: Change) {
    let bench = Bench::new();
    let findings = bench.content(
        CertificateKind::CaCertificate,
        ca_content(&bench.key),
        change,
    );
    assert!(errors(&findings).contains(&code), "{findings:?}");
}

#[rstest]
#[case("ocsp_no_check.missing", |c: &mut CertificateContent| c.ocsp_no_check = false)]
#[case("eku.responder", |c: &mut CertificateContent| c.extended_key_usage.push(ExtendedKeyUsage::ClientAuth))]
#[case("key_usage.responder", |c: &mut CertificateContent| c.key_usage |= KeyUsage::NON_REPUDIATION)]
fn a_responder_certificate_with_a_fault_is_blocked(#[case] code: &str, #[case] change: Change) {
    let bench = Bench::new();
    let content = responder_content(&bench.key);
    let findings = bench.content(CertificateKind::OcspResponder, content, change);
    assert_eq!(errors(&findings), [code], "{findings:?}");
}

#[test]
fn only_a_ca_may_have_its_issuers_name() {
    let bench = Bench::new();
    let findings = bench.content(
        CertificateKind::TlsClient,
        server_content(&bench.key),
        |content| {
            content.extended_key_usage = vec![ExtendedKeyUsage::ClientAuth];
            content.subject = subject("CN=Test Root,O=Example,C=DE");
        },
    );
    assert_eq!(errors(&findings), ["subject.is_issuer"]);
}

#[test]
fn an_email_certificate_needs_an_address() {
    let bench = Bench::new();
    let findings = bench.content(
        CertificateKind::Email,
        server_content(&bench.key),
        |content| {
            content.extended_key_usage = vec![ExtendedKeyUsage::EmailProtection];
        },
    );
    assert_eq!(errors(&findings), ["san.form"]);
}

fn time(tag: u8, text: &str) -> Vec<u8> {
    Writer::encode(|w| w.tlv(tag, text.as_bytes()))
}

fn validity(draft: &mut Draft, not_before: Vec<u8>, not_after: Vec<u8>) {
    draft.validity = Writer::encode(|w| w.sequence(|w| w.raw(&[not_before, not_after].concat())));
}

const POISON: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.3");

type Damage = fn(&mut Draft);

#[rstest]
#[case("version.not_v3", |d: &mut Draft| d.version = vec![])]
#[case("version.not_v3", |d: &mut Draft| d.version = vec![0xa0, 3, 2, 1, 1])]
#[case("version.unique_identifiers", |d: &mut Draft| d.unique_identifier = vec![0x81, 2, 0, 1])]
#[case("serial.not_positive", |d: &mut Draft| d.serial = vec![2, 1, 0])]
#[case("serial.not_positive", |d: &mut Draft| d.serial = vec![2, 1, 0x80])]
#[case("serial.too_long", |d: &mut Draft| d.serial = [&[2, 21][..], &[1; 21]].concat())]
#[case("serial.predictable", |d: &mut Draft| d.serial = vec![2, 1, 1])]
#[case("der.malformed", |d: &mut Draft| d.serial = vec![2, 2, 0, 1])]
#[case("signature.algorithm", |d: &mut Draft| d.signature = SignatureAlgorithm::EcdsaSha384.to_der())]
#[case("issuer.not_ca_subject", |d: &mut Draft| d.issuer = subject("CN=Test root,O=Example,C=DE").to_der())]
#[case("validity.form", |d: &mut Draft| validity(d, time(tag::GENERALIZED_TIME, "20261123140000Z"), time(tag::UTC_TIME, "270221135959Z")))]
#[case("validity.form", |d: &mut Draft| validity(d, time(tag::UTC_TIME, "2611231400Z"), time(tag::UTC_TIME, "270221135959Z")))]
#[case("validity.form", |d: &mut Draft| validity(d, time(tag::UTC_TIME, "261123140000Z"), time(tag::UTC_TIME, "270221135959+0000")))]
#[case("validity.reversed", |d: &mut Draft| validity(d, time(tag::UTC_TIME, "261123140000Z"), time(tag::UTC_TIME, "261123135959Z")))]
#[case("key.malformed", |d: &mut Draft| *d.spki.last_mut().unwrap() ^= 1)]
#[case("key.weak", |d: &mut Draft| d.spki = PublicKey::from_rsa_components(&[0xff; 128], &[1, 0, 1]).unwrap().spki_der().to_vec())]
#[case("subject.malformed", |d: &mut Draft| d.subject = vec![0x30, 2, 0x31, 0])]
#[case("extension.unknown", |d: &mut Draft| d.add_extension(&POISON, true, &[5, 0]))]
#[case("extension.repeated", |d: &mut Draft| { let first = d.extensions[0].clone(); d.extensions.push(first); })]
#[case("extension.criticality", |d: &mut Draft| d.extension(&oid::EXT_SUBJECT_ALT_NAME).critical = false)]
#[case("extension.criticality", |d: &mut Draft| d.extension(&oid::EXT_KEY_USAGE).critical = false)]
#[case("extension.criticality", |d: &mut Draft| d.extension(&oid::EXT_EXTENDED_KEY_USAGE).critical = true)]
#[case("extension.criticality", |d: &mut Draft| d.extension(&oid::EXT_AUTHORITY_INFO_ACCESS).critical = true)]
#[case("extension.criticality", |d: &mut Draft| d.extension(&oid::EXT_AUTHORITY_KEY_IDENTIFIER).critical = true)]
#[case("aki.missing", |d: &mut Draft| d.drop_extension(&oid::EXT_AUTHORITY_KEY_IDENTIFIER))]
#[case("aki.mismatch", |d: &mut Draft| *d.extension(&oid::EXT_AUTHORITY_KEY_IDENTIFIER).value.last_mut().unwrap() ^= 1)]
#[case("aki.form", |d: &mut Draft| d.extension(&oid::EXT_AUTHORITY_KEY_IDENTIFIER).value = vec![0x30, 3, 0x82, 1, 1])]
#[case("ski.form", |d: &mut Draft| d.add_extension(&oid::EXT_SUBJECT_KEY_IDENTIFIER, false, &[4, 0]))]
#[case("eku.empty", |d: &mut Draft| d.extension(&oid::EXT_EXTENDED_KEY_USAGE).value = vec![0x30, 0])]
#[case("key_usage.bits", |d: &mut Draft| d.extension(&oid::EXT_KEY_USAGE).value = vec![3, 2, 0, 0x80])]
#[case("key_usage.bits", |d: &mut Draft| d.extension(&oid::EXT_KEY_USAGE).value = vec![3, 1, 0])]
#[case("san.empty", |d: &mut Draft| d.extension(&oid::EXT_SUBJECT_ALT_NAME).value = vec![0x30, 0])]
#[case("der.malformed", |d: &mut Draft| d.extension(&oid::EXT_SUBJECT_ALT_NAME).value = vec![0x30, 3, 0x82, 1, 0])]
#[case("der.malformed", |d: &mut Draft| d.extension(&oid::EXT_BASIC_CONSTRAINTS).value = vec![0x30, 3, 1, 1, 0])]
#[case("der.malformed", |d: &mut Draft| d.extension(&oid::EXT_BASIC_CONSTRAINTS).value = vec![0x30, 0, 0])]
#[case("basic_constraints.path_len", |d: &mut Draft| d.extension(&oid::EXT_BASIC_CONSTRAINTS).value = vec![0x30, 3, 2, 1, 0])]
#[case("aia.form", |d: &mut Draft| d.extension(&oid::EXT_AUTHORITY_INFO_ACCESS).value = vec![0x30, 0])]
#[case("crldp.form", |d: &mut Draft| d.extension(&oid::EXT_CRL_DISTRIBUTION_POINTS).value = vec![0x30, 2, 0x30, 0])]
#[case("name_constraints.form", |d: &mut Draft| d.add_extension(&oid::EXT_NAME_CONSTRAINTS, true, &[0x30, 0]))]
#[case("extensions.missing", |d: &mut Draft| d.extensions.clear())]
fn damaged_octets_are_blocked(#[case] code: &str, #[case] damage: Damage) {
    let findings = Bench::new().draft(damage);
    assert!(errors(&findings).contains(&code), "{findings:?}");
}

#[test]
fn an_unknown_extension_that_is_not_critical_is_a_warning() {
    let findings = Bench::new().draft(|draft| draft.add_extension(&POISON, false, &[5, 0]));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, Severity::Warning);
}

#[test]
fn octets_after_the_certificate_are_blocked() {
    let bench = Bench::new();
    let mut tbs = bench.authority.tbs(&server_content(&bench.key));
    tbs.push(0);
    assert_eq!(
        errors(&bench.lint(&tbs, CertificateKind::TlsServer)),
        ["der.malformed"]
    );
}

#[test]
fn a_nameless_issuer_is_blocked() {
    let bench = Bench::new();
    let facts = IssuerFacts {
        subject_der: vec![0x30, 0],
        ..bench.authority.facts()
    };
    let content = server_content(&bench.key);
    let serial = crate::fixture::random_serial();
    let tbs = pki::certificate::encode_tbs(&content, &serial, &facts).unwrap();
    let end = bench.authority.certificate.not_after;
    let findings = lint_tbs(
        &tbs,
        &LintContext::new(&facts, end, CertificateKind::TlsServer),
    );
    assert!(errors(&findings).contains(&"issuer.empty"), "{findings:?}");
}

#[test]
fn the_issuers_name_constraints_bind_its_certificates() {
    let bench = Bench::new();
    let constraints = NameConstraints {
        permitted: vec![NameSubtree::Dns("example.net".into())],
        excluded: vec![],
    };
    let issuer = bench.authority.facts();
    let end = bench.authority.certificate.not_after;
    let context = LintContext {
        issuer_name_constraints: Some(&constraints),
        ..LintContext::new(&issuer, end, CertificateKind::TlsServer)
    };
    let findings = lint_tbs(&bench.authority.tbs(&server_content(&bench.key)), &context);
    assert_eq!(errors(&findings), ["name_constraints.violated"; 2]);
}

#[rstest]
#[case("2026-03-14T23:59:59Z", 398)]
#[case("2026-03-15T00:00:00Z", 200)]
#[case("2027-03-14T23:59:59Z", 200)]
#[case("2027-03-15T00:00:00Z", 100)]
#[case("2029-03-15T00:00:00Z", 47)]
fn i6_the_longest_validity_depends_on_the_day_of_issuance(#[case] start: &str, #[case] days: u64) {
    let bench = Bench::new();
    let life = |seconds: u64| {
        let start = at(start);
        errors(&bench.server(|content| {
            claim_baseline(content);
            content.not_before = start;
            content.not_after = start + std::time::Duration::from_secs(seconds);
        }))
    };
    // Both ends belong to the validity, so that of N days ends a second before.
    assert_eq!(life(days * 86_400 - 1), Vec::<&str>::new());
    assert_eq!(life(days * 86_400), ["br.validity"]);
}
