//! Check: what an issuer answered is held against what it was asked for, before it is believed (I14).
//! A CA may give less than was asked; it may not give more.

use std::time::Duration;

use domain::identifier::Identifier;
use domain::profile::CertificateKind;
use pki::certificate::{Certificate, ExtendedKeyUsage, IssuerFacts, KeyUsage};
use pki::lint::{LintContext, Severity, lint_tbs};
use pki::name::{Attribute, DistinguishedName, GeneralName};
use pki::time::Timestamp;

use super::Admitted;

/// What is wrong with a certificate that an issuer gave.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("the issuer answered without a certificate")]
    Empty,
    #[error("the issuer's answer is no certificate: {0}")]
    Unreadable(String),
    #[error("the certificate has another public key than the request")]
    WrongKey,
    #[error("the certificate names {found}, the request {wanted}")]
    WrongNames { found: String, wanted: String },
    #[error(
        "the certificate's subject has {found}, which was not asked for; have the CA leave it out, or \
         let the profile take such a subject"
    )]
    WrongSubject { found: String },
    #[error("the certificate is not valid now: it runs from {not_before} to {not_after}")]
    NotValidNow {
        not_before: String,
        not_after: String,
    },
    #[error(
        "the certificate runs until {found}, which is longer than until {wanted} as was asked for; \
         shorten what the CA gives, or lengthen the profile's validity"
    )]
    TooLong { found: String, wanted: String },
    #[error("the certificate begins at {found}, long before it was asked for")]
    Backdated { found: String },
    #[error("the certificate is a CA certificate")]
    IsCa,
    #[error(
        "the certificate is good for {found}, the request was for {wanted} only; narrow what the CA \
         gives, or widen the profile's `key_usage` or `extended_key_usage`"
    )]
    WrongUsage { found: String, wanted: String },
    #[error("the certificate's chain does not hold together")]
    BrokenChain,
    #[error(
        "the certificate's chain ends in none of the CA's certificates that are known; if the CA has a \
         new one, give it with `certwright issuer update NAME --certificates FILE`"
    )]
    UnknownCa,
    #[error(
        "the certificate came without those above it, and the CA's are not known; give them with \
         `certwright issuer update NAME --certificates FILE`"
    )]
    NoChain,
    #[error("the certificate is the answer to another request, {0}")]
    Foreign(domain::id::CertificateId),
    #[error("the CA has given another certificate the same serial number before")]
    SameSerial,
}

/// A CA that dates nothing back, and has a clock a little ahead of ours, is no liar.
const CLOCK_SKEW: Duration = Duration::from_secs(2 * 60);
/// Public CAs round the validity to whole days, on both sides.
const WHOLE_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long before the request a certificate may begin.
const MAX_BACKDATE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// I14: key, names, subject, validity, usage and chain are what was asked for.
pub(super) fn check(
    certificate: &Certificate,
    issuers: &[Vec<u8>],
    admitted: &Admitted,
    now: Timestamp,
) -> Result<(), RecordError> {
    let content = &admitted.request.content;
    if certificate.spki_sha256 != content.public_key.spki_sha256() {
        return Err(RecordError::WrongKey);
    }
    check_names(certificate, &admitted.enrollment.identifiers)?;
    check_subject(certificate, &content.subject)?;
    check_validity(certificate, admitted, now)?;
    if certificate.is_ca {
        return Err(RecordError::IsCa);
    }
    check_key_usage(certificate, content.key_usage, admitted.request.kind)?;
    check_purposes(&certificate.extended_key_usage, &content.extended_key_usage)?;
    check_chain(certificate, issuers, admitted)
}

fn check_names(certificate: &Certificate, identifiers: &[Identifier]) -> Result<(), RecordError> {
    let mut found: Vec<String> = certificate.names.iter().map(name_text).collect();
    let mut wanted: Vec<String> = identifiers.iter().map(Identifier::value).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    if found == wanted {
        return Ok(());
    }
    Err(RecordError::WrongNames {
        found: found.join(", "),
        wanted: wanted.join(", "),
    })
}

/// Public CAs drop a subject, or repeat a name of the certificate in it; those that vetted an
/// organisation say whose certificate it is, where the request leaves that to them.
fn check_subject(certificate: &Certificate, wanted: &DistinguishedName) -> Result<(), RecordError> {
    let is_fine = |attribute: &Attribute| {
        let is_asked_for = wanted.attributes().any(|one| is_same(one, attribute));
        let is_repeated = attribute.as_text().is_some_and(|text| {
            let mut names = certificate.names.iter();
            names.any(|name| name_text(name).eq_ignore_ascii_case(text))
        });
        is_asked_for || is_repeated || (wanted.is_empty() && !names_somebody(attribute))
    };
    match certificate.subject.attributes().find(|one| !is_fine(one)) {
        None => Ok(()),
        Some(other) => Err(RecordError::WrongSubject {
            found: DistinguishedName::from_attributes([other.clone()]).to_string(),
        }),
    }
}

fn is_same(one: &Attribute, other: &Attribute) -> bool {
    one.type_name() == other.type_name()
        && match (one.as_text(), other.as_text()) {
            // RFC 5280 section 7.1: names are compared without regard to case.
            (Some(one), Some(other)) => one.to_lowercase() == other.to_lowercase(),
            _ => one.value == other.value,
        }
}

/// Whether an attribute says who holds the key, and not only where they belong.
fn names_somebody(attribute: &Attribute) -> bool {
    let places = ["C", "ST", "L", "STREET", "O", "OU", "DC"];
    !places.iter().any(|place| attribute.is_named(place))
}

/// A CA may shorten what was asked, and counts from its own hour: what a person had to approve over there
/// begins later and ends later.
fn check_validity(
    certificate: &Certificate,
    admitted: &Admitted,
    now: Timestamp,
) -> Result<(), RecordError> {
    let content = &admitted.request.content;
    let (not_before, not_after) = (certificate.not_before, certificate.not_after);
    let earliest = content.not_before.max(now);
    if not_after <= now || not_before > earliest + CLOCK_SKEW {
        return Err(RecordError::NotValidNow {
            not_before: not_before.to_string(),
            not_after: not_after.to_string(),
        });
    }
    let requested = content.not_before.min(admitted.enrollment.created_at);
    if not_before < requested - MAX_BACKDATE {
        return Err(RecordError::Backdated {
            found: not_before.to_string(),
        });
    }
    let life = content.not_after.since(content.not_before);
    let latest = content.not_after.max(now + life);
    if not_after > latest + (life / 10).clamp(CLOCK_SKEW, WHOLE_DAY) {
        return Err(RecordError::TooLong {
            found: not_after.to_string(),
            wanted: content.not_after.to_string(),
        });
    }
    Ok(())
}

fn check_key_usage(
    certificate: &Certificate,
    wanted: KeyUsage,
    kind: CertificateKind,
) -> Result<(), RecordError> {
    let is_tls = match kind {
        CertificateKind::TlsServer | CertificateKind::TlsClient | CertificateKind::Device => true,
        CertificateKind::Smime | CertificateKind::CodeSigning => false,
    };
    let (found, allowed) = match (certificate.key_usage, is_tls) {
        (Some(found), false) => (found, wanted),
        // CAs write these whatever the kind of the key; in TLS they give nobody more than the key does.
        (Some(found), true) => (
            found,
            wanted | KeyUsage::KEY_ENCIPHERMENT | KeyUsage::KEY_AGREEMENT,
        ),
        // The extension may be missing in certificates for TLS.
        (None, true) => return Ok(()),
        (None, false) => (ANY_USAGE, wanted),
    };
    if wanted.is_empty() || allowed.contains(found) {
        return Ok(());
    }
    Err(RecordError::WrongUsage {
        found: listed(found.names()),
        wanted: listed(wanted.names()),
    })
}

/// What a key may do whose certificate does not say.
const ANY_USAGE: KeyUsage = KeyUsage::DIGITAL_SIGNATURE
    .union(KeyUsage::NON_REPUDIATION)
    .union(KeyUsage::KEY_ENCIPHERMENT);

/// A certificate without purposes is good for all of them (RFC 5280 section 4.2.1.12).
fn check_purposes(
    found: &[ExtendedKeyUsage],
    wanted: &[ExtendedKeyUsage],
) -> Result<(), RecordError> {
    let is_within = !found.is_empty() && found.iter().all(|one| wanted.contains(one));
    if wanted.is_empty() || is_within {
        return Ok(());
    }
    let found = match found {
        [] => "every purpose".to_owned(),
        found => listed(found.iter().map(ToString::to_string)),
    };
    Err(RecordError::WrongUsage {
        found,
        wanted: listed(wanted.iter().map(ToString::to_string)),
    })
}

fn listed(words: impl Iterator<Item = impl ToString>) -> String {
    let words: Vec<String> = words.map(|word| word.to_string()).collect();
    words.join(", ")
}

/// Our own CA's chain was checked when it was configured, and its signature is our own; what
/// comes from elsewhere is followed link by link, up to a certificate of the CA that is known.
fn check_chain(
    certificate: &Certificate,
    issuers: &[Vec<u8>],
    admitted: &Admitted,
) -> Result<(), RecordError> {
    let connector = &admitted.issuer.connector;
    if let Some(ca) = connector.local_ca() {
        return match certificate.issuer_der == ca.certificate.subject_der {
            true => Ok(()),
            false => Err(RecordError::BrokenChain),
        };
    }
    // Without a link nothing would be held against the certificate at all.
    if issuers.is_empty() {
        return Err(RecordError::NoChain);
    }
    let known: Vec<Certificate> = connector
        .chain()
        .certificates()
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect();
    let mut is_tied = known.is_empty();
    let mut below = certificate.clone();
    for der in issuers {
        let above = Certificate::from_der(der)
            .map_err(|error| RecordError::Unreadable(error.to_string()))?;
        if !below.is_signed_by(&above) {
            return Err(RecordError::BrokenChain);
        }
        // The same key under the same name, whoever has cross-signed it.
        is_tied |= known.iter().any(|known| {
            known.spki_sha256 == above.spki_sha256 && known.subject_der == above.subject_der
        });
        below = above;
    }
    match is_tied || known.iter().any(|known| below.is_signed_by(known)) {
        true => Ok(()),
        false => Err(RecordError::UnknownCa),
    }
}

/// What our own linter calls an error in a certificate of a CA elsewhere. It is signed already and
/// what was asked for, so this is told to people and nothing is refused.
pub(super) fn lint(
    certificate: &Certificate,
    issuers: &[Vec<u8>],
    admitted: &Admitted,
) -> Vec<&'static str> {
    let above = issuers
        .first()
        .and_then(|der| Certificate::from_der(der).ok());
    let (Some(above), Some(algorithm), None) = (
        above,
        certificate.signature_algorithm,
        admitted.issuer.connector.local_ca(),
    ) else {
        // Our own was linted before it was signed.
        return Vec::new();
    };
    let facts = IssuerFacts::from_certificate(&above, algorithm);
    let context = LintContext {
        issuer_name_constraints: above.name_constraints.as_ref(),
        extra_extensions: &admitted.request.content.extra_extensions,
        ..LintContext::new(&facts, above.not_after, admitted.request.kind.linted_as())
    };
    let findings = lint_tbs(certificate.tbs_der(), &context).into_iter();
    findings
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.code)
        .collect()
}

/// A name as the inventory writes it.
pub(crate) fn name_text(name: &GeneralName) -> String {
    match name {
        GeneralName::Dns(name) => name.to_ascii_lowercase(),
        GeneralName::Ip(address) => address.to_string(),
        GeneralName::Email(address) => address.clone(),
        GeneralName::Uri(uri) => uri.clone(),
        GeneralName::Directory(name) => format!("directory:{name}"),
        GeneralName::Other { oid, .. } => match Identifier::from_general_name(name) {
            Ok(device) => device.value(),
            Err(_) => format!("other:{oid}"),
        },
    }
}
