//! A certificate as an entry of the inventory, however we learned of it.

use std::collections::BTreeMap;

use domain::certificate::{InventoryCertificate, Origin};
use domain::id::CertificateId;
use pki::certificate::Certificate;
use pki::random::Random;
use pki::time::Timestamp;

use crate::issuance::check::name_text;

/// What the certificate says of itself; nobody's yet, and of no issuer, request or profile that we know.
pub(crate) fn entry(
    certificate: &Certificate,
    origin: Origin,
    now: Timestamp,
    random: &dyn Random,
) -> InventoryCertificate {
    let authority = certificate.authority_key_identifier.clone();
    InventoryCertificate {
        id: CertificateId::mint(now, random),
        fingerprint: certificate.fingerprint(),
        serial: certificate.serial.clone(),
        issuer_id: None,
        issuer_name: certificate.issuer.to_string(),
        subject: certificate.subject.to_string(),
        names: certificate.names.iter().map(name_text).collect(),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        key_kind: certificate.public_key.kind().to_string(),
        is_weak: false,
        spki_sha256: certificate.spki_sha256,
        authority_key_identifier: authority.unwrap_or_default(),
        der: certificate.der.clone(),
        chain_id: None,
        origin,
        enrollment_id: None,
        profile_id: None,
        profile_version: None,
        account_id: None,
        directory_id: None,
        replaces: None,
        replaced_by: None,
        metadata: BTreeMap::new(),
        revocation: None,
        team_id: None,
        created_at: now,
    }
}
