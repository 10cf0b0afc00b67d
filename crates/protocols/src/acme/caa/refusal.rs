//! Why CAA forbids an issuance, with enough detail to mend the zone.

use std::fmt;

use crate::acme::issue_value::IssueValueError;
use crate::acme::problem::{Problem, ProblemType};

/// Why CAA forbids an issuance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaaRefusal {
    /// RFC 8659 section 4.1: a critical property that we do not understand.
    #[error("the CAA property `{tag}` is critical and not understood")]
    UnknownCritical {
        /// The property's tag.
        tag: String,
    },
    /// No property of the relevant kind authorises us.
    #[error(
        "no CAA `{property}` property authorizes this issuance: {}",
        Misses(misses)
    )]
    NotAuthorized {
        /// `issue` or `issuewild`.
        property: &'static str,
        /// Each property with what it lacks.
        misses: Vec<Miss>,
    },
}

impl CaaRefusal {
    /// The problem document for this refusal.
    pub fn problem(&self) -> Problem {
        Problem::new(ProblemType::Caa, self.to_string())
    }
}

/// A property that does not authorise us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// The property's value, made printable.
    pub value: String,
    /// What it lacks.
    pub reason: MissReason,
}

/// Why a property does not authorise us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MissReason {
    /// The value is not an issue value, which RFC 8659 section 4.2 reads as authorising nobody.
    #[error("it is malformed: {0}")]
    Malformed(IssueValueError),
    /// The value is not text.
    #[error("it is not text")]
    NotText,
    /// `;` or an empty value.
    #[error("it authorizes nobody")]
    Nobody,
    /// Another CA.
    #[error("it names another CA")]
    OtherIssuer,
    /// RFC 8657 section 3.
    #[error("its `accounturi` is another account")]
    OtherAccount,
    /// RFC 8657 section 4.
    #[error("its `validationmethods` does not list the method used")]
    OtherMethod,
    /// RFC 8657 section 4: not a comma-separated list of labels.
    #[error("its `validationmethods` is malformed")]
    Methods,
    /// A parameter that we know, twice; which one was meant cannot be told.
    #[error("it has the parameter `{0}` more than once")]
    Duplicate(&'static str),
}

/// Prints what every property lacks.
struct Misses<'a>(&'a [Miss]);

impl fmt::Display for Misses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Miss { value, reason }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}`{value}`: {reason}")?;
        }
        Ok(())
    }
}
