//! What makes a request wait, and what is looked at to tell.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What makes a request wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    Always,
    /// It names a wildcard.
    Wildcard,
    /// It names something for which no certificate was ever issued here.
    NewName,
    /// It names something for which another team has a certificate.
    ForeignTeam,
    /// The certificate would be trusted by the public.
    PublicCa,
    /// The certificate would be valid for longer than so many seconds.
    #[serde(rename = "validity_above_seconds")]
    ValidityAbove(u64),
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub wildcard: bool,
    pub new_name: bool,
    pub foreign_team: bool,
    pub public_ca: bool,
    pub validity: Duration,
    pub renewal: Renewal,
}

/// How a request relates to the last certificate of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// There is none that counts, or something differs.
    None,
    /// Nothing differs but the key.
    NewKey,
    /// Nothing differs.
    SameKey,
}

impl Condition {
    pub(super) fn holds(self, facts: &Facts) -> bool {
        match self {
            Self::Always => true,
            Self::Wildcard => facts.wildcard,
            Self::NewName => facts.new_name,
            Self::ForeignTeam => facts.foreign_team,
            Self::PublicCa => facts.public_ca,
            Self::ValidityAbove(seconds) => facts.validity > Duration::from_secs(seconds),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("every request of this profile waits for approval"),
            Self::Wildcard => f.write_str("it names a wildcard"),
            Self::NewName => f.write_str("it names something that was never certified here"),
            Self::ForeignTeam => {
                f.write_str("it names something that another team has a certificate for")
            }
            Self::PublicCa => f.write_str("the certificate would be publicly trusted"),
            Self::ValidityAbove(seconds) => {
                write!(f, "it would be valid for more than {seconds} seconds")
            }
        }
    }
}
