//! What some connectors can do beyond signing: look whether all is well, fetch the CA's certificates,
//! list what the CA issued.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::IssueError;
use crate::certificate::{Chain, Revocation};
use crate::renewal::RenewalWindow;

/// The optional abilities of a connector.
#[derive(Clone, Copy, Default)]
pub struct Abilities<'a> {
    pub health: Option<&'a dyn HealthCheck>,
    pub chain: Option<&'a dyn FetchChain>,
    pub list: Option<&'a dyn ListIssued>,
    pub tidy: Option<&'a dyn Tidy>,
    pub renewal: Option<&'a dyn AdviseRenewal>,
}

impl<'a> Abilities<'a> {
    /// What most CAs elsewhere can do: they are looked at, and give their certificates.
    pub fn usual<C: HealthCheck + FetchChain>(ca: &'a C) -> Self {
        Self {
            health: Some(ca),
            chain: Some(ca),
            ..Self::default()
        }
    }

    /// The same of a CA that lists what it issued.
    #[must_use]
    pub fn and_lists(self, ca: &'a dyn ListIssued) -> Self {
        Self {
            list: Some(ca),
            ..self
        }
    }
}

/// Looks what works and what does not; asks for no certificate that would count.
#[async_trait]
pub trait HealthCheck: Send + Sync {
    /// One finding for each aspect that could be looked at, in the order of [`Aspect`]. What could not
    /// be looked at because something before it failed is [`Outcome::Skipped`].
    async fn check(&self) -> CheckReport;
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    pub findings: Vec<Finding>,
}

/// One line of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub aspect: Aspect,
    pub outcome: Outcome,
    /// For people: what works, or what does not and how to mend it. Never a secret, nor more than an
    /// excerpt of what the other side said.
    pub message: String,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Whether it answers at all, over a connection that is trusted.
    Reach,
    /// Whether it knows us.
    Credentials,
    /// Whether we may do there what we have to.
    Rights,
    /// Whether the CA's certificates are known, fit together and are valid.
    Chain,
    /// Whether the world can learn what the CA revoked.
    Revocation,
    /// What is left of limits that the CA sets.
    Limits,
    /// What requests of late met with.
    Answers,
    /// What waits for the CA, and how long already.
    Backlog,
    /// Whether a request would be signed, as far as can be found out without a certificate coming of it.
    DryRun,
}

impl Aspect {
    /// Its name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reach => "reach",
            Self::Credentials => "credentials",
            Self::Rights => "rights",
            Self::Chain => "chain",
            Self::Revocation => "revocation",
            Self::Limits => "limits",
            Self::Answers => "answers",
            Self::Backlog => "backlog",
            Self::DryRun => "dry-run",
        }
    }
}

/// How it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Passed,
    /// It works, but not for long or not in every case.
    Warning,
    Failed,
    /// Not looked at, because something before it failed or the CA has no way to do it.
    Skipped,
}

impl CheckReport {
    /// Adds a line.
    pub fn note(&mut self, aspect: Aspect, outcome: Outcome, message: impl Into<String>) {
        self.findings.push(Finding {
            aspect,
            outcome,
            message: message.into(),
        });
    }

    /// Adds that something works.
    pub fn passed(&mut self, aspect: Aspect, message: impl Into<String>) {
        self.note(aspect, Outcome::Passed, message);
    }

    /// Adds that something does not.
    pub fn failed(&mut self, aspect: Aspect, message: impl Into<String>) {
        self.note(aspect, Outcome::Failed, message);
    }

    /// Adds that these were not looked at, and why.
    pub fn skipped(&mut self, aspects: &[Aspect], message: &str) {
        for aspect in aspects {
            self.note(*aspect, Outcome::Skipped, message);
        }
    }

    /// Whether nothing failed.
    pub fn is_sound(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.outcome != Outcome::Failed)
    }
}

/// Asks the CA for its certificates.
#[async_trait]
pub trait FetchChain: Send + Sync {
    /// Its own certificate first, then those above it.
    async fn fetch_chain(&self) -> Result<Chain, IssueError>;
}

/// Takes away what the connector left at others and nobody came back for.
#[async_trait]
pub trait Tidy: Send + Sync {
    /// Called every hour or so. What cannot be taken away now is tried again.
    async fn tidy(&self);
}

/// Asks the CA when a certificate of its own should be renewed (RFC 9773). Its orders may say what they
/// replace.
#[async_trait]
pub trait AdviseRenewal: Send + Sync {
    /// `None` where the CA has no such advice at all; refused where it knows nothing of this one.
    async fn advise(&self, certificate: &[u8]) -> Result<Option<Advised>, IssueError>;
}

/// What a CA advises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advised {
    pub window: RenewalWindow,
    /// A page that says why.
    pub explanation_url: Option<String>,
    pub ask_again: Duration,
}

/// Lists what the CA issued, to whomever.
#[async_trait]
pub trait ListIssued: Send + Sync {
    /// The certificates after `cursor`, some hundred at a time; the first where there is none.
    async fn list_issued(&self, cursor: Option<&str>) -> Result<ListedPage, IssueError>;
}

/// Some of what a CA issued.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedPage {
    pub certificates: Vec<ListedCertificate>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// A certificate as its CA lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCertificate {
    pub der: Vec<u8>,
    /// What the CA says of a revocation, whoever it came from.
    pub revocation: Option<Revocation>,
}
