//! `dns-account-01`: a TXT record under a label of its own per account (draft-ietf-acme-dns-account-label).

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE32_NOPAD;

/// The account's label: `_` and the first ten octets of SHA-256 over the account's URL in base32.
pub fn label(account_url: &str) -> String {
    let hash = digest(&SHA256, account_url.as_bytes());
    let start = hash.as_ref().get(..10).unwrap_or_default();
    format!("_{}", BASE32_NOPAD.encode(start).to_ascii_lowercase())
}

/// The name that holds the TXT record for `domain`.
pub fn record_name(account_url: &str, domain: &str) -> String {
    format!("{}._acme-challenge.{domain}", label(account_url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_draft_is_met() {
        assert_eq!(
            record_name(
                "https://example.com/acme/acct/ExampleAccount",
                "example.org"
            ),
            "_ujmmovf2vn55tgye._acme-challenge.example.org"
        );
    }

    #[test]
    fn the_label_depends_on_every_character_of_the_url() {
        let one = label("https://example.com/acme/acct/1");
        assert_ne!(one, label("https://example.com/acme/acct/1/"));
        assert_ne!(one, label("https://Example.com/acme/acct/1"));
    }
}
