//! What EJBCA answers, and what it means.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::issuer::IssueError;
use http::StatusCode;
use pki::revocation::RevocationReason;
use serde::Deserialize;

use crate::net::excerpt;
use crate::net::json::Answer;

#[derive(Deserialize)]
pub(super) struct Enrolled {
    pub(super) certificate: String,
    #[serde(default)]
    pub(super) response_format: Option<String>,
    #[serde(default)]
    pub(super) certificate_chain: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Found {
    #[serde(default)]
    pub(super) certificates: Vec<Enrolled>,
}

#[derive(Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) error_message: String,
}

#[derive(Deserialize)]
pub(super) struct Authorities {
    pub(super) certificate_authorities: Vec<Authority>,
}

#[derive(Deserialize)]
pub(super) struct Authority {
    pub(super) name: String,
    pub(super) subject_dn: String,
}

impl Enrolled {
    pub(super) fn der(&self) -> Result<Vec<u8>, IssueError> {
        match self.response_format.as_deref() {
            None | Some("DER" | "PEM") => decode(&self.certificate),
            Some(other) => Err(IssueError::Unavailable(format!(
                "the CA answered in the format {}",
                excerpt(other.as_bytes())
            ))),
        }
    }
}

/// DER or PEM in base64, or PEM as it is: versions of the interface differ.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, IssueError> {
    let pem = |octets: &[u8]| {
        let found = pki::pem::decode_all(pki::pem::CERTIFICATE, octets).ok()?;
        found.into_iter().next()
    };
    let broken = || IssueError::Unavailable("the CA answered half a certificate".to_owned());
    if let Some(der) = pem(text.as_bytes()) {
        return Ok(der);
    }
    let compact: String = text.split_ascii_whitespace().collect();
    let octets = STANDARD.decode(compact).map_err(|_| broken())?;
    match octets.first() {
        Some(0x30) => Ok(octets),
        Some(b'-') => pem(&octets).ok_or_else(broken),
        // DER in base64 within base64.
        Some(_) => STANDARD.decode(octets).map_err(|_| broken()),
        None => Err(broken()),
    }
}

/// The number in "… request with ID 123 …": the last one in the message.
pub(super) fn request_id(message: &str) -> Option<u64> {
    let numbers = message.split(|c: char| !c.is_ascii_digit());
    numbers.filter_map(|digits| digits.parse().ok()).next_back()
}

pub(super) fn failure(answer: &Answer) -> IssueError {
    let status = answer.status;
    let told = match answer.json::<ErrorBody>() {
        Ok(body) if !body.error_message.is_empty() => excerpt(body.error_message.as_bytes()),
        _ => excerpt(&answer.body),
    };
    let text = format!("EJBCA answered {status}: {told}");
    match status {
        // Turned away at the door. A client certificate or a right that is missing can be mended there,
        // and the request goes on.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
            IssueError::NotReached(text)
        }
        StatusCode::REQUEST_TIMEOUT => IssueError::Unavailable(text),
        _ if status.is_server_error() => IssueError::Unavailable(text),
        _ => IssueError::Refused(text),
    }
}

pub(super) fn reason(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::Unspecified => "UNSPECIFIED",
        RevocationReason::KeyCompromise => "KEY_COMPROMISE",
        RevocationReason::CaCompromise => "CA_COMPROMISE",
        RevocationReason::AffiliationChanged => "AFFILIATION_CHANGED",
        RevocationReason::Superseded => "SUPERSEDED",
        RevocationReason::CessationOfOperation => "CESSATION_OF_OPERATION",
        RevocationReason::CertificateHold => "CERTIFICATE_HOLD",
        RevocationReason::RemoveFromCrl => "REMOVE_FROM_CRL",
        RevocationReason::PrivilegeWithdrawn => "PRIVILEGES_WITHDRAWN",
        RevocationReason::AaCompromise => "AA_COMPROMISE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_request_is_the_last_in_the_message() {
        assert_eq!(
            request_id("2 approvals are needed for request ID 1234."),
            Some(1234)
        );
        assert_eq!(request_id("wait"), None);
    }

    #[test]
    fn half_a_certificate_is_none() {
        for half in ["", "????", "MII", "-----BEGIN CERTIFICATE-----"] {
            assert!(decode(half).is_err(), "{half}");
        }
        assert_eq!(decode("MAA=").unwrap(), [0x30, 0]);
        assert_eq!(decode("TUFBPQ==").unwrap(), [0x30, 0]);
    }
}
