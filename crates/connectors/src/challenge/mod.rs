//! Looking at a client from outside: one validator per challenge type, and CAA.
//!
//! Every failure says what was looked for, what was seen and what to change, because it is the only
//! thing the person at the other end gets to read.

pub mod caa;
pub mod device_attest01;
pub mod dns01;
pub mod dns_account01;
pub mod dns_persist01;
pub mod http01;
pub mod tls_alpn01;
mod txt;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use domain::acme::validation::{ChallengeValidator, FailureKind, ValidationFailure};
use protocols::acme::base64url;

use crate::net::{DialError, Dialer, DnsError};

pub use caa::DnsCaaChecker;
pub use device_attest01::DeviceAttest01Validator;
pub use dns_account01::DnsAccount01Validator;
pub use dns_persist01::DnsPersist01Validator;
pub use dns01::Dns01Validator;
pub use http01::Http01Validator;
pub use tls_alpn01::TlsAlpn01Validator;

/// What differs from one installation to the other.
#[derive(Clone, Copy, Debug)]
pub struct ValidationSettings {
    pub http01_port: u16,
    pub tlsalpn01_port: u16,
    /// Of one probe as a whole.
    pub timeout: Duration,
}

impl Default for ValidationSettings {
    fn default() -> Self {
        Self {
            http01_port: 80,
            tlsalpn01_port: 443,
            timeout: Duration::from_secs(10),
        }
    }
}

/// Every validator there is.
pub fn validators(
    dialer: &Dialer,
    settings: ValidationSettings,
) -> Vec<Arc<dyn ChallengeValidator>> {
    let resolver = dialer.resolver();
    vec![
        Arc::new(Http01Validator::new(dialer.clone(), settings)),
        Arc::new(Dns01Validator::new(resolver.clone())),
        Arc::new(TlsAlpn01Validator::new(dialer.clone(), settings)),
        Arc::new(DnsAccount01Validator::new(resolver.clone())),
        Arc::new(DnsPersist01Validator::new(resolver.clone())),
        Arc::new(DeviceAttest01Validator),
    ]
}

/// SHA-256 of a key authorization.
fn key_authorization_digest(key_authorization: &str) -> [u8; 32] {
    let mut octets = [0; 32];
    octets.copy_from_slice(digest(&SHA256, key_authorization.as_bytes()).as_ref());
    octets
}

/// The content of a dns-01 record: base64url of that digest (RFC 8555 section 8.4).
fn key_authorization_record(key_authorization: &str) -> String {
    base64url::encode(key_authorization_digest(key_authorization))
}

/// What DNS did not give; `advice` says what to change.
fn dns_failure(error: &DnsError, advice: &str) -> ValidationFailure {
    let failure = ValidationFailure::passing(FailureKind::Dns, format!("{error}; {advice}"));
    match error {
        DnsError::NoSuchName { .. }
        | DnsError::NoRecords { .. }
        | DnsError::Refused { .. }
        | DnsError::Timeout { .. }
        | DnsError::Broken { .. } => failure,
        DnsError::Chain { .. } | DnsError::TooMuch { .. } | DnsError::BadName { .. } => {
            ValidationFailure {
                can_retry: false,
                ..failure
            }
        }
    }
}

/// What could not be dialled while looking for `what`.
fn dial_failure(error: &DialError, what: &str) -> ValidationFailure {
    match error {
        DialError::Dns(error) => dns_failure(
            error,
            &format!("{what} needs an A or AAAA record that this server can resolve"),
        ),
        DialError::Denied(denied) => ValidationFailure::lasting(
            FailureKind::Connection,
            format!(
                "{what}: {denied}; let the name point to an address of the host itself, or ask the \
                 operator to list the network in validation.allow_networks"
            ),
        ),
        DialError::Connect { address, .. } => ValidationFailure::passing(
            FailureKind::Connection,
            format!(
                "{what}: {error}; let a server listen on port {} there and open it in firewalls",
                address.port()
            ),
        ),
    }
}
