//! What a device's attestation means for an order: whose word counts, which key, which names.

use domain::acme::authorization::Authorization;
use domain::acme::directory::Directory;
use domain::identifier::Identifier;
use domain::policy::{Fault, Violation};
use domain::profile::{KeyEvidence, Profile};
use pki::attestation::TrustedRoot;
use pki::csr::Csr;
use store::StoreError;

use super::finalize::FinalizeError;
use crate::Lifecycle;

impl Lifecycle {
    /// The roots that some profile of the directory trusts. Which of them the order's profile does is
    /// looked at when the order is finalized.
    pub(super) async fn makers_of(
        &self,
        directory: &Directory,
    ) -> Result<Vec<TrustedRoot>, StoreError> {
        let mut makers = Vec::new();
        for name in &directory.spec.profiles {
            let profile = self.profile(name).await?;
            let rules = profile
                .as_ref()
                .and_then(|found| found.spec.attestation.as_ref());
            makers.extend(rules.into_iter().flat_map(|rules| rules.trusted_roots()));
        }
        Ok(makers)
    }
}

/// Whether the profile trusts the maker that an authorization rests on, where it rests on one.
pub(super) fn is_trusted(authorization: &Authorization, profile: &Profile) -> bool {
    authorization.attested_key().is_none_or(|attested| {
        let rules = profile.spec.attestation.as_ref();
        rules.is_some_and(|rules| rules.still_trusts(attested))
    })
}

/// The attested key is the one that is certified.
pub(super) fn check_key(authorizations: &[Authorization], csr: &Csr) -> Result<(), FinalizeError> {
    let other = authorizations.iter().find(|authorization| {
        let attested = authorization.attested_key();
        attested.is_some_and(|attested| !attested.is_about(&csr.public_key))
    });
    match other {
        None => Ok(()),
        Some(authorization) => Err(FinalizeError::Rejected(vec![
            Violation::new(
                "key.attested",
                Fault::Csr,
                format!(
                    "the CSR has another key than the one attested for {}",
                    authorization.identifier
                ),
            )
            .fix("make the CSR with the attested key, or attest the CSR's key in a new order"),
        ])),
    }
}

/// The order's names, without those of devices where the profile keeps them to itself.
pub(super) fn certified_names(identifiers: &[Identifier], profile: &Profile) -> Vec<Identifier> {
    let rules = profile.spec.attestation.as_ref();
    let withholds = rules.is_some_and(|rules| rules.withhold_names);
    identifiers
        .iter()
        .filter(|identifier| !(withholds && identifier.is_device()))
        .cloned()
        .collect()
}

/// The evidence that the attestation is for the protection of the key.
pub(super) fn evidence(authorizations: &[Authorization]) -> Option<KeyEvidence> {
    let attested = authorizations
        .iter()
        .find_map(Authorization::attested_key)?;
    Some(KeyEvidence::of_attestation(attested.clone()))
}
