//! Client certificates of machines: which are accepted, and whose token they stand for.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use pki::certificate::{Certificate, ExtendedKeyUsage, KeyUsage};
use pki::fingerprint::Fingerprint;
use pki::name::GeneralName;
use pki::serial::Serial;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{ClientCertificateId, IssuerId, TokenId};

/// A rule by which a certificate opens what a token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    pub id: ClientCertificateId,
    pub name: String,
    pub token: TokenId,
    pub ca: CaReference,
    pub subject: CertificateMatch,
    pub created_at: Timestamp,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
}

/// The CA whose certificates a rule is about: the same name from another CA is another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaReference {
    /// An issuer of ours, whichever certificate it has at the time.
    Issuer(IssuerId),
    /// A CA certificate that the configuration names.
    Certificate(Fingerprint),
}

/// A text that names no CA.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no CA")]
pub struct ParseCaReferenceError(String);

impl fmt::Display for CaReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer(id) => id.fmt(f),
            Self::Certificate(fingerprint) => fingerprint.fmt(f),
        }
    }
}

impl FromStr for CaReference {
    type Err = ParseCaReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(issuer) = text.parse() {
            return Ok(Self::Issuer(issuer));
        }
        text.parse()
            .map(Self::Certificate)
            .map_err(|_| ParseCaReferenceError(text.chars().take(80).collect()))
    }
}

/// What has to stand in the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "kebab-case")]
pub enum CertificateMatch {
    /// This one certificate.
    Serial(Serial),
    /// The whole subject, as RFC 4514 writes it.
    Subject(String),
    Dns(String),
    Email(String),
    Uri(String),
}

impl CertificateMatch {
    /// Everything by which a rule may know this certificate, the closest first.
    pub fn candidates(certificate: &Certificate) -> Vec<Self> {
        let mut found = vec![Self::Serial(certificate.serial.clone())];
        if !certificate.subject.is_empty() {
            found.push(Self::Subject(certificate.subject.to_string()));
        }
        let names = certificate.names.iter().take(MAX_NAMES);
        found.extend(names.filter_map(|name| match name {
            GeneralName::Uri(uri) => Some(Self::Uri(uri.clone())),
            GeneralName::Email(email) => Some(Self::Email(email.to_ascii_lowercase())),
            // A wildcard stands for many machines.
            GeneralName::Dns(name) if name.contains('*') => None,
            GeneralName::Dns(name) => Some(Self::Dns(name.to_ascii_lowercase())),
            GeneralName::Ip(_) | GeneralName::Directory(_) | GeneralName::Other { .. } => None,
        }));
        found
    }

    /// The rule as it is compared: names without case.
    #[must_use]
    pub fn normalized(self) -> Self {
        match self {
            Self::Dns(name) => Self::Dns(name.trim().to_ascii_lowercase()),
            Self::Email(email) => Self::Email(email.trim().to_ascii_lowercase()),
            Self::Serial(_) | Self::Subject(_) | Self::Uri(_) => self,
        }
    }

    /// The value alone is empty or matches many.
    pub fn is_vague(&self) -> bool {
        match self {
            Self::Serial(_) => false,
            Self::Subject(text) | Self::Email(text) | Self::Uri(text) => text.trim().is_empty(),
            Self::Dns(name) => name.is_empty() || name.contains('*'),
        }
    }
}

/// More names than this are not looked up.
const MAX_NAMES: usize = 16;

/// A CA whose certificates are looked at.
#[derive(Clone, Debug)]
pub struct TrustedCa {
    pub reference: CaReference,
    pub certificate: Arc<Certificate>,
}

/// Why a client certificate opens nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the client certificate cannot be read")]
    Unreadable,
    #[error("the client certificate was not issued by a CA that this server trusts for clients")]
    UnknownCa,
    #[error("the client certificate is not valid yet")]
    NotYetValid,
    #[error("the client certificate has expired")]
    Expired,
    #[error("the certificate of the CA that issued the client certificate is not valid now")]
    CaExpired,
    #[error("the client certificate is not for clients: its extended key usage lacks clientAuth")]
    WrongUsage,
    #[error("the client certificate is a CA certificate")]
    IsCa,
    #[error("the client certificate has a critical extension that is not understood")]
    UnknownExtension,
    #[error("the client certificate is revoked")]
    Revoked,
    #[error("the client certificate is not in the inventory of the CA that it names")]
    NotInInventory,
    #[error("no rule says what this client certificate may do")]
    NoRule,
}

/// Finds the CA that issued a certificate, and checks everything that the two say of themselves
/// (RFC 5280 section 6.1 for a path of one certificate below a trust anchor).
pub fn judge<'a>(
    certificate: &Certificate,
    cas: &'a [TrustedCa],
    now: Timestamp,
) -> Result<&'a TrustedCa, Refusal> {
    let ca = cas
        .iter()
        .find(|ca| {
            ca.certificate.subject_der == certificate.issuer_der
                && certificate.is_signed_by(&ca.certificate)
        })
        .ok_or(Refusal::UnknownCa)?;
    if now < certificate.not_before {
        return Err(Refusal::NotYetValid);
    }
    if now > certificate.not_after {
        return Err(Refusal::Expired);
    }
    let anchor = &ca.certificate;
    if now < anchor.not_before || now > anchor.not_after {
        return Err(Refusal::CaExpired);
    }
    let may_sign = |usage: &KeyUsage| usage.contains(KeyUsage::KEY_CERT_SIGN);
    if !anchor.is_ca || !anchor.key_usage.as_ref().is_none_or(may_sign) {
        return Err(Refusal::UnknownCa);
    }
    if certificate.is_ca {
        return Err(Refusal::IsCa);
    }
    if !certificate.unknown_critical_extensions.is_empty()
        || !certificate.malformed_extensions.is_empty()
    {
        return Err(Refusal::UnknownExtension);
    }
    let usages = &certificate.extended_key_usage;
    match usages.contains(&ExtendedKeyUsage::ClientAuth) {
        true => Ok(ca),
        false => Err(Refusal::WrongUsage),
    }
}
