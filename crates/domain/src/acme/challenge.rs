//! Challenges: the ways to prove control of an identifier (RFC 8555 section 8).

use std::fmt;
use std::str::FromStr;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::validation::ValidationFailure;
use crate::attestation::AttestedKey;
use crate::identifier::Identifier;

/// The challenge types we offer. TLS-SNI is not among them and never will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChallengeKind {
    /// RFC 8555 section 8.3.
    #[serde(rename = "http-01")]
    Http01,
    /// RFC 8555 section 8.4.
    #[serde(rename = "dns-01")]
    Dns01,
    /// RFC 8737.
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
    /// draft-ietf-acme-dns-account-label.
    #[serde(rename = "dns-account-01")]
    DnsAccount01,
    /// draft-ietf-acme-dns-persist.
    #[serde(rename = "dns-persist-01")]
    DnsPersist01,
    /// RFC 8823.
    #[serde(rename = "email-reply-00")]
    EmailReply00,
    /// draft-ietf-acme-device-attest.
    #[serde(rename = "device-attest-01")]
    DeviceAttest01,
}

impl ChallengeKind {
    /// Every kind, in the order they are offered.
    pub const ALL: [Self; 7] = [
        Self::Http01,
        Self::Dns01,
        Self::TlsAlpn01,
        Self::DnsAccount01,
        Self::DnsPersist01,
        Self::EmailReply00,
        Self::DeviceAttest01,
    ];

    /// Whether this challenge proves control of `identifier`: wildcards only by DNS (RFC 8555
    /// section 8.3, RFC 8737 section 3), addresses never by DNS (RFC 8738 section 7).
    pub fn proves(self, identifier: &Identifier, wildcard: bool) -> bool {
        match (self, identifier) {
            (Self::Http01 | Self::TlsAlpn01, Identifier::Dns(_)) => !wildcard,
            (Self::Dns01 | Self::DnsAccount01 | Self::DnsPersist01, Identifier::Dns(_))
            | (Self::Http01 | Self::TlsAlpn01, Identifier::Ip(_)) => true,
            (Self::Dns01 | Self::DnsAccount01 | Self::DnsPersist01, Identifier::Ip(_)) => false,
            (Self::DeviceAttest01, Identifier::Permanent(_) | Identifier::Hardware(_)) => true,
            (Self::DeviceAttest01, Identifier::Dns(_) | Identifier::Ip(_))
            | (_, Identifier::Permanent(_) | Identifier::Hardware(_)) => false,
            // RFC 8823: a mailbox by its own challenge alone.
            (Self::EmailReply00, Identifier::Email(_)) => true,
            (Self::EmailReply00, Identifier::Dns(_) | Identifier::Ip(_))
            | (_, Identifier::Email(_)) => false,
            // Nothing proves a URI.
            (_, Identifier::Uri(_)) => false,
        }
    }

    /// The ACME `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::Dns01 => "dns-01",
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::DnsAccount01 => "dns-account-01",
            Self::DnsPersist01 => "dns-persist-01",
            Self::EmailReply00 => "email-reply-00",
            Self::DeviceAttest01 => "device-attest-01",
        }
    }
}

impl fmt::Display for ChallengeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no challenge type.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no challenge type that is offered here")]
pub struct ParseChallengeKindError(String);

impl FromStr for ChallengeKind {
    type Err = ParseChallengeKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| ParseChallengeKindError(text.chars().take(64).collect()))
    }
}

/// One way offered by an authorization, and how far it got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    pub kind: ChallengeKind,
    pub state: ChallengeState,
    /// What came with the response, until there is a verdict on it (device-attest-01).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ChallengeAnswer>,
    /// The key that was attested, which is the only one that may be certified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested: Option<AttestedKey>,
}

impl Challenge {
    /// A challenge that nobody responded to.
    pub fn pending(kind: ChallengeKind) -> Self {
        Self {
            kind,
            state: ChallengeState::Pending,
            response: None,
            attested: None,
        }
    }
}

/// The octets of a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeAnswer(#[serde(with = "crate::attestation::base64")] pub Vec<u8>);

/// RFC 8555 section 7.1.6; each state with what exists in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ChallengeState {
    Pending,
    /// The client said it is ready; probes are under way.
    Processing {
        attempts: Vec<Attempt>,
    },
    Valid {
        validated_at: Timestamp,
    },
    Invalid {
        attempts: Vec<Attempt>,
    },
}

impl ChallengeState {
    /// How many probes failed so far.
    pub fn attempts(&self) -> usize {
        match self {
            Self::Processing { attempts } | Self::Invalid { attempts } => attempts.len(),
            Self::Pending | Self::Valid { .. } => 0,
        }
    }

    /// The last failure, which is shown as the challenge's `error`.
    pub fn last_failure(&self) -> Option<&ValidationFailure> {
        match self {
            Self::Processing { attempts } | Self::Invalid { attempts } => {
                attempts.last().map(|attempt| &attempt.failure)
            }
            Self::Pending | Self::Valid { .. } => None,
        }
    }
}

/// One probe that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    pub at: Timestamp,
    pub failure: ValidationFailure,
}
