//! Which of a profile's issuers signs: by condition, order of preference and weight, among those that
//! are fit to. Pure: what is drawn and how each issuer stands is given.

use std::collections::BTreeMap;
use std::fmt;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identifier::Identifier;
use crate::profile::{IssuerChoice, SanPattern};

/// What a request has to be like for an issuer to sign it; what is empty asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteCondition {
    /// Each name of the request is in one of these sets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<SanPattern>,
    /// The certificate will be of one of these teams.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// Each of these fields has one of the values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Vec<String>>,
}

/// What a condition looks at.
#[derive(Clone, Copy, Debug)]
pub struct RouteFacts<'a> {
    pub names: &'a [Identifier],
    pub team: Option<&'a str>,
    pub metadata: &'a BTreeMap<String, String>,
}

impl RouteCondition {
    /// Whether a request is like that.
    pub fn holds(&self, facts: &RouteFacts<'_>) -> bool {
        let is_listed = |name| {
            let mut patterns = self.names.iter();
            patterns.any(|pattern| pattern.covers(name) == Some(true))
        };
        let names = self.names.is_empty() || facts.names.iter().all(is_listed);
        let team = self.teams.is_empty()
            || facts
                .team
                .is_some_and(|team| self.teams.iter().any(|wanted| wanted == team));
        let metadata = self.metadata.iter().all(|(field, values)| {
            facts
                .metadata
                .get(field)
                .is_some_and(|value| values.contains(value))
        });
        names && team && metadata
    }

    /// Whether it looks at fields, which have to be resolved first.
    pub fn reads_metadata(&self) -> bool {
        !self.metadata.is_empty()
    }
}

/// How an issuer stands when one is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It signs.
    Fit,
    /// It failed too often of late, and is left alone until then.
    Resting { until: Timestamp },
    /// It has signed as much as it may until then.
    Spent { until: Timestamp },
    /// Nobody chose it: retired, not connected, or its certificate ended.
    Out(OutReason),
}

/// Why an issuer is out of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutReason {
    Unknown,
    Retired,
    NotConnected,
    Ended,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fit => f.write_str("is fit"),
            Self::Resting { until } => {
                write!(f, "failed too often and is tried again at {until}")
            }
            Self::Spent { until } => write!(f, "has used up its quota until {until}"),
            Self::Out(OutReason::Unknown) => f.write_str("does not exist"),
            Self::Out(OutReason::Retired) => f.write_str("is not active"),
            Self::Out(OutReason::NotConnected) => f.write_str("cannot be connected"),
            Self::Out(OutReason::Ended) => f.write_str("has a certificate that ended"),
        }
    }
}

/// No issuer of a profile signs a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    #[error(
        "none of the profile's issuers takes such a request; change the conditions of its issuers"
    )]
    NoneTakesIt,
    #[error("none of the profile's issuers can sign: {}", list(.0))]
    NoneFit(Vec<(String, Standing)>),
}

impl NoRoute {
    /// Whose quota begins anew first, and when, where it is quotas that keep a request waiting.
    pub fn frees_first(&self) -> Option<(&str, Timestamp)> {
        match self {
            Self::NoneTakesIt => None,
            Self::NoneFit(standings) => standings
                .iter()
                .filter_map(|(name, standing)| match standing {
                    Standing::Spent { until } => Some((name.as_str(), *until)),
                    Standing::Fit | Standing::Resting { .. } | Standing::Out(_) => None,
                })
                .min_by_key(|(_, until)| *until),
        }
    }
}

fn list(standings: &[(String, Standing)]) -> String {
    let texts: Vec<String> = standings
        .iter()
        .map(|(name, standing)| format!("`{name}` {standing}"))
        .collect();
    texts.join(", ")
}

/// Chooses one of `choices` for `draw`, uniform in 0..1.
///
/// Of those whose condition holds, the first tier with a fit issuer signs, and within it the load is
/// shared by weight. Where nobody is fit, one that rests is better than nobody: the request waits with
/// it and is not lost.
pub fn route<'a>(
    choices: &'a [IssuerChoice],
    facts: &RouteFacts<'_>,
    standing: impl Fn(&str) -> Standing,
    draw: f64,
) -> Result<&'a IssuerChoice, NoRoute> {
    let taking: Vec<(&IssuerChoice, Standing)> = choices
        .iter()
        .filter(|choice| choice.weight > 0)
        .filter(|choice| choice.when.as_ref().is_none_or(|when| when.holds(facts)))
        .map(|choice| (choice, standing(&choice.issuer)))
        .collect();
    if taking.is_empty() {
        return Err(NoRoute::NoneTakesIt);
    }
    let of = |is_wanted: fn(&Standing) -> bool| {
        let wanted: Vec<&IssuerChoice> = taking
            .iter()
            .filter(|(_, standing)| is_wanted(standing))
            .map(|(choice, _)| *choice)
            .collect();
        let first = wanted.iter().map(|choice| choice.tier).min()?;
        let tier: Vec<(&IssuerChoice, u32)> = wanted
            .into_iter()
            .filter(|choice| choice.tier == first)
            .map(|choice| (choice, choice.weight))
            .collect();
        choose(&tier, draw).copied()
    };
    of(|standing| *standing == Standing::Fit)
        .or_else(|| of(|standing| matches!(standing, Standing::Resting { .. })))
        .ok_or_else(|| {
            let standings = taking
                .iter()
                .map(|(choice, standing)| (choice.issuer.clone(), *standing));
            NoRoute::NoneFit(standings.collect())
        })
}

/// Chooses one for `draw`, uniform in 0..1, by weight.
pub fn choose<T>(candidates: &[(T, u32)], draw: f64) -> Option<&T> {
    let total: u64 = candidates
        .iter()
        .map(|(_, weight)| u64::from(*weight))
        .sum();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share of the load, not a count"
    )]
    let mut left = draw.clamp(0.0, 1.0) * total as f64;
    let mut chosen = None;
    for (candidate, weight) in candidates.iter().filter(|(_, weight)| *weight > 0) {
        chosen = Some(candidate);
        left -= f64::from(*weight);
        if left < 0.0 {
            break;
        }
    }
    chosen
}

#[cfg(test)]
mod tests;
