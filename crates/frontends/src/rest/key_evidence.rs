//! Evidence for the protection of a private key, from and to the wire.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use domain::attestation::AttestedKey;
use domain::profile::{KeyEvidence, KeyEvidenceKind};
use protocols::rest::profile as wire;

use super::failure::Failure;

/// What a requester states; what was attested is ours to say.
pub(super) fn read(evidence: &wire::KeyEvidence) -> Result<KeyEvidence, Failure> {
    if evidence.attested.is_some() {
        return Err(Failure::invalid(
            "`key_evidence.attested` is not for requests; send the attestation itself as `attestation`",
        ));
    }
    Ok(KeyEvidence {
        kind: match evidence.kind {
            wire::KeyEvidenceKind::Attestation => KeyEvidenceKind::Attestation,
            wire::KeyEvidenceKind::SuppliedDevice => KeyEvidenceKind::SuppliedDevice,
            wire::KeyEvidenceKind::CloudService => KeyEvidenceKind::CloudService,
            wire::KeyEvidenceKind::Witness => KeyEvidenceKind::Witness,
        },
        reference: evidence.reference.clone(),
        attested: None,
    })
}

/// The octets of an attestation: PEM as it is, anything else in one of the forms of base64.
pub(super) fn read_attestation(text: &str) -> Result<Vec<u8>, Failure> {
    if text.trim_start().starts_with("-----BEGIN") {
        return Ok(text.trim_start().as_bytes().to_vec());
    }
    let text: String = text.split_whitespace().collect();
    BASE64
        .decode(text.as_bytes())
        .or_else(|_| BASE64URL_NOPAD.decode(text.as_bytes()))
        .map_err(|_| {
            Failure::invalid(
                "`attestation` is neither certificates in PEM nor an attestation object in base64",
            )
        })
}

pub(super) fn render(evidence: &KeyEvidence) -> wire::KeyEvidence {
    wire::KeyEvidence {
        kind: match evidence.kind {
            KeyEvidenceKind::Attestation => wire::KeyEvidenceKind::Attestation,
            KeyEvidenceKind::SuppliedDevice => wire::KeyEvidenceKind::SuppliedDevice,
            KeyEvidenceKind::CloudService => wire::KeyEvidenceKind::CloudService,
            KeyEvidenceKind::Witness => wire::KeyEvidenceKind::Witness,
        },
        reference: evidence.reference.clone(),
        attested: evidence.attested.as_ref().map(render_attested),
    }
}

fn render_attested(attested: &AttestedKey) -> wire::AttestedKey {
    wire::AttestedKey {
        format: attested.format,
        key: attested.key.clone(),
        root: attested.root.clone(),
        maker: attested.maker.clone(),
        devices: attested.devices.clone(),
    }
}
