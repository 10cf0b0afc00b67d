//! Whether a CSR asks for what a certificate says already: what its key may renew.

use std::collections::BTreeSet;

use pki::certificate::Certificate;
use pki::csr::Csr;
use pki::name::DistinguishedName;

use crate::identifier::Identifier;

/// Why a certificate does not renew into this CSR.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTheSame {
    #[error(
        "the CSR names {asked}, the certificate that is to be renewed names {certified}: they have to be \
         the same"
    )]
    Names { asked: String, certified: String },
    #[error(
        "the CSR's subject is `{asked}`, the certificate's is `{certified}`: they have to be the same"
    )]
    Subject { asked: String, certified: String },
}

/// RFC 7030 section 4.2.2, RFC 8894 section 2.3: a renewal is for the same subject and the same names.
///
/// A subject that the profile did not certify may be left in the CSR, as long as it says nothing but one
/// of the names that the certificate has.
pub fn check_same(
    csr: &Csr,
    identifiers: &[Identifier],
    certificate: &Certificate,
) -> Result<(), NotTheSame> {
    let asked: BTreeSet<String> = identifiers.iter().map(label).collect();
    let certified: BTreeSet<String> = certificate
        .names
        .iter()
        .map(|name| match Identifier::from_general_name(name) {
            Ok(identifier) => label(&identifier),
            Err(_) => name.to_string(),
        })
        .collect();
    if asked != certified {
        return Err(NotTheSame::Names {
            asked: listed(&asked),
            certified: listed(&certified),
        });
    }
    let is_same = csr.subject.to_der() == certificate.subject.to_der()
        || csr.subject.is_empty()
        || repeats_a_name(&csr.subject, &certified);
    match is_same {
        true => Ok(()),
        false => Err(NotTheSame::Subject {
            asked: csr.subject.to_string(),
            certified: certificate.subject.to_string(),
        }),
    }
}

fn repeats_a_name(subject: &DistinguishedName, certified: &BTreeSet<String>) -> bool {
    let only = subject.attributes().count() == 1;
    let name = subject.common_name().filter(|_| only);
    name.is_some_and(|name| {
        let lower = name.to_ascii_lowercase();
        let mut kinds = ["dns", "ip", "email"].into_iter();
        kinds.any(|kind| certified.contains(&format!("{kind}:{lower}")))
    })
}

fn label(identifier: &Identifier) -> String {
    format!("{}:{identifier}", identifier.kind())
}

fn listed(names: &BTreeSet<String>) -> String {
    match names.is_empty() {
        true => "nothing".to_owned(),
        false => names.iter().cloned().collect::<Vec<_>>().join(", "),
    }
}
