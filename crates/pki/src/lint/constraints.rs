//! Rules for name constraints, RFC 5280 section 4.2.1.10: the certificate's own and its issuer's.

use super::tbs::Tbs;
use super::{Findings, LintContext};
use crate::name::{DistinguishedName, NameConstraints};
use crate::oid;

pub(super) fn name_constraints(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    if let Some(extension) = tbs.extension(&oid::EXT_NAME_CONSTRAINTS) {
        if !tbs.is_ca {
            findings.error(
                "name_constraints.not_ca",
                "name constraints are for CAs' certificates only",
            );
        }
        match NameConstraints::read(extension.value) {
            Ok(constraints) if !constraints.is_empty() => (),
            Ok(_) | Err(_) => findings.error(
                "name_constraints.form",
                "the name constraints are empty or malformed",
            ),
        }
    }
    // A subject that cannot be read is reported by `subject.malformed`.
    if let (Some(constraints), Ok(subject)) = (
        context.issuer_name_constraints,
        DistinguishedName::from_der(tbs.subject),
    ) {
        for violation in constraints.violations(&subject, &tbs.names) {
            findings.error("name_constraints.violated", violation);
        }
    }
}
