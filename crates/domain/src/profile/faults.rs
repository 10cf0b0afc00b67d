//! What is wrong with the rules of a profile, with the place of each fault; looked for when they are
//! saved, so that nothing is found out by the first request.

use std::fmt;

use pki::certificate::{ExtendedKeyUsage, KeyUsage};
use pki::key::KeyKind;
use pki::name::Attribute;
use pki::{lint, oid};

use crate::approval::ApprovalRule;

use super::{
    AttributeRule, CertificateKind, CommonName, NameRules, Presence, ProfileSpec, SanPattern,
    SubjectRules, ValiditySchedule,
};
use crate::pattern::Pattern;

/// One fault in rules, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecFault {
    /// The member: `names.allow[2]`.
    pub path: String,
    /// The character within its text, counted from 0, where that can be told.
    pub offset: Option<usize>,
    pub message: String,
}

impl SpecFault {
    /// A fault of a whole member.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            offset: None,
            message: message.into(),
        }
    }

    /// A fault at a character of a text.
    pub fn at(path: impl Into<String>, offset: Option<usize>, message: impl Into<String>) -> Self {
        Self {
            offset,
            ..Self::new(path, message)
        }
    }
}

impl fmt::Display for SpecFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(
                f,
                "{} (character {}): {}",
                self.path,
                offset + 1,
                self.message
            ),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

impl ProfileSpec {
    /// Everything that is wrong with these rules by themselves. Whether their issuers exist is not
    /// theirs to know.
    pub fn faults(&self) -> Vec<SpecFault> {
        let mut faults = Vec::new();
        validity(self, &mut faults);
        keys(self, &mut faults);
        names(&self.names, &mut faults);
        subject(self, &mut faults);
        purposes(self, &mut faults);
        extensions(self, &mut faults);
        renewal(self, &mut faults);
        issuers(self, &mut faults);
        expressions(self, &mut faults);
        faults.extend(self.attestation.iter().flat_map(|rules| rules.faults()));
        faults.extend(self.approval.iter().flat_map(ApprovalRule::faults));
        faults
    }
}

type Faults = Vec<SpecFault>;

fn refuse_if(faults: &mut Faults, is_wrong: bool, path: &str, message: &str) {
    if is_wrong {
        faults.push(SpecFault::new(path, message));
    }
}

fn validity(spec: &ProfileSpec, faults: &mut Faults) {
    refuse_if(
        faults,
        spec.validity_seconds < MINUTE,
        "validity_seconds",
        "shorter than a minute",
    );
    refuse_if(
        faults,
        spec.validity_seconds > LONGEST,
        "validity_seconds",
        "longer than ten years",
    );
    refuse_if(
        faults,
        spec.backdate_seconds > DAY,
        "backdate_seconds",
        "longer than a day",
    );
    if let Some(ValiditySchedule::Steps(steps)) = &spec.validity_schedule {
        let path = "validity_schedule";
        refuse_if(faults, steps.is_empty(), path, "empty; leave it out");
        refuse_if(faults, steps.len() > 100, path, "more than 100 steps");
        let unordered = steps.windows(2).any(|pair| match pair {
            [earlier, later] => earlier.from >= later.from,
            _ => false,
        });
        refuse_if(faults, unordered, path, "the days are not in their order");
        for (position, step) in steps.iter().enumerate() {
            let path = format!("{path}[{position}].days");
            refuse_if(
                faults,
                step.days == 0,
                &path,
                "0 days; nothing could be issued",
            );
        }
    }
}

fn keys(spec: &ProfileSpec, faults: &mut Faults) {
    refuse_if(
        faults,
        spec.key_algorithms.is_empty(),
        "key_algorithms",
        "empty, so no key would be taken; name at least one",
    );
    let as_ca = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN;
    refuse_if(
        faults,
        spec.key_usage.intersects(as_ca),
        "key_usage",
        "keyCertSign and cRLSign are for CAs' certificates only",
    );
    for algorithm in &spec.key_algorithms {
        if spec.key_usage_of(&KeyKind::from(*algorithm)).is_empty() {
            faults.push(SpecFault::new(
                "key_usage",
                format!("leaves a key of kind {algorithm} nothing to do; add digitalSignature"),
            ));
        }
    }
}

fn names(rules: &NameRules, faults: &mut Faults) {
    let no_kind = !(rules.dns || rules.ip || rules.email || rules.uri);
    refuse_if(
        faults,
        no_kind && rules.min > 0,
        "names",
        "allows neither DNS names nor addresses, mailboxes or URIs, so nothing could be certified",
    );
    refuse_if(
        faults,
        rules.max == 0 && rules.min > 0,
        "names.max",
        "0, so nothing could be certified; where the subject says it all, set names.min to 0 as well",
    );
    refuse_if(
        faults,
        rules.max > 0 && rules.min > rules.max,
        "names.min",
        "greater than names.max",
    );
    refuse_if(faults, rules.max > MAX_NAMES, "names.max", "more than 1000");
    patterns("names.allow", &rules.allow, faults);
    patterns("names.deny", &rules.deny, faults);
}

fn patterns(path: &str, list: &[SanPattern], faults: &mut Faults) {
    refuse_if(
        faults,
        list.len() > MAX_NAMES,
        path,
        "more than 1000 patterns",
    );
    for (position, pattern) in list.iter().enumerate() {
        if let Err(error) = pattern.check() {
            faults.push(SpecFault::at(
                format!("{path}[{position}]"),
                error.offset(),
                error.to_string(),
            ));
        }
    }
}

fn subject(spec: &ProfileSpec, faults: &mut Faults) {
    let Some(rules) = &spec.subject else { return };
    let path = "subject.attributes";
    refuse_if(
        faults,
        rules.attributes.len() > 40,
        path,
        "more than 40 rules",
    );
    for (position, rule) in rules.attributes.iter().enumerate() {
        let earlier = rules.attributes.iter().take(position);
        attribute(&format!("{path}[{position}]"), rule, earlier, faults);
    }
    refuse_if(
        faults,
        rules.rule("CN").is_some() && spec.common_name != CommonName::Omitted,
        "common_name",
        "there is a rule for CN in subject.attributes; set this to omitted",
    );
    let says_nothing = spec.names.max == 0 && !always_says_something(rules);
    refuse_if(
        faults,
        says_nothing,
        path,
        "with names.max 0 some attribute has to be fixed or required, else certificates name nobody",
    );
}

fn always_says_something(rules: &SubjectRules) -> bool {
    rules.attributes.iter().any(|rule| match rule.presence {
        Presence::Fixed | Presence::Required => true,
        Presence::Optional => rule.value.is_some(),
        Presence::Forbidden => false,
    })
}

fn attribute<'a>(
    path: &str,
    rule: &AttributeRule,
    mut earlier: impl Iterator<Item = &'a AttributeRule>,
    faults: &mut Faults,
) {
    let at = |member: &str| format!("{path}.{member}");
    // Any text will do to see whether there is such a type.
    let Some(probe) = Attribute::named(&rule.attribute, "x") else {
        faults.push(SpecFault::new(
            at("attribute"),
            format!(
                "`{}` is no attribute; use CN, O, OU, C, L, ST, … or an object identifier",
                rule.attribute
            ),
        ));
        return;
    };
    refuse_if(
        faults,
        earlier.any(|other| probe.is_named(&other.attribute)),
        &at("attribute"),
        "there is a rule for this attribute already",
    );
    if let Some(Err(error)) = rule.pattern.as_ref().map(Pattern::check) {
        faults.push(SpecFault::at(at("pattern"), error.offset, error.message));
    }
    match (rule.presence, &rule.value) {
        (Presence::Fixed, None) => faults.push(SpecFault::new(
            at("value"),
            "missing; a fixed attribute needs one",
        )),
        (Presence::Required | Presence::Forbidden, Some(_)) => faults.push(SpecFault::new(
            at("value"),
            "only a fixed or an optional attribute has a value in the profile",
        )),
        (Presence::Fixed | Presence::Optional, Some(value)) => {
            value_faults(&at("value"), rule, value, faults);
        }
        (Presence::Required | Presence::Optional | Presence::Forbidden, None) => {}
    }
}

fn value_faults(path: &str, rule: &AttributeRule, value: &str, faults: &mut Faults) {
    let attribute = Attribute::named(&rule.attribute, value);
    let subject = pki::name::DistinguishedName::from_attributes(attribute);
    for finding in lint::lint_subject(&subject) {
        faults.push(SpecFault::new(path, finding.message));
    }
    if let Some(pattern) = &rule.pattern
        && pattern.check().is_ok()
        && !pattern.matches(value)
    {
        faults.push(SpecFault::new(
            path,
            format!("`{value}` does not match the rule's own pattern"),
        ));
    }
}

fn purposes(spec: &ProfileSpec, faults: &mut Faults) {
    let path = "extended_key_usage";
    let listed = &spec.extended_key_usage;
    let needed = match spec.kind {
        CertificateKind::TlsServer => Some(ExtendedKeyUsage::ServerAuth),
        CertificateKind::TlsClient => Some(ExtendedKeyUsage::ClientAuth),
        CertificateKind::Smime => Some(ExtendedKeyUsage::EmailProtection),
        CertificateKind::CodeSigning => Some(ExtendedKeyUsage::CodeSigning),
        CertificateKind::Device => None,
    };
    if let Some(needed) = needed.filter(|needed| !listed.contains(needed)) {
        faults.push(SpecFault::new(
            path,
            format!("certificates of this kind need {needed}"),
        ));
    }
    let any = ExtendedKeyUsage::Other(oid::ANY_EXTENDED_KEY_USAGE.to_string());
    for (position, purpose) in listed.iter().enumerate() {
        let path = format!("{path}[{position}]");
        if *purpose == ExtendedKeyUsage::OcspSigning {
            let text = "would let certificates answer for the CA; it makes its own responders";
            faults.push(SpecFault::new(&path, text));
        }
        if *purpose == any {
            faults.push(SpecFault::new(
                &path,
                "takes every limit away; name the purposes",
            ));
        }
        if listed
            .iter()
            .take(position)
            .any(|earlier| earlier == purpose)
        {
            faults.push(SpecFault::new(&path, "listed already"));
        }
    }
}

fn extensions(spec: &ProfileSpec, faults: &mut Faults) {
    for (position, policy) in spec.certificate_policies.iter().enumerate() {
        if oid::from_text(policy).is_none() {
            faults.push(SpecFault::new(
                format!("certificate_policies[{position}]"),
                format!("`{policy}` is no object identifier"),
            ));
        }
    }
    refuse_if(
        faults,
        spec.extensions.len() > 50,
        "extensions",
        "more than 50",
    );
    for (position, extension) in spec.extensions.iter().enumerate() {
        let path = format!("extensions[{position}]");
        if let Err(error) = extension.encode() {
            faults.push(SpecFault::new(&path, error.to_string()));
        }
        let earlier = &mut spec.extensions.iter().take(position);
        if earlier.any(|other| other.oid == extension.oid) {
            faults.push(SpecFault::new(&path, "there is one of this type already"));
        }
    }
    refuse_if(
        faults,
        spec.must_staple_always && !spec.revocation_pointers.ocsp,
        "must_staple_always",
        "servers would have to staple answers of an OCSP responder that certificates do not name; \
         set revocation_pointers.ocsp",
    );
}

fn renewal(spec: &ProfileSpec, faults: &mut Faults) {
    let Some(rules) = spec.renewal else { return };
    refuse_if(
        faults,
        !(1..=99).contains(&rules.begin_percent),
        "renewal.begin_percent",
        "must be 1 to 99",
    );
    refuse_if(
        faults,
        rules.end_percent <= rules.begin_percent || rules.end_percent > 99,
        "renewal.end_percent",
        "must be above begin_percent and at most 99",
    );
}

fn issuers(spec: &ProfileSpec, faults: &mut Faults) {
    refuse_if(
        faults,
        spec.issuers.iter().all(|choice| choice.weight == 0),
        "issuers",
        "none has a weight above 0, so nothing would be signed",
    );
    for (position, choice) in spec.issuers.iter().enumerate() {
        let path = format!("issuers[{position}]");
        refuse_if(
            faults,
            spec.issuers
                .iter()
                .take(position)
                .any(|other| other.issuer == choice.issuer && other.when == choice.when),
            &path,
            "is named twice for the same requests",
        );
        let patterns = choice.when.iter().flat_map(|when| &when.names);
        for (number, pattern) in patterns.enumerate() {
            if let Err(error) = pattern.check() {
                let path = format!("{path}.when.names[{number}]");
                refuse_if(faults, true, &path, &error.to_string());
            }
        }
    }
}

fn expressions(spec: &ProfileSpec, faults: &mut Faults) {
    refuse_if(
        faults,
        spec.expressions.len() > 20,
        "expressions",
        "more than 20; join some with &&",
    );
    for (position, expression) in spec.expressions.iter().enumerate() {
        let path = format!("expressions[{position}]");
        for fault in expression.faults(spec.names.max) {
            faults.push(SpecFault::at(
                format!("{path}.{}", fault.member),
                fault.offset,
                fault.message,
            ));
        }
    }
}

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;
const LONGEST: u64 = 3653 * DAY;
const MAX_NAMES: usize = 1000;
