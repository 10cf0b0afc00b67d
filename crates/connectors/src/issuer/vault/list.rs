//! What the engine issued, to whomever: its list of serial numbers, and each certificate by itself.

use async_trait::async_trait;
use domain::certificate::Revocation;
use domain::issuer::{IssueError, ListIssued, ListedCertificate, ListedPage};
use pki::revocation::RevocationReason;
use pki::time::Timestamp;

use super::wire::{Keys, StoredCertificate};
use super::{VaultConnector, certificate};

#[async_trait]
impl ListIssued for VaultConnector {
    async fn list_issued(&self, cursor: Option<&str>) -> Result<ListedPage, IssueError> {
        let after = cursor.unwrap_or_default();
        // OpenBao gives a page; Vault takes no notice and gives all there are.
        let query = format!("certs?list=true&limit={PAGE}&after={after}");
        let path = self.mounted(&query);
        let mut keys = match self.client.read::<Keys>(&path).await {
            Ok(found) => found.keys,
            // An engine that has signed nothing has no list.
            Err(IssueError::NotReached(text)) if text.contains("404") => Vec::new(),
            Err(error) => return Err(error),
        };
        keys.retain(|key| key.as_str() > after && is_serial(key));
        keys.sort_unstable();
        let more = keys.len() > PAGE;
        keys.truncate(PAGE);
        let next = match (more || keys.len() == PAGE, keys.last()) {
            (true, Some(last)) => Some(last.clone()),
            _ => None,
        };
        let mut certificates = Vec::with_capacity(keys.len());
        for key in keys {
            let path = self.mounted(&format!("cert/{key}"));
            let stored: StoredCertificate = self.client.read(&path).await?;
            certificates.push(ListedCertificate {
                der: certificate(&stored.certificate)?,
                revocation: (stored.revocation_time > 0).then(|| Revocation {
                    at: Timestamp::from_seconds(stored.revocation_time),
                    // The engine does not keep why.
                    reason: RevocationReason::Unspecified,
                }),
            });
        }
        Ok(ListedPage { certificates, next })
    }
}

/// What stands in a path has to be what it says it is.
fn is_serial(text: &str) -> bool {
    text.len() <= 128
        && text
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'-'))
}

const PAGE: usize = 100;
