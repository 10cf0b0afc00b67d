//! Filters that commands over many certificates have in common.

use clap::Args;
use pki::fingerprint::Fingerprint;
use pki::serial::Serial;
use pki::time::Timestamp;
use protocols::rest::certificate::{
    CertificateOrigin, CertificateQuery, CertificateSort, CertificateStatus,
};
use serde::de::DeserializeOwned;

use super::metadata::{self, Given};

/// Flags of `certificate list` and `certificate search`.
#[derive(Clone, Debug, Default, Args)]
pub struct Filters {
    /// Exactly this name
    #[arg(long)]
    pub name: Option<String>,
    /// This name and everything below it
    #[arg(long)]
    pub suffix: Option<String>,
    /// Part of a name
    #[arg(long, value_name = "TEXT")]
    pub name_contains: Option<String>,
    /// Serial number, hexadecimal
    #[arg(long)]
    pub serial: Option<Serial>,
    /// SHA-256 of the certificate, hexadecimal
    #[arg(long)]
    pub fingerprint: Option<Fingerprint>,
    /// Name of an issuer
    #[arg(long)]
    pub issuer: Option<String>,
    /// Name of a profile
    #[arg(long)]
    pub profile: Option<String>,
    /// Name of a team
    #[arg(long)]
    pub team: Option<String>,
    /// Id of an ACME account
    #[arg(long)]
    pub account: Option<String>,
    /// not-yet-valid, valid, expired or revoked
    #[arg(long, value_parser = status)]
    pub status: Option<CertificateStatus>,
    /// issued, discovered or imported
    #[arg(long, value_parser = origin)]
    pub origin: Option<CertificateOrigin>,
    /// Kind of the key: p-256, rsa-2048
    #[arg(long, value_name = "KIND")]
    pub key_kind: Option<String>,
    /// Whether the key can be broken
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub weak_key: Option<bool>,
    /// Whether another certificate took its place
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub replaced: Option<bool>,
    /// Whether a team owns it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub owned: Option<bool>,
    /// With this value of a field of custom metadata; repeatable
    #[arg(long, value_name = "FIELD=VALUE")]
    pub metadata: Vec<Given>,
    /// Valid, and ending within this time: 12h, 30d, 2w, 1y
    #[arg(long, value_name = "TIME")]
    pub expires_within: Option<String>,
    /// Ends before this instant
    #[arg(long, value_name = "TIME")]
    pub expires_before: Option<Timestamp>,
    /// Ends at this instant or later
    #[arg(long, value_name = "TIME")]
    pub expires_after: Option<Timestamp>,
    /// Became known before this instant
    #[arg(long, value_name = "TIME")]
    pub created_before: Option<Timestamp>,
    /// Became known at this instant or later
    #[arg(long, value_name = "TIME")]
    pub created_after: Option<Timestamp>,
    /// created, not_after or name; -created and so on the other way round
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true, value_parser = sort)]
    pub sort: Option<CertificateSort>,
}

impl Filters {
    /// As the server is asked.
    pub fn query(&self) -> CertificateQuery {
        let this = self.clone();
        CertificateQuery {
            q: None,
            name: this.name,
            suffix: this.suffix,
            name_contains: this.name_contains,
            serial: this.serial,
            fingerprint: this.fingerprint,
            issuer: this.issuer,
            profile: this.profile,
            team: this.team,
            account: this.account,
            status: this.status,
            origin: this.origin,
            key_kind: this.key_kind,
            weak_key: this.weak_key,
            replaced: this.replaced,
            owned: this.owned,
            metadata: metadata::sought(&this.metadata),
            expires_within: this.expires_within,
            expires_before: this.expires_before,
            expires_after: this.expires_after,
            created_before: this.created_before,
            created_after: this.created_after,
            sort: this.sort,
        }
    }
}

fn word<T: DeserializeOwned>(text: &str, words: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|_| format!("it is one of {words}"))
}

fn status(text: &str) -> Result<CertificateStatus, String> {
    word(text, "not-yet-valid, valid, expired, revoked")
}

fn origin(text: &str) -> Result<CertificateOrigin, String> {
    word(text, "issued, discovered, imported")
}

fn sort(text: &str) -> Result<CertificateSort, String> {
    word(
        text,
        "created, -created, not_after, -not_after, name, -name",
    )
}
