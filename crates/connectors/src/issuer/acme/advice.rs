//! When the CA wants a certificate renewed (RFC 9773 section 4), and what it is told of predecessors.

use std::time::Duration;

use async_trait::async_trait;
use domain::issuer::{AdviseRenewal, Advised, IssueError};
use domain::renewal::RenewalWindow;
use pki::ari::CertId;
use pki::certificate::Certificate;
use protocols::acme::problem::ProblemType;
use protocols::acme::renewal_info::RenewalInfo;

use super::AcmeConnector;
use super::client::AcmeError;

/// RFC 9773 section 4.3: as often as the CA says, within reason; four times a day where it does not.
const USUAL: Duration = Duration::from_secs(6 * 60 * 60);
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

#[async_trait]
impl AdviseRenewal for AcmeConnector {
    async fn advise(&self, certificate: &[u8]) -> Result<Option<Advised>, IssueError> {
        let directory = self.client.directory().await.map_err(IssueError::from)?;
        let Some(base) = &directory.renewal_info else {
            return Ok(None);
        };
        let parsed = Certificate::from_der(certificate)
            .map_err(|error| IssueError::Refused(error.to_string()))?;
        let id = CertId::of(&parsed).ok_or_else(|| {
            IssueError::Refused("the certificate does not say whose key signed it".to_owned())
        })?;
        let url = format!("{}/{id}", base.trim_end_matches('/'));
        let reply = self.client.look_up(&url).await.map_err(IssueError::from)?;
        let info: RenewalInfo = reply.json().map_err(IssueError::from)?;
        let ask_again = reply.retry_after().unwrap_or(USUAL);
        Ok(Some(Advised {
            window: RenewalWindow {
                start: info.suggested_window.start(),
                end: info.suggested_window.end(),
            },
            explanation_url: info.explanation_url.filter(|url| is_a_link(url)),
            ask_again: ask_again.clamp(SHORTEST, LONGEST),
        }))
    }
}

/// What is shown to people is a link to a page and nothing else.
fn is_a_link(text: &str) -> bool {
    text.len() <= 500 && text.starts_with("https://") && text.parse::<url::Url>().is_ok()
}

/// Whether the CA may make the order if nothing is said of a predecessor: it replaced that one already,
/// or does not know it as one of this account (RFC 9773 section 5).
pub(super) fn is_about_predecessor(error: &AcmeError) -> bool {
    matches!(
        error.kind(),
        Some(ProblemType::AlreadyReplaced | ProblemType::Malformed | ProblemType::Unauthorized)
    )
}
