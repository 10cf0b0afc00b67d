//! Evidence for the protection of a key: an attestation that comes with a request is checked here.

use domain::attestation::AttestedKey;
use domain::policy::{Fault, Violation};
use domain::profile::{KeyEvidence, Profile};
use pki::attestation;
use pki::csr::Csr;
use pki::time::Timestamp;

/// The evidence that an attestation is, if the profile trusts its maker and it is about the CSR's key.
/// That the key is at hand now, the CSR's own signature shows.
pub(super) fn of_attestation(
    octets: &[u8],
    profile: &Profile,
    csr: &Csr,
    now: Timestamp,
) -> Result<KeyEvidence, Box<Violation>> {
    let refuse = |text: String, fix: &str| {
        Box::new(Violation::new("key.attestation", Fault::Request, text).fix(fix))
    };
    let rules = profile.spec.attestation.as_ref();
    let roots = rules.map(|rules| rules.trusted_roots()).unwrap_or_default();
    if roots.is_empty() {
        let text = "the profile trusts no maker of devices, so an attestation says nothing here";
        let fix = "leave it out, or have the profile's author add the maker's root";
        return Err(refuse(text.to_owned(), fix));
    }
    let attested = attestation::verify_with_request(octets, &roots, now).map_err(|error| {
        let fix = "send the attestation of the key in the CSR, with its chain";
        refuse(error.to_string(), fix)
    })?;
    let kept = AttestedKey::of(&attested);
    match kept.is_about(&csr.public_key) {
        true => Ok(KeyEvidence::of_attestation(kept)),
        false => Err(refuse(
            "the attestation is about another key than the CSR's".to_owned(),
            "make the CSR with the attested key",
        )),
    }
}
