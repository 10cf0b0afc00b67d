//! The final content of a certificate, as the rules leave it.

use pki::certificate::{BasicConstraints, CertificateContent};
use pki::name::DistinguishedName;
use pki::time::Timestamp;

use super::csr::asks_for_staple;
use super::{Case, Fault, Ledger, Violation};
use crate::identifier::Identifier;

/// What would be signed. Nothing in it comes from the CSR but the key, and what a rule let pass.
pub(super) fn build(
    case: &Case<'_>,
    subject: DistinguishedName,
    not_before: Timestamp,
    not_after: Timestamp,
) -> CertificateContent {
    let (spec, csr) = (case.spec, case.proposal.csr);
    CertificateContent {
        subject,
        subject_alt_names: case
            .proposal
            .identifiers
            .iter()
            .map(Identifier::to_general_name)
            .collect(),
        public_key: csr.public_key.clone(),
        not_before,
        not_after,
        basic_constraints: BasicConstraints::EndEntity,
        key_usage: spec.key_usage_of(csr.public_key.kind()),
        extended_key_usage: spec.extended_key_usage.clone(),
        certificate_policies: spec.certificate_policies.clone(),
        subject_key_identifier: spec.subject_key_identifier,
        ocsp_urls: Vec::new(),
        ca_issuer_urls: Vec::new(),
        crl_urls: Vec::new(),
        ocsp_no_check: false,
        must_staple: spec.must_staple_always || (spec.must_staple && asks_for_staple(csr)),
        name_constraints: None,
        acme_identifier: None,
        extra_extensions: spec
            .extensions
            .iter()
            .filter_map(|extension| extension.encode().ok())
            .collect(),
    }
}

/// A certificate that names nobody is of no use, and cannot be written (RFC 5280 section 4.1.2.6).
pub(super) fn named(case: &Case<'_>, content: &CertificateContent, ledger: &mut Ledger) {
    // Where a name is needed, its absence is said already.
    if case.spec.names.min == 0
        && content.subject.is_empty()
        && content.subject_alt_names.is_empty()
    {
        ledger.failed(
            Violation::new(
                "subject.empty",
                Fault::Subject,
                "the certificate would have neither a subject nor a name",
            )
            .fix("name something, or give a subject that the profile takes"),
        );
    }
}
