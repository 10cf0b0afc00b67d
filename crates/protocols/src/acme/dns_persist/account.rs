//! The account's name in a record.

use aws_lc_rs::digest::{Context, SHA256};

use super::normalize;
use crate::acme::base64url;
use crate::acme::jwk::Thumbprint;

/// An account under every name that its records may use.
#[derive(Clone, Copy, Debug)]
pub struct AccountUri<'a> {
    /// The account's URL, which never changes its form.
    pub url: &'a str,
    /// The thumbprints of the account's key and of every key it had before: a change of key does not
    /// invalidate records.
    pub thumbprints: &'a [Thumbprint],
    /// Whether the URL itself is accepted (drafts -00 and -01).
    pub plain: bool,
    /// The directory's `accountHashPrefix` where hashes are accepted (draft -02).
    pub hash_prefix: Option<&'a str>,
}

impl AccountUri<'_> {
    /// Whether `uri`, in a record of `record_domain`, names the account.
    pub(super) fn is(&self, uri: &str, record_domain: &str) -> bool {
        let hashed = |prefix| {
            self.thumbprints.iter().any(|thumbprint| {
                ["*", record_domain]
                    .iter()
                    .any(|domain| uri == hashed_uri(prefix, domain, thumbprint, self.url))
            })
        };
        (self.plain && uri == self.url) || self.hash_prefix.is_some_and(hashed)
    }
}

/// `accounturi` of draft -02: the prefix, `sha-256/`, and the base64url of SHA-256 over the domain's length
/// in one octet, the domain, the thumbprint's 43 characters and the account's URL. The domain `*` makes a
/// value that fits every domain of the account.
pub fn hashed_uri(
    prefix: &str,
    domain: &str,
    thumbprint: &Thumbprint,
    account_url: &str,
) -> String {
    let domain = normalize(domain);
    let mut hash = Context::new(&SHA256);
    // A DNS name has at most 253 characters; a longer text matches no record.
    hash.update(&[u8::try_from(domain.len()).unwrap_or(u8::MAX)]);
    hash.update(domain.as_bytes());
    hash.update(thumbprint.to_string().as_bytes());
    hash.update(account_url.as_bytes());
    let digest = base64url::encode(hash.finish());
    format!("{prefix}sha-256/{digest}")
}
