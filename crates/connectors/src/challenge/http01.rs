//! http-01: a file on the web server of the name (RFC 8555 section 8.3, RFC 8738 section 4).

use std::net::IpAddr;

use async_trait::async_trait;
use domain::acme::challenge::ChallengeKind;
use domain::acme::validation::{
    ChallengeValidator, FailureKind, ValidationFailure, ValidationRequest, Verdict,
};
use domain::identifier::Identifier;
use url::Url;

use super::{ValidationSettings, dial_failure};
use crate::net::{Dialer, Fetched, GuardedHttp, HttpError, HttpLimits, excerpt};

/// A key authorization has some 90 octets; what is longer than this cannot be one.
const MAX_BODY: usize = 4096;

/// Fetches the key authorization from a well-known URL.
pub struct Http01Validator {
    http: GuardedHttp,
    port: u16,
}

impl Http01Validator {
    /// A validator that dials through `dialer`.
    pub fn new(dialer: Dialer, settings: ValidationSettings) -> Self {
        let limits = HttpLimits {
            deadline: settings.timeout,
            body: MAX_BODY,
            extra_port: Some(settings.http01_port),
            ..HttpLimits::default()
        };
        Self {
            http: GuardedHttp::new(dialer, limits),
            port: settings.http01_port,
        }
    }

    async fn probe(&self, request: &ValidationRequest) -> Result<(), ValidationFailure> {
        let url = challenge_url(&request.identifier, self.port, &request.token)?;
        let fetched = self.http.get(url).await.map_err(failure)?;
        judge(&fetched, &request.key_authorization)
    }
}

#[async_trait]
impl ChallengeValidator for Http01Validator {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::Http01
    }

    async fn validate(&self, request: &ValidationRequest) -> Verdict {
        match self.probe(request).await {
            Ok(()) => Verdict::Valid { until: None },
            Err(failure) => Verdict::Invalid(failure),
        }
    }
}

fn challenge_url(
    identifier: &Identifier,
    port: u16,
    token: &str,
) -> Result<Url, ValidationFailure> {
    let host = match identifier {
        Identifier::Dns(name) => name.to_string(),
        Identifier::Ip(IpAddr::V4(address)) => address.to_string(),
        Identifier::Ip(IpAddr::V6(address)) => format!("[{address}]"),
        Identifier::Email(_)
        | Identifier::Uri(_)
        | Identifier::Permanent(_)
        | Identifier::Hardware(_) => return Err(no_host(identifier)),
    };
    let text = format!("http://{host}:{port}/.well-known/acme-challenge/{token}");
    Url::parse(&text).map_err(|error| {
        let detail = format!("{identifier} cannot be the host of a URL: {error}");
        ValidationFailure::lasting(FailureKind::Malformed, detail)
    })
}

/// The domain offers this challenge for hosts and addresses only.
fn no_host(identifier: &Identifier) -> ValidationFailure {
    let detail = format!("{identifier} is neither a host nor an address");
    ValidationFailure::lasting(FailureKind::Malformed, detail)
}

fn judge(fetched: &Fetched, expected: &str) -> Result<(), ValidationFailure> {
    let Fetched {
        url,
        address,
        status,
        body,
        truncated,
    } = fetched;
    let wrong = |seen: String| {
        let detail = format!(
            "{url} (at {address}) {seen}; it must answer status 200 with the key authorization \
             `{expected}`"
        );
        Err(ValidationFailure::passing(
            FailureKind::IncorrectResponse,
            detail,
        ))
    };
    if status.as_u16() != 200 {
        return wrong(format!("answered status {}", status.as_u16()));
    }
    if *truncated {
        return wrong(format!(
            "answered more than {MAX_BODY} octets: `{}`",
            excerpt(body)
        ));
    }
    if body.trim_ascii_end() != expected.as_bytes() {
        return wrong(format!("answered `{}`", excerpt(body)));
    }
    Ok(())
}

fn failure(error: HttpError) -> ValidationFailure {
    let detail = error.to_string();
    match error {
        HttpError::Dial { url, source } => dial_failure(&source, url.as_str()),
        HttpError::Timeout { .. } => ValidationFailure::passing(
            FailureKind::Connection,
            format!("{detail}; see whether a firewall or a slow server is in the way"),
        ),
        HttpError::Lost { .. } => ValidationFailure::passing(FailureKind::Connection, detail),
        HttpError::Tls { .. } => ValidationFailure::passing(FailureKind::Tls, detail),
        HttpError::Malformed { .. } => {
            ValidationFailure::lasting(FailureKind::IncorrectResponse, detail)
        }
        HttpError::Redirect { .. } => ValidationFailure::lasting(
            FailureKind::Connection,
            format!("{detail}; serve /.well-known/acme-challenge/ without such a redirect"),
        ),
    }
}

#[cfg(test)]
mod tests;
