//! The format `tpm`: an attestation key certifies that a key is in the same TPM 2.0 (WebAuthn section
//! 8.3, TPM 2.0 part 2).

use aws_lc_rs::{constant_time, digest};

use super::cbor::Value;
use super::tpm_structure::{self as structure, Certified};
use super::{AttestationError, AttestationFormat, Attested, Expectation, Freshness, path};
use crate::certificate::{Certificate, ExtendedKeyUsage};
use crate::key::SignatureAlgorithm;

pub(super) fn verify(
    statement: &Value,
    expected: &Expectation<'_>,
) -> Result<Attested, AttestationError> {
    let octets = |name| {
        let found = statement.member(name).and_then(Value::as_octets);
        found.ok_or(AttestationError::Member(name))
    };
    if statement.member("ver").and_then(Value::as_text) != Some("2.0") {
        return Err(AttestationError::Member("ver"));
    }
    let algorithm = statement.member("alg").and_then(Value::as_integer);
    let algorithm = cose(algorithm.ok_or(AttestationError::Member("alg"))?)?;
    let path = path::of_statement(statement, AttestationFormat::Tpm, expected)?;
    check_purpose(&path.leaf)?;
    let (info, area) = (octets("certInfo")?, octets("pubArea")?);
    let signature = structure::signature(octets("sig")?);
    path.leaf
        .public_key
        .verify(algorithm, info, &signature)
        .map_err(|_| AttestationError::Signature)?;
    let certified = Certified::read(info)?;
    if let Freshness::Challenge {
        key_authorization, ..
    } = expected.freshness
    {
        let challenge = digest::digest(&digest::SHA256, key_authorization.as_bytes());
        constant_time::verify_slices_are_equal(certified.extra_data, challenge.as_ref())
            .map_err(|_| AttestationError::OtherChallenge)?;
    }
    if !structure::is_name_of(certified.name, area) {
        return Err(AttestationError::Tpm(
            "it certifies another key than pubArea",
        ));
    }
    let key = structure::read_public_area(area)?;
    Ok(super::attested(AttestationFormat::Tpm, key, path))
}

/// The algorithms of COSE that are taken; not those with SHA-1.
fn cose(number: i64) -> Result<SignatureAlgorithm, AttestationError> {
    match number {
        -7 => Ok(SignatureAlgorithm::EcdsaSha256),
        -35 => Ok(SignatureAlgorithm::EcdsaSha384),
        -257 => Ok(SignatureAlgorithm::RsaSha256),
        -258 => Ok(SignatureAlgorithm::RsaSha384),
        -259 => Ok(SignatureAlgorithm::RsaSha512),
        other => Err(AttestationError::Algorithm(other)),
    }
}

/// The certificate of an attestation key: no CA, and for that purpose (TCG EK Credential Profile).
fn check_purpose(certificate: &Certificate) -> Result<(), AttestationError> {
    let purpose = ExtendedKeyUsage::Other(AIK_CERTIFICATE.to_owned());
    match certificate.extended_key_usage.contains(&purpose) {
        true => Ok(()),
        false => Err(AttestationError::Purpose(
            "it lacks the purpose tcg-kp-AIKCertificate",
        )),
    }
}

/// tcg-kp-AIKCertificate
const AIK_CERTIFICATE: &str = "2.23.133.8.3";
