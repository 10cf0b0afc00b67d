//! Why a certificate is revoked.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// CRLReason, RFC 5280 section 5.3.1; in JSON and text its name there, such as `keyCompromise`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(into = "&'static str", try_from = "String")]
pub enum RevocationReason {
    /// No reason given
    #[default]
    Unspecified,
    /// The private key is, or may be, in wrong hands
    KeyCompromise,
    /// The CA's private key is
    CaCompromise,
    /// The subject's name or other data changed
    AffiliationChanged,
    /// A new certificate took its place
    Superseded,
    /// It is no longer needed
    CessationOfOperation,
    /// Suspended, may come back
    CertificateHold,
    /// Back from hold; in delta CRLs only
    RemoveFromCrl,
    /// A right it stated was withdrawn
    PrivilegeWithdrawn,
    /// The attribute authority's key is in wrong hands
    AaCompromise,
}

/// A number or text that is no reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownReason {
    /// 7, which is unused, or beyond 10.
    #[error("{0} is not a revocation reason code: use 0 to 6 or 8 to 10")]
    Code(u8),
    /// None of the names.
    #[error(
        "`{0}` is not a revocation reason: use keyCompromise, superseded, cessationOfOperation, …"
    )]
    Name(String),
}

impl RevocationReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::RemoveFromCrl,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The number in CRLs, OCSP and ACME.
    pub const fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::RemoveFromCrl => 8,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }
}

impl TryFrom<u8> for RevocationReason {
    type Error = UnknownReason;

    fn try_from(code: u8) -> Result<Self, Self::Error> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.code() == code)
            .ok_or(UnknownReason::Code(code))
    }
}

impl From<RevocationReason> for u8 {
    fn from(reason: RevocationReason) -> Self {
        reason.code()
    }
}

impl From<RevocationReason> for &'static str {
    fn from(reason: RevocationReason) -> Self {
        reason.as_str()
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RevocationReason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownReason::Name(text.to_owned()))
    }
}

impl TryFrom<String> for RevocationReason {
    type Error = UnknownReason;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_5280_without_seven() {
        let codes: Vec<_> = (0..=u8::MAX)
            .filter_map(|code| RevocationReason::try_from(code).ok())
            .map(RevocationReason::code)
            .collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 8, 9, 10]);
    }

    #[test]
    fn names_read_back_in_any_case() {
        for reason in RevocationReason::ALL {
            assert_eq!(reason.as_str().to_lowercase().parse(), Ok(reason));
        }
        assert!("compromise".parse::<RevocationReason>().is_err());
    }
}
