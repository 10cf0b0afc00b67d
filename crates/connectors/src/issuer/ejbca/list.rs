//! What the CA issued to whomever, page by page.

use async_trait::async_trait;
use domain::certificate::Revocation;
use domain::issuer::{IssueError, ListIssued, ListedCertificate, ListedPage};
use http::Method;
use pki::revocation::RevocationReason;
use pki::time::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::EjbcaConnector;
use super::wire::{decode, failure};

const PAGE: u32 = 100;

/// What the second version of the search answers with.
#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    certificates: Vec<ListedEntry>,
    pagination_summary: Summary,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedEntry {
    base64_cert: String,
    /// Milliseconds; -1 where it is not revoked.
    #[serde(default)]
    revocation_date: Option<i64>,
    /// The code of RFC 5280; -1 where it is not revoked.
    #[serde(default)]
    revocation_reason: Option<i64>,
}

#[derive(Deserialize)]
struct Summary {
    page_size: u64,
    current_page: u64,
    total_certs: u64,
}

impl ListedEntry {
    fn read(&self) -> Result<ListedCertificate, IssueError> {
        let code = self
            .revocation_reason
            .and_then(|code| u8::try_from(code).ok());
        let reason = code.and_then(|code| RevocationReason::try_from(code).ok());
        let at = self.revocation_date.filter(|at| *at > 0);
        let revocation = reason.zip(at).map(|(reason, at)| Revocation {
            at: Timestamp::from_millis(at),
            reason,
        });
        Ok(ListedCertificate {
            der: decode(&self.base64_cert)?,
            revocation,
        })
    }
}

#[async_trait]
impl ListIssued for EjbcaConnector {
    async fn list_issued(&self, cursor: Option<&str>) -> Result<ListedPage, IssueError> {
        let page: u64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(1);
        let body = json!({
            "pagination": {"page_size": PAGE, "current_page": page},
            "sort": {"property": "UPDATE_TIME", "operation": "ASC"},
            "criteria": [{"property": "CA", "value": self.config.ca_name, "operation": "EQUAL"}],
        });
        let answer = self
            .send(Method::POST, "v2/certificate/search", Some(&body))
            .await?;
        if !answer.status.is_success() {
            return Err(failure(&answer));
        }
        let listed: Listed = answer.json().map_err(IssueError::Unavailable)?;
        let entries = listed.certificates.iter().map(ListedEntry::read);
        let certificates = entries.collect::<Result<Vec<_>, _>>()?;
        let summary = listed.pagination_summary;
        let seen = summary.current_page.saturating_mul(summary.page_size);
        let more = seen < summary.total_certs && !certificates.is_empty();
        Ok(ListedPage {
            certificates,
            next: more.then(|| summary.current_page.saturating_add(1).to_string()),
        })
    }
}
