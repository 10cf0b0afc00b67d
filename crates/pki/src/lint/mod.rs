//! The linter before issuance: reads the very octets that are about to be signed and says what is
//! wrong with them, by RFC 5280 and, where the certificate claims it, the Baseline Requirements for TLS,
//! S/MIME or code signing.
//!
//! It shares nothing with the encoder but the reader of DER. Every rule is a function in one of the
//! lists below; each finding has a code that tests and logs can rely on.

mod authority;
mod baseline;
mod code_signing;
mod constraints;
mod dns;
mod fields;
mod names;
mod smime;
mod structure;
mod subject;
mod tbs;
mod usage;

use crate::certificate::{ExtraExtension, IssuerFacts};
use crate::name::{DistinguishedName, GeneralName, NameConstraints};
use crate::time::Timestamp;
use tbs::Tbs;

/// What a certificate is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertificateKind {
    /// TLS server, possibly client too
    TlsServer,
    /// TLS client only
    TlsClient,
    /// S/MIME
    Email,
    /// Signing of code
    CodeSigning,
    /// A device or machine, for whatever its profile says
    Device,
    /// A CA, root or not
    CaCertificate,
    /// A delegated OCSP responder
    OcspResponder,
    /// Anything else
    Other,
}

/// What the linter knows beside the octets.
#[derive(Clone, Copy, Debug)]
pub struct LintContext<'a> {
    /// Who is about to sign.
    pub issuer: &'a IssuerFacts,
    /// The end of the issuer's own certificate; that of the certificate itself for a root.
    pub issuer_not_after: Timestamp,
    /// What the issuer may certify.
    pub issuer_name_constraints: Option<&'a NameConstraints>,
    /// What the certificate is meant to be.
    pub kind: CertificateKind,
    /// Extensions that were decided on and whose meaning is not known here.
    pub extra_extensions: &'a [ExtraExtension],
}

impl<'a> LintContext<'a> {
    /// For an issuer without name constraints.
    pub fn new(
        issuer: &'a IssuerFacts,
        issuer_not_after: Timestamp,
        kind: CertificateKind,
    ) -> Self {
        Self {
            issuer,
            issuer_not_after,
            issuer_name_constraints: None,
            kind,
            extra_extensions: &[],
        }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Unusual, or advised against
    Warning,
    /// Forbidden: must not be signed
    Error,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable name of the rule, such as `san.criticality`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong with this certificate.
    pub message: String,
}

/// Lints the octets of a TBSCertificate. Only if no finding is an error may they be signed.
pub fn lint_tbs(tbs: &[u8], context: &LintContext<'_>) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    match Tbs::read(tbs) {
        Ok(tbs) => {
            for rule in RULES {
                rule(&tbs, context, &mut findings);
            }
        }
        Err(error) => findings.error("der.malformed", error.to_string()),
    }
    findings.0
}

/// Whether a finding forbids to sign.
pub fn blocks(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
}

/// Lints a subject by itself, before there is a certificate around it.
pub fn lint_subject(subject: &DistinguishedName) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    if !subject.is_empty() {
        subject::values(&subject.to_der(), &mut findings);
    }
    findings.0
}

/// Why no publicly trusted CA certifies a name for TLS, if so.
pub fn public_name_fault(name: &GeneralName) -> Option<&'static str> {
    baseline::name_fault(name)
}

/// Whether a dotted policy identifier claims the TLS Baseline Requirements.
pub fn claims_public_tls(policy: &str) -> bool {
    crate::oid::from_text(policy).is_some_and(|oid| baseline::is_reserved_policy(&oid))
}

type Rule = fn(&Tbs<'_>, &LintContext<'_>, &mut Findings);

const RULES: [Rule; 29] = [
    fields::version,
    fields::serial,
    fields::signature_algorithm,
    fields::issuer,
    fields::validity_form,
    fields::validity_period,
    fields::key,
    structure::unknown_extensions,
    structure::extra_extensions,
    structure::repeated_extensions,
    structure::criticality,
    subject::attributes,
    subject::common_name,
    names::presence,
    names::forms,
    names::syntax,
    names::repeated,
    usage::basic_constraints,
    usage::key_usage,
    usage::key_usage_of_key,
    usage::purposes,
    authority::authority_key_identifier,
    authority::subject_key_identifier,
    authority::urls,
    authority::responder,
    constraints::name_constraints,
    baseline::requirements,
    smime::requirements,
    code_signing::requirements,
];

/// Where rules put what they find.
struct Findings(Vec<Finding>);

impl Findings {
    fn error(&mut self, code: &'static str, message: impl Into<String>) {
        self.push(code, Severity::Error, message.into());
    }

    fn warning(&mut self, code: &'static str, message: impl Into<String>) {
        self.push(code, Severity::Warning, message.into());
    }

    fn push(&mut self, code: &'static str, severity: Severity, message: String) {
        self.0.push(Finding {
            code,
            severity,
            message,
        });
    }
}
