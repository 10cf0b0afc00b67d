//! The linter's rules for S/MIME, code signing, devices, and for extensions that a profile fixes.

use pki::certificate::{CertificateContent, ExtendedKeyUsage, ExtraExtension, KeyUsage};
use pki::key::{KeyAlgorithm, PublicKey, SigningKey};
use pki::lint::{CertificateKind, LintContext, Severity, lint_tbs};
use pki::name::{DistinguishedName, GeneralName};
use rstest::rstest;

use crate::fixture::{Authority, at, new_key, server_content};

type Content = CertificateContent;
type Change = fn(&mut Content);

fn errors(
    kind: CertificateKind,
    algorithm: KeyAlgorithm,
    make: fn(&PublicKey) -> CertificateContent,
    change: Change,
    decided: &[ExtraExtension],
) -> Vec<&'static str> {
    let authority = Authority::root(KeyAlgorithm::EcP256);
    let mut content = make(new_key(algorithm).public_key());
    change(&mut content);
    let issuer = authority.facts();
    let end = authority.certificate.not_after;
    let context = LintContext {
        extra_extensions: decided,
        ..LintContext::new(&issuer, end, kind)
    };
    lint_tbs(&authority.tbs(&content), &context)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.code)
        .collect()
}

/// Mailbox-validated, strict.
fn mail(key: &PublicKey) -> CertificateContent {
    CertificateContent {
        subject: DistinguishedName::parse("CN=jane@example.org").unwrap(),
        subject_alt_names: vec![GeneralName::Email("jane@example.org".into())],
        extended_key_usage: vec![ExtendedKeyUsage::EmailProtection],
        certificate_policies: vec!["2.23.140.1.5.1.3".to_owned()],
        ..server_content(key)
    }
}

fn code(key: &PublicKey) -> CertificateContent {
    CertificateContent {
        subject: DistinguishedName::parse("CN=Example,O=Example,L=Bonn,C=DE").unwrap(),
        subject_alt_names: vec![],
        extended_key_usage: vec![ExtendedKeyUsage::CodeSigning],
        certificate_policies: vec!["2.23.140.1.4.1".to_owned()],
        ..server_content(key)
    }
}

#[rstest]
#[case(None, |_: &mut Content| ())]
#[case(Some("smime.eku"), |c: &mut Content| c.extended_key_usage.push(ExtendedKeyUsage::ServerAuth))]
#[case(Some("smime.eku"), |c: &mut Content| c.extended_key_usage.push(ExtendedKeyUsage::ClientAuth))]
#[case(Some("smime.policy"), |c: &mut Content| c.certificate_policies = vec!["2.23.140.1.5.1.1".to_owned()])]
#[case(Some("smime.policy"), |c: &mut Content| c.certificate_policies.push("2.23.140.1.5.2.3".to_owned()))]
#[case(Some("smime.validity"), |c: &mut Content| c.not_after = at("2029-02-26T00:00:00Z"))]
#[case(Some("smime.crl"), |c: &mut Content| c.crl_urls.clear())]
#[case(Some("smime.name"), |c: &mut Content| c.subject_alt_names.push(GeneralName::Dns("a.example.org".into())))]
#[case(Some("smime.subject"), |c: &mut Content| c.subject = DistinguishedName::parse("CN=a,O=b").unwrap())]
#[case(Some("smime.key_usage"), |c: &mut Content| c.key_usage = KeyUsage::NON_REPUDIATION)]
fn mail_certificates_keep_what_they_claim(#[case] code: Option<&str>, #[case] change: Change) {
    let found = errors(
        CertificateKind::Email,
        KeyAlgorithm::EcP256,
        mail,
        change,
        &[],
    );
    assert_eq!(found.first().copied(), code, "{found:?}");
}

#[rstest]
#[case(None, KeyAlgorithm::EcP256, |_: &mut Content| ())]
#[case(None, KeyAlgorithm::Rsa3072, |_: &mut Content| ())]
#[case(Some("code_signing.key"), KeyAlgorithm::Rsa2048, |_: &mut Content| ())]
#[case(None, KeyAlgorithm::Rsa2048, |c: &mut Content| c.certificate_policies.clear())]
#[case(Some("code_signing.validity"), KeyAlgorithm::EcP256, |c: &mut Content| c.not_after = at("2028-02-26T14:00:00Z"))]
#[case(Some("code_signing.subject"), KeyAlgorithm::EcP256, |c: &mut Content| c.subject = DistinguishedName::parse("CN=a,O=b,C=DE").unwrap())]
#[case(Some("code_signing.eku"), KeyAlgorithm::EcP256, |c: &mut Content| c.extended_key_usage.push(ExtendedKeyUsage::ServerAuth))]
#[case(Some("code_signing.key_usage"), KeyAlgorithm::Rsa3072, |c: &mut Content| c.key_usage |= KeyUsage::KEY_ENCIPHERMENT)]
#[case(Some("code_signing.revocation"), KeyAlgorithm::EcP256, |c: &mut Content| c.crl_urls.clear())]
fn code_signing_certificates_keep_what_they_claim(
    #[case] code_of_rule: Option<&str>,
    #[case] algorithm: KeyAlgorithm,
    #[case] change: Change,
) {
    let found = errors(CertificateKind::CodeSigning, algorithm, code, change, &[]);
    assert_eq!(found.first().copied(), code_of_rule, "{found:?}");
}

#[test]
fn an_extension_passes_only_as_it_was_decided_on() {
    let decided = ExtraExtension::from_text("1.3.6.1.4.1.99999.1", true, "UTF8:a").unwrap();
    let lint = |change: Change, decided: &[ExtraExtension]| {
        let kind = CertificateKind::Device;
        errors(kind, KeyAlgorithm::EcP256, server_content, change, decided)
    };
    let with: Change = |c| {
        let extension = ExtraExtension::from_text("1.3.6.1.4.1.99999.1", true, "UTF8:a");
        c.extra_extensions = vec![extension.unwrap()];
    };
    assert_eq!(lint(with, std::slice::from_ref(&decided)), [""; 0]);
    assert_eq!(lint(with, &[]), ["extension.unknown"]);
    assert_eq!(
        lint(|_: &mut Content| (), &[decided]),
        ["extension.missing"]
    );
}
