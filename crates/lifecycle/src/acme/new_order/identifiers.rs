//! The identifiers of a new order: read, and what is wrong with each.

use domain::identifier::{Identifier, IdentifierError};
use domain::policy::{self, Violation};
use domain::profile::Profile;

use super::NewOrderError;
use crate::Lifecycle;

/// What is wrong with one identifier of an order.
#[derive(Clone, Debug)]
pub struct IdentifierFault {
    pub kind: String,
    pub value: String,
    pub reason: IdentifierReason,
}

/// Why an identifier is not taken; front ends choose their error by it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IdentifierReason {
    #[error(transparent)]
    Malformed(IdentifierError),
    #[error("{0} is named twice; name it once")]
    Duplicate(Identifier),
    #[error("{}", .0.text())]
    Policy(Violation),
    #[error("the account's external account binding does not allow {0}")]
    NotBound(Identifier),
    #[error("no challenge that this directory offers can prove control of {0}")]
    NoChallenge(Identifier),
    #[error(
        "nobody can vouch for {0}: the directory does not offer device-attest-01, or the profile trusts \
         no maker of devices"
    )]
    NoMaker(Identifier),
}

impl Lifecycle {
    /// An identifier as ACME clients may name it: a mailbox only where challenges are mailed.
    pub(in crate::acme) fn parse_identifier(
        &self,
        kind: &str,
        value: &str,
    ) -> Result<Identifier, IdentifierError> {
        match kind {
            "email" if self.email.is_some() => Identifier::parse_any(kind, value),
            _ => Identifier::parse(kind, value),
        }
    }

    pub(super) fn parse_identifiers(
        &self,
        asked: &[(String, String)],
        profile: &Profile,
    ) -> Result<Vec<Identifier>, NewOrderError> {
        if asked.is_empty() {
            return Err(NewOrderError::NoIdentifiers);
        }
        let max = profile.spec.names.max;
        if asked.len() > max {
            return Err(NewOrderError::TooManyIdentifiers(asked.len(), max));
        }
        let mut identifiers: Vec<Identifier> = Vec::with_capacity(asked.len());
        let mut faults = Vec::new();
        for (kind, value) in asked {
            let fault = match self.parse_identifier(kind, value) {
                Err(error) => IdentifierReason::Malformed(error),
                Ok(identifier) if identifiers.contains(&identifier) => {
                    IdentifierReason::Duplicate(identifier)
                }
                Ok(identifier) => {
                    identifiers.push(identifier);
                    continue;
                }
            };
            faults.push(IdentifierFault {
                kind: kind.chars().take(64).collect(),
                value: value.chars().take(300).collect(),
                reason: fault,
            });
        }
        check_names(identifiers, faults, profile)
    }
}

/// What the profile says to the names, beside what is wrong with them already.
fn check_names(
    identifiers: Vec<Identifier>,
    mut faults: Vec<IdentifierFault>,
    profile: &Profile,
) -> Result<Vec<Identifier>, NewOrderError> {
    let mut together = Vec::new();
    for violation in policy::decide_names(&identifiers, profile) {
        match violation.identifier.clone() {
            Some(identifier) => {
                faults.push(fault_of(&identifier, IdentifierReason::Policy(violation)));
            }
            None => together.push(violation),
        }
    }
    match (faults.is_empty(), together.is_empty()) {
        (true, true) => Ok(identifiers),
        (true, false) => Err(NewOrderError::Names(together)),
        (false, _) => Err(NewOrderError::Identifiers(faults)),
    }
}

pub(super) fn fault_of(identifier: &Identifier, reason: IdentifierReason) -> IdentifierFault {
    IdentifierFault {
        kind: identifier.kind().to_owned(),
        value: identifier.value(),
        reason,
    }
}

pub(super) fn not_bound(identifiers: &[Identifier]) -> Vec<IdentifierFault> {
    identifiers
        .iter()
        .map(|identifier| fault_of(identifier, IdentifierReason::NotBound(identifier.clone())))
        .collect()
}
