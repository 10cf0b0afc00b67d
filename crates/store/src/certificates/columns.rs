//! How a certificate is written into its row and read back.

use domain::certificate::{ChainId, InventoryCertificate, Revocation};
use domain::id::{
    AccountId, CertificateId, DirectoryId, EnrollmentId, IssuerId, ProfileId, TeamId,
};
use pki::fingerprint::Fingerprint;
use pki::revocation::RevocationReason;
use pki::time::Timestamp;

use crate::codec::{hex, json, word};
use crate::{Row, StoreError, Value};

macro_rules! columns {
    () => {
        "id, fingerprint, serial, issuer_id, issuer_name, subject, names, not_before, not_after, \
         key_kind, spki_sha256, authority_key_identifier, der, chain_id, origin, enrollment_id, \
         profile_id, profile_version, account_id, directory_id, replaces, created_at, replaced_by, \
         metadata, revoked_at, revocation_reason, team_id, is_weak"
    };
}
pub(super) use columns;

/// The values of all columns, in their order.
pub(super) fn values(certificate: &InventoryCertificate) -> Result<Vec<Value<'_>>, StoreError> {
    let revocation = certificate.revocation;
    Ok(vec![
        certificate.id.as_str().into(),
        short(&certificate.fingerprint).into(),
        certificate.serial.to_string().into(),
        certificate.issuer_id.as_ref().map(IssuerId::as_str).into(),
        (&certificate.issuer_name).into(),
        (&certificate.subject).into(),
        json(&certificate.names)?.into(),
        certificate.not_before.into(),
        certificate.not_after.into(),
        (&certificate.key_kind).into(),
        hex(&certificate.spki_sha256).into(),
        hex(&certificate.authority_key_identifier).into(),
        (&certificate.der).into(),
        certificate.chain_id.map(|chain| chain.0.to_string()).into(),
        word(&certificate.origin)?.into(),
        certificate
            .enrollment_id
            .as_ref()
            .map(EnrollmentId::as_str)
            .into(),
        certificate
            .profile_id
            .as_ref()
            .map(ProfileId::as_str)
            .into(),
        certificate.profile_version.into(),
        certificate
            .account_id
            .as_ref()
            .map(AccountId::as_str)
            .into(),
        certificate
            .directory_id
            .as_ref()
            .map(DirectoryId::as_str)
            .into(),
        certificate
            .replaces
            .as_ref()
            .map(CertificateId::as_str)
            .into(),
        certificate.created_at.into(),
        certificate
            .replaced_by
            .as_ref()
            .map(CertificateId::as_str)
            .into(),
        json(&certificate.metadata)?.into(),
        revocation.map(|revocation| revocation.at).into(),
        revocation
            .map(|revocation| i32::from(revocation.reason.code()))
            .into(),
        certificate.team_id.as_ref().map(TeamId::as_str).into(),
        certificate.is_weak.into(),
    ])
}

/// How a fingerprint is kept: the first half of it tells certificates apart as well.
pub(super) fn short(fingerprint: &Fingerprint) -> String {
    let mut text = fingerprint.to_string();
    text.truncate(32);
    text
}

/// A certificate from a row of all columns.
pub(super) fn read(row: &Row) -> Result<InventoryCertificate, StoreError> {
    let spki: Fingerprint = row.parse(10)?;
    let der: Vec<u8> = row.get(12)?;
    Ok(InventoryCertificate {
        id: row.parse(0)?,
        fingerprint: Fingerprint::of(&der),
        serial: row.parse(2)?,
        issuer_id: row.parse_opt(3)?,
        issuer_name: row.get(4)?,
        subject: row.get(5)?,
        names: row.json(6)?,
        not_before: row.get(7)?,
        not_after: row.get(8)?,
        key_kind: row.get(9)?,
        spki_sha256: spki.0,
        authority_key_identifier: row.hex(11)?,
        der,
        chain_id: row.parse_opt(13)?.map(ChainId),
        origin: row.word(14)?,
        enrollment_id: row.parse_opt(15)?,
        profile_id: row.parse_opt(16)?,
        profile_version: row.get(17)?,
        account_id: row.parse_opt(18)?,
        directory_id: row.parse_opt(19)?,
        replaces: row.parse_opt(20)?,
        created_at: row.get(21)?,
        replaced_by: row.parse_opt(22)?,
        metadata: row.json(23)?,
        revocation: read_revocation(row, 24)?,
        team_id: row.parse_opt(26)?,
        is_weak: row.get(27)?,
    })
}

/// Time and reason of a revocation from two columns, if there is one.
pub(super) fn read_revocation(row: &Row, first: usize) -> Result<Option<Revocation>, StoreError> {
    let Some(at) = row.get::<Option<Timestamp>>(first)? else {
        return Ok(None);
    };
    let code: u32 = row.get(first + 1)?;
    let reason = u8::try_from(code)
        .ok()
        .and_then(|code| RevocationReason::try_from(code).ok())
        .ok_or_else(|| row.unreadable(first + 1, &format!("reason code {code}")))?;
    Ok(Some(Revocation { at, reason }))
}
