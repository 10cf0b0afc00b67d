//! device-attest-01 (draft-ietf-acme-device-attest): the client brings what its device's maker says of it.
//!
//! Nothing is looked up: the response holds the statement and all certificates but the maker's root.

use async_trait::async_trait;
use domain::acme::challenge::ChallengeKind;
use domain::acme::validation::{
    ChallengeValidator, FailureKind, ValidationFailure, ValidationRequest, Verdict,
};
use domain::attestation::AttestedKey;
use domain::identifier::Identifier;
use pki::attestation::{self, Attested, Expectation, Freshness};

/// Checks attestations.
#[derive(Clone, Copy, Debug)]
pub struct DeviceAttest01Validator;

#[async_trait]
impl ChallengeValidator for DeviceAttest01Validator {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::DeviceAttest01
    }

    async fn validate(&self, request: &ValidationRequest) -> Verdict {
        match check(request) {
            Ok(attested) => Verdict::Attested(AttestedKey::of(&attested)),
            Err(detail) => Verdict::Invalid(ValidationFailure::lasting(
                FailureKind::BadAttestationStatement,
                detail,
            )),
        }
    }
}

fn check(request: &ValidationRequest) -> Result<Attested, String> {
    let object = request
        .answer
        .as_deref()
        .ok_or("the response came without `attObj`, the attestation object")?;
    let expected = Expectation {
        freshness: Freshness::Challenge {
            key_authorization: &request.key_authorization,
            token: &request.token,
        },
        roots: &request.makers,
        now: request.now,
    };
    let attested = attestation::verify(object, &expected).map_err(|error| error.to_string())?;
    match vouches_for(&attested, &request.identifier) {
        true => Ok(attested),
        false => Err(format!(
            "the attestation is not about {}: it names {}",
            request.identifier,
            named(&attested)
        )),
    }
}

fn vouches_for(attested: &Attested, identifier: &Identifier) -> bool {
    match identifier {
        Identifier::Permanent(name) => attested.permanent.contains(name),
        Identifier::Hardware(name) => attested.modules.contains(name),
        Identifier::Dns(_) | Identifier::Ip(_) | Identifier::Email(_) | Identifier::Uri(_) => false,
    }
}

fn named(attested: &Attested) -> String {
    match AttestedKey::of(attested).devices.as_slice() {
        [] => "no device".to_owned(),
        devices => devices.join(", "),
    }
}
