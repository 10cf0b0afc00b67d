//! A broken rule, as requesters and operators see it.

use serde::{Deserialize, Serialize};

use crate::identifier::Identifier;

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The rule, dotted: `names.wildcard`.
    pub rule: String,
    /// What was found.
    pub message: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The identifier at fault, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
    pub fault: Fault,
}

/// Which part of a request is at fault; front ends choose their error by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    Csr,
    Identifier,
    Key,
    Subject,
    Validity,
    /// What goes with the request: evidence, metadata, or all of it together.
    Request,
}

impl Violation {
    /// That rule is broken; the message says what was found.
    pub fn new(rule: impl Into<String>, fault: Fault, message: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            message: message.into(),
            fix: None,
            identifier: None,
            fault,
        }
    }

    /// What the requester can do about it.
    pub fn fix(mut self, text: impl Into<String>) -> Self {
        self.fix = Some(text.into());
        self
    }

    /// The name at fault.
    pub fn about(mut self, identifier: &Identifier) -> Self {
        self.identifier = Some(identifier.clone());
        self
    }

    /// What was found and how to mend it, in one sentence.
    pub fn text(&self) -> String {
        match &self.fix {
            Some(fix) => format!("{}; {fix}", self.message),
            None => self.message.clone(),
        }
    }
}
