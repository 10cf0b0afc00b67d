//! The subject of a certificate: what the profile fixes, what the request gives and may give.

use pki::lint;
use pki::name::{Attribute, DistinguishedName};
use pki::oid;

use super::{Case, Fault, Ledger, Violation};
use crate::identifier::Identifier;
use crate::profile::{
    AttributeRule, CertificateKind, CommonName, OtherAttributes, Presence, SubjectRules,
};

/// The subject that the certificate gets. What is wrong with the request's goes into the ledger.
pub(super) fn resolve(case: &Case<'_>, ledger: &mut Ledger) -> DistinguishedName {
    let Some(rules) = &case.spec.subject else {
        return without_rules(case, ledger);
    };
    let before = ledger.count();
    let asked = asked(case);
    let mut attributes = Vec::new();
    for rule in &rules.attributes {
        let given: Vec<&Attribute> = asked
            .attributes()
            .filter(|attribute| attribute.is_named(&rule.attribute))
            .collect();
        apply(case, rule, &given, &mut attributes, ledger);
    }
    others(case, rules, asked, ledger);
    if rules.rule("CN").is_none() {
        attributes.extend(common_name(case));
    }
    let subject = DistinguishedName::from_attributes(attributes);
    check_form(&subject, ledger);
    check_names(case, &subject, ledger);
    ledger.passed_unless(before, "subject", || shown(&subject));
    subject
}

/// The request's own subject counts before the CSR's.
fn asked<'a>(case: &Case<'a>) -> &'a DistinguishedName {
    case.proposal.subject.unwrap_or(&case.proposal.csr.subject)
}

/// Without rules nothing is taken over: clients fill in subjects of their own that nobody proved.
fn without_rules(case: &Case<'_>, ledger: &mut Ledger) -> DistinguishedName {
    let before = ledger.count();
    // A subject that stands beside the CSR was meant, and is not dropped in silence.
    for attribute in case.proposal.subject.iter().flat_map(|s| s.attributes()) {
        let is_name = attribute.is(&oid::COMMON_NAME)
            && attribute.as_text().is_some_and(|text| is_named(case, text));
        if !is_name {
            ledger.failed(unwanted(attribute));
        }
    }
    let subject = DistinguishedName::from_attributes(common_name(case));
    ledger.passed_unless(before, "subject", || shown(&subject));
    subject
}

fn apply(
    case: &Case<'_>,
    rule: &AttributeRule,
    given: &[&Attribute],
    attributes: &mut Vec<Attribute>,
    ledger: &mut Ledger,
) {
    let name = rule.attribute.as_str();
    let refuse = |text: String| Violation::new(format!("subject.{name}"), Fault::Subject, text);
    let of_profile = rule
        .value
        .as_ref()
        .and_then(|value| Attribute::named(name, value.as_str()));
    match (rule.presence, given) {
        (Presence::Fixed, _) => {
            let value = rule.value.as_deref();
            let differs = given.iter().any(|one| one.as_text() != value);
            if differs && case.proposal.subject.is_some() {
                let wanted = value.unwrap_or_default();
                ledger.failed(
                    refuse(format!("{name} is fixed to `{wanted}` by the profile"))
                        .fix("leave it out of the subject"),
                );
            }
            attributes.extend(of_profile);
        }
        (Presence::Required, []) => ledger.failed(
            refuse(format!(
                "the subject has no {name}, which the profile requires"
            ))
            .fix(format!("give {name} in the subject")),
        ),
        (Presence::Optional, []) => attributes.extend(of_profile),
        (Presence::Required | Presence::Optional, given) => {
            for attribute in given {
                match fault_of(rule, attribute) {
                    Some(text) => ledger.failed(refuse(text).fix("change the value")),
                    None => attributes.push((*attribute).clone()),
                }
            }
            if given.len() > MAX_VALUES {
                ledger.failed(
                    refuse(format!("{name} is given {} times", given.len()))
                        .fix(format!("give it at most {MAX_VALUES} times")),
                );
            }
        }
        (Presence::Forbidden, []) => {}
        (Presence::Forbidden, [_, ..]) => ledger.failed(
            refuse(format!("the profile certifies no {name}")).fix("leave it out of the subject"),
        ),
    }
}

fn fault_of(rule: &AttributeRule, attribute: &Attribute) -> Option<String> {
    let name = rule.attribute.as_str();
    let Some(text) = attribute.as_text() else {
        return Some(format!("{name} is no text"));
    };
    let pattern = rule.pattern.as_ref()?;
    (!pattern.matches(text)).then(|| format!("{name} `{text}` does not match `{pattern}`"))
}

fn others(case: &Case<'_>, rules: &SubjectRules, asked: &DistinguishedName, ledger: &mut Ledger) {
    for attribute in asked.attributes() {
        let has_rule = rules
            .attributes
            .iter()
            .any(|rule| attribute.is_named(&rule.attribute));
        let is_name = attribute.is(&oid::COMMON_NAME)
            && attribute.as_text().is_some_and(|text| is_named(case, text));
        if has_rule || is_name {
            continue;
        }
        match rules.others {
            OtherAttributes::Dropped if case.proposal.subject.is_none() => {
                ledger.not_applicable("subject.others", || {
                    format!("{} of the CSR is left out", attribute.type_name())
                });
            }
            OtherAttributes::Dropped | OtherAttributes::Refused => {
                ledger.failed(unwanted(attribute));
            }
        }
    }
}

fn unwanted(attribute: &Attribute) -> Violation {
    let name = attribute.type_name();
    Violation::new(
        "subject.others",
        Fault::Subject,
        format!("the profile certifies no {name} in the subject"),
    )
    .fix("leave it out of the subject")
}

/// The common name that is a copy of a name, where the profile wants one.
fn common_name(case: &Case<'_>) -> Option<Attribute> {
    match case.spec.common_name {
        CommonName::Omitted => None,
        CommonName::FirstDnsName => {
            case.proposal
                .identifiers
                .iter()
                .find_map(|identifier| match identifier {
                    Identifier::Dns(name) if name.as_str().len() <= MAX_COMMON_NAME => {
                        Some(Attribute::text(&oid::COMMON_NAME, name.as_str()))
                    }
                    Identifier::Dns(_)
                    | Identifier::Ip(_)
                    | Identifier::Email(_)
                    | Identifier::Uri(_)
                    | Identifier::Permanent(_)
                    | Identifier::Hardware(_) => None,
                })
        }
    }
}

/// RFC 5280 appendix A: lengths, string types, country codes.
fn check_form(subject: &DistinguishedName, ledger: &mut Ledger) {
    for finding in lint::lint_subject(subject) {
        ledger.failed(
            Violation::new(finding.code, Fault::Subject, finding.message).fix("change the value"),
        );
    }
}

/// Names of hosts and mailboxes in the subject are proven ones: they stand in the SAN as well
/// (TLS BR section 7.1.4.3, S/MIME BR section 7.1.4.2.2).
fn check_names(case: &Case<'_>, subject: &DistinguishedName, ledger: &mut Ledger) {
    for attribute in subject.attributes() {
        let Some(text) = attribute.as_text() else {
            continue;
        };
        let is_common_name = attribute.is(&oid::COMMON_NAME);
        let must_be_named = match case.spec.kind {
            CertificateKind::TlsServer => is_common_name,
            CertificateKind::Smime => {
                attribute.is(&oid::EMAIL_ADDRESS) || (is_common_name && text.contains('@'))
            }
            CertificateKind::TlsClient | CertificateKind::CodeSigning | CertificateKind::Device => {
                attribute.is(&oid::EMAIL_ADDRESS)
            }
        };
        if must_be_named && !is_named(case, text) {
            ledger.failed(
                Violation::new(
                    "subject.names",
                    Fault::Subject,
                    format!(
                        "the subject's {} `{text}` is none of the names asked for",
                        attribute.type_name()
                    ),
                )
                .fix("name it in the subject alternative name as well, or leave it out"),
            );
        }
    }
}

fn is_named(case: &Case<'_>, text: &str) -> bool {
    case.proposal
        .identifiers
        .iter()
        .any(|identifier| identifier.value().eq_ignore_ascii_case(text))
}

fn shown(subject: &DistinguishedName) -> String {
    match subject.is_empty() {
        true => "the subject is empty".to_owned(),
        false => subject.to_string(),
    }
}

/// RFC 5280 appendix A, ub-common-name.
const MAX_COMMON_NAME: usize = 64;
/// More values of one attribute than anybody has.
const MAX_VALUES: usize = 8;
