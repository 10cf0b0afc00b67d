//! Rules for the key: strong, of a kind the profile takes, in nobody else's hands, new and well
//! kept where the profile asks for it.

use pki::key::weak;

use super::{Case, Fault, Ledger, Violation};
use crate::attestation::AttestationRules;
use crate::profile::KeyEvidenceKind;

/// Keys that can be broken: short, of a bad exponent, ROCA, close factors (TLS BR section 6.1.1.3).
pub(super) fn strength(case: &Case<'_>, ledger: &mut Ledger) {
    if case.proposal.csr_is_assumed {
        return ledger.not_applicable("key", || {
            let kind = case.proposal.csr.public_key.kind();
            format!("no CSR was given; a key of kind {kind} is assumed")
        });
    }
    match weak::check(&case.proposal.csr.public_key) {
        Err(weakness) => {
            ledger.failed(Violation::new("key.weak", Fault::Key, weakness.to_string()));
        }
        Ok(()) => ledger.passed("key.weak", || "the key has no known weakness".to_owned()),
    }
}

pub(super) fn algorithm(case: &Case<'_>, ledger: &mut Ledger) {
    let kind = case.proposal.csr.public_key.kind();
    if case.proposal.csr_is_assumed || weak::check(&case.proposal.csr.public_key).is_err() {
        return;
    }
    if case.spec.allows_key(kind) {
        return ledger.passed("key.algorithm", || format!("the profile takes {kind}"));
    }
    let algorithms = &case.spec.key_algorithms;
    let allowed: Vec<&str> = algorithms.iter().map(|one| one.as_str()).collect();
    ledger.failed(
        Violation::new(
            "key.algorithm",
            Fault::Key,
            format!("the profile does not take a key of this kind ({kind})"),
        )
        .fix(format!("use one of {}", allowed.join(", "))),
    );
}

pub(super) fn blocked(case: &Case<'_>, ledger: &mut Ledger) {
    if case.at.key_is_blocked {
        ledger.failed(
            Violation::new(
                "key.blocked",
                Fault::Key,
                "this key was reported as compromised and is never certified again",
            )
            .fix("generate a new key"),
        );
    } else if !case.proposal.csr_is_assumed {
        ledger.passed("key.blocked", || "the key is not blocked".to_owned());
    }
}

/// RFC 8555 section 11.1.
pub(super) fn account(case: &Case<'_>, ledger: &mut Ledger) {
    if case.at.key_is_account_key {
        ledger.failed(
            Violation::new(
                "key.account",
                Fault::Key,
                "this is the key of an ACME account",
            )
            .fix("generate a separate key for the certificate"),
        );
    } else if !case.proposal.csr_is_assumed {
        ledger.passed("key.account", || "the key is no ACME account's".to_owned());
    }
}

/// A new key for every certificate, renewals included.
pub(super) fn fresh(case: &Case<'_>, ledger: &mut Ledger) {
    if !case.spec.new_key {
        return ledger.not_applicable("key.new", || "keys may be kept at renewal".to_owned());
    }
    if case.at.key_is_certified {
        ledger.failed(
            Violation::new(
                "key.new",
                Fault::Key,
                "this key is in a certificate already, and the profile wants a new one for each",
            )
            .fix("generate a new key for every renewal"),
        );
    } else {
        ledger.passed("key.new", || "the key was not certified before".to_owned());
    }
}

/// Code Signing BR section 6.2.7.4.2.
pub(super) fn evidence(case: &Case<'_>, ledger: &mut Ledger) {
    let accepted = &case.spec.key_evidence;
    if accepted.is_empty() {
        return ledger.not_applicable("key.evidence", || {
            "the profile asks for no evidence of the key's protection".to_owned()
        });
    }
    let kinds: Vec<&str> = accepted.iter().map(|kind| kind.as_str()).collect();
    let rules = case.spec.attestation.as_ref();
    let checks = rules.is_some_and(AttestationRules::trusts_anybody);
    let mut fix = format!(
        "send `key_evidence` with a kind ({}) and a reference to it",
        kinds.join(", ")
    );
    if checks {
        fix.push_str(", or the key's `attestation`; over ACME, use device-attest-01");
    }
    let refuse =
        |text: String| Violation::new("key.evidence", Fault::Request, text).fix(fix.clone());
    match case.proposal.key_evidence {
        None => ledger.failed(refuse(
            "the profile wants evidence that the private key is kept in hardware".to_owned(),
        )),
        Some(given) if !accepted.contains(&given.kind) => ledger.failed(refuse(format!(
            "the profile does not take evidence of kind {}",
            given.kind.as_str()
        ))),
        // Whoever can check does not take a word for it.
        Some(given)
            if checks && given.kind == KeyEvidenceKind::Attestation && given.attested.is_none() =>
        {
            ledger.failed(refuse(
                "the profile checks attestations, and the request has none".to_owned(),
            ));
        }
        Some(given) if given.reference.trim().is_empty() => ledger.failed(refuse(
            "the evidence for the key's protection has no reference".to_owned(),
        )),
        Some(given) => ledger.passed("key.evidence", || {
            format!("{}: {}", given.kind.as_str(), given.reference)
        }),
    }
}
