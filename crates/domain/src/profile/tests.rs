//! Rules of profiles by themselves: what is readable, what is at fault, what follows from a key.

use rstest::rstest;

use super::*;
use crate::pattern::Pattern;
use crate::profile::preset::Preset;

/// As the first release wrote it.
const OF_YORE: &str = r#"{
    "description": "TLS server certificates, 90 days", "kind": "tls-server",
    "validity_seconds": 7776000, "backdate_seconds": 3600, "key_algorithms": ["p-256", "rsa-2048"],
    "names": {"dns": true, "ip": true, "wildcards": true, "max": 100,
              "allow": [".example.org", "192.0.2.0/24"], "deny": []},
    "common_name": "first-dns-name", "key_usage": ["digitalSignature"],
    "extended_key_usage": ["serverAuth"], "certificate_policies": [],
    "subject_key_identifier": false,
    "revocation_pointers": {"crl": true, "ocsp": true, "ca_issuers": true},
    "must_staple": true, "issuers": [{"issuer": "issuing", "weight": 1}]}"#;

#[test]
fn rules_of_the_first_release_are_read_and_mean_what_they_meant() {
    let spec: ProfileSpec = serde_json::from_str(OF_YORE).unwrap();
    assert_eq!(spec.faults(), []);
    assert!(!spec.names.email && !spec.names.uri && spec.names.min == 1);
    assert!(spec.subject.is_none() && spec.validity_schedule.is_none());
    let again: ProfileSpec = serde_json::from_str(&serde_json::to_string(&spec).unwrap()).unwrap();
    assert_eq!(again, spec);
}

#[test]
fn every_preset_is_without_fault_and_read_back_by_its_name() {
    for preset in Preset::ALL {
        let spec = preset.spec("issuing");
        assert_eq!(spec.faults(), [], "{preset}");
        assert_eq!(preset.as_str().parse::<Preset>().unwrap(), preset);
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<ProfileSpec>(&text).unwrap(), spec);
    }
}

fn faults(change: impl FnOnce(&mut ProfileSpec)) -> Vec<String> {
    let mut spec = preset::tls_server("issuing");
    change(&mut spec);
    spec.faults().iter().map(ToString::to_string).collect()
}

#[test]
fn a_fault_in_a_pattern_has_its_member_and_its_character() {
    let found = faults(|spec| {
        spec.names.allow = vec![
            SanPattern::new(".example.org"),
            SanPattern::new("dns:/ab(c/"),
        ];
        spec.names.deny = vec![SanPattern::new("192.0.2.0/33")];
    });
    assert!(
        found[0].starts_with("names.allow[1] (character 8): "),
        "{found:?}"
    );
    assert!(found[1].starts_with("names.deny[0]: "), "{found:?}");
}

#[test]
fn a_fault_in_an_expression_has_its_member_and_its_character() {
    let found = faults(|spec| {
        spec.expressions = vec![
            Expression::new("validity_days < 90", "shorter, please"),
            Expression::new("team == 'a' && tema == 'b'", "join a team"),
        ];
    });
    assert!(
        found[0].starts_with("expressions[1].expression (character 16): "),
        "{found:?}"
    );
}

#[rstest]
#[case(
    "subject.attributes[0].attribute",
    rule("shoe size", Presence::Required, None, None)
)]
#[case("subject.attributes[0].value", rule("O", Presence::Fixed, None, None))]
#[case(
    "subject.attributes[0].value",
    rule("O", Presence::Required, Some("x"), None)
)]
#[case(
    "subject.attributes[0].value",
    rule("C", Presence::Fixed, Some("Germany"), None)
)]
#[case(
    "subject.attributes[0].value",
    rule("O", Presence::Fixed, Some("a"), Some("b+"))
)]
#[case(
    "subject.attributes[0].pattern",
    rule("O", Presence::Optional, None, Some("["))
)]
fn a_fault_in_a_rule_for_the_subject_has_its_member(
    #[case] path: &str,
    #[case] rule: AttributeRule,
) {
    let found = faults(|spec| {
        spec.subject = Some(SubjectRules {
            attributes: vec![rule],
            others: OtherAttributes::Dropped,
        });
    });
    assert!(
        found.iter().any(|fault| fault.starts_with(path)),
        "{found:?}"
    );
}

fn rule(
    attribute: &str,
    presence: Presence,
    value: Option<&str>,
    pattern: Option<&str>,
) -> AttributeRule {
    AttributeRule {
        attribute: attribute.to_owned(),
        presence,
        value: value.map(str::to_owned),
        pattern: pattern.map(Pattern::new),
    }
}

/// A4: who may write profiles is no CA, and cannot make one.
#[test]
fn a04_no_rules_make_a_ca_or_something_that_speaks_for_it() {
    for (path, spec) in [
        ("key_usage", {
            let mut spec = preset::tls_server("issuing");
            spec.key_usage |= KeyUsage::KEY_CERT_SIGN;
            spec
        }),
        ("extended_key_usage[1]", {
            let mut spec = preset::tls_server("issuing");
            spec.extended_key_usage.push(ExtendedKeyUsage::OcspSigning);
            spec
        }),
        ("extended_key_usage[1]", {
            let mut spec = preset::tls_server("issuing");
            spec.extended_key_usage.push("2.5.29.37.0".parse().unwrap());
            spec
        }),
        ("extensions[0]", {
            let mut spec = preset::tls_server("issuing");
            spec.extensions = vec![FixedExtension {
                oid: "2.5.29.19".to_owned(),
                critical: true,
                value: "DER:30030101ff".to_owned(),
            }];
            spec
        }),
    ] {
        let found = spec.faults();
        assert!(
            found.iter().any(|fault| fault.path == path),
            "{path}: {found:?}"
        );
    }
}

#[rstest]
#[case(Preset::TlsServer, KeyKind::Rsa { bits: 2048 }, "digitalSignature keyEncipherment")]
#[case(Preset::TlsServer, KeyKind::EcP256, "digitalSignature")]
#[case(Preset::CodeSigning, KeyKind::Rsa { bits: 3072 }, "digitalSignature")]
#[case(Preset::Smime, KeyKind::Rsa { bits: 2048 }, "digitalSignature keyEncipherment")]
#[case(Preset::Smime, KeyKind::EcP256, "digitalSignature keyAgreement")]
#[case(Preset::Smime, KeyKind::Ed25519, "digitalSignature")]
fn a_key_is_certified_for_what_it_can_do(
    #[case] preset: Preset,
    #[case] kind: KeyKind,
    #[case] usage: &str,
) {
    let names: Vec<&str> = preset.spec("a").key_usage_of(&kind).names().collect();
    assert_eq!(names.join(" "), usage);
}
