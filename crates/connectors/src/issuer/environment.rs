//! What connectors to CAs elsewhere work with, besides settings and secrets.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::clock::Clock;
use domain::issuer::response::ChallengeResponses;
use domain::issuer::{ConnectError, ConnectorState, IssueError};
use http::{Request, Response};
use pki::random::Random;
use url::Url;

use super::remote;
use crate::net::json::service_url;
use crate::net::trust::{Identity, verifying_client};
use crate::net::{Dialer, Reading, Resolver, ServiceHttp};

/// Passed to every connector of a CA elsewhere.
#[derive(Clone)]
pub struct Environment {
    pub dialer: Dialer,
    pub resolver: Arc<Resolver>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub state: Arc<dyn ConnectorState>,
    pub responses: Arc<dyn ChallengeResponses>,
    /// Where programs for the kind `command` are, if there may be any.
    pub commands: Option<PathBuf>,
}

/// Whether plain http is spoken as well as https.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    Refused,
    /// To the loopback of this machine, or where messages protect themselves.
    Allowed,
}

impl Environment {
    /// A guarded client for a CA's service, which trusts `trust_anchors` or the system's roots.
    pub fn http(
        &self,
        trust_anchors: Option<&str>,
        identity: Option<&Identity>,
        plain: PlainHttp,
    ) -> Result<IssuerHttp, ConnectError> {
        let tls = verifying_client(trust_anchors, identity, &[b"http/1.1"]).map_err(unfit)?;
        let http = ServiceHttp::new(self.dialer.clone(), tls, plain == PlainHttp::Allowed);
        Ok(IssuerHttp(http.bounded(DEADLINE, Reading::Whole(MAX_BODY))))
    }

    /// The same for a service that is told secrets below one URL; see [`service_url`].
    pub fn service(
        &self,
        url: &str,
        trust_anchors: Option<&str>,
        identity: Option<&Identity>,
    ) -> Result<(ServiceHttp, Url), ConnectError> {
        let url = service_url(url).map_err(unfit)?;
        let plain = match url.scheme() {
            "http" => PlainHttp::Allowed,
            _ => PlainHttp::Refused,
        };
        let IssuerHttp(http) = self.http(trust_anchors, identity, plain)?;
        Ok((http, url))
    }
}

fn unfit(error: impl std::fmt::Display) -> ConnectError {
    ConnectError::Settings(error.to_string())
}

impl PlainHttp {
    /// Plain http where a URL leads no further than this machine.
    pub fn on_loopback(url: &str) -> Self {
        match domain::issuer::is_on_loopback(url) {
            true => Self::Allowed,
            false => Self::Refused,
        }
    }
}

/// Talks to a CA's service. Whatever keeps an answer from coming can pass.
#[derive(Clone)]
pub struct IssuerHttp(ServiceHttp);

impl IssuerHttp {
    /// Sends a request, and reads its answer to the end. The URL's host is the caller's to check,
    /// where the other side named it.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, IssueError> {
        let sent = self.0.send(request).await;
        sent.map_err(|error| remote::unanswered(&error))
    }
}

/// CAs with a hardware module behind them take their time.
const DEADLINE: Duration = Duration::from_secs(30);
const MAX_BODY: usize = 4 * 1024 * 1024;
