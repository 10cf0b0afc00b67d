//! Renewal information, ARI (RFC 9773). A certificate is named by its [`CertId`].

pub use pki::ari::{CertId, ParseCertIdError};
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

/// When to renew; never empty (RFC 9773 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Bounds")]
pub struct Window {
    start: Timestamp,
    end: Timestamp,
}

#[derive(Deserialize)]
struct Bounds {
    start: Timestamp,
    end: Timestamp,
}

/// A window that does not end after it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the renewal window does not end after its start")]
pub struct EmptyWindow;

impl Window {
    /// A window from `start` to `end`.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, EmptyWindow> {
        if start < end {
            Ok(Self { start, end })
        } else {
            Err(EmptyWindow)
        }
    }

    /// The first instant.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The last instant.
    pub fn end(&self) -> Timestamp {
        self.end
    }
}

impl TryFrom<Bounds> for Window {
    type Error = EmptyWindow;

    fn try_from(Bounds { start, end }: Bounds) -> Result<Self, EmptyWindow> {
        Self::new(start, end)
    }
}

/// The answer to a renewalInfo request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalInfo {
    /// When to renew.
    #[serde(rename = "suggestedWindow")]
    pub suggested_window: Window,
    /// A page that says why.
    #[serde(
        rename = "explanationURL",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub explanation_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_empty_window_is_neither_made_nor_read() {
        let at = Timestamp::from_seconds(1_800_000_000);
        assert_eq!(Window::new(at, at), Err(EmptyWindow));
        let window = json!({"suggestedWindow": {"start": at, "end": at}});
        assert!(serde_json::from_value::<RenewalInfo>(window).is_err());
    }

    #[test]
    fn the_answer_has_the_names_of_the_text() {
        let wire = json!({
            "suggestedWindow": {"start": "2027-01-01T00:00:00Z", "end": "2027-01-02T00:00:00Z"},
            "explanationURL": "https://ca.example/incident",
        });
        let info: RenewalInfo = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(serde_json::to_value(info).unwrap(), wire);
    }
}
