//! Where the values of a request come from: one pure function, with the source of each value.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::fields::Fields;
use super::template::Reference;
use super::values::Values;
use super::violation;
use crate::policy::{Ledger, Violation};

/// Values that a request may get, in the order in which they are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources<'a> {
    /// What the requester gave.
    pub requested: Option<&'a Values>,
    /// Of the certificate that is renewed.
    pub renewed: Option<&'a Values>,
    pub eab_key: Option<&'a Values>,
    pub account: Option<&'a Values>,
    pub directory: Option<&'a Values>,
    /// Of the enrollment password.
    pub password: Option<&'a Values>,
    /// Of the entry point of EST or SCEP.
    pub entry_point: Option<&'a Values>,
    pub profile: Option<&'a Values>,
}

/// What is known of a request: where fields apply, and what templates stand on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub profile: &'a str,
    /// Fields that the profile requires besides those that require themselves.
    pub required: &'a [String],
    pub directory: Option<&'a str>,
    pub team: Option<&'a str>,
    /// Id and name of the account's external account binding key.
    pub eab_key: Option<(&'a str, &'a str)>,
    pub account: Option<&'a str>,
    /// The first name that is asked for.
    pub name: Option<&'a str>,
    /// Whether there is somebody to ask for what is missing. This program has nobody when it makes
    /// its own certificate.
    pub can_be_asked: bool,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    Requested,
    /// From the certificate that is renewed.
    Renewed,
    EabKey,
    Account,
    Directory,
    Password,
    EntryPoint,
    Profile,
    Computed,
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requested => "given with the request",
            Self::Renewed => "inherited from the certificate that is renewed",
            Self::EabKey => "inherited from the external account binding key",
            Self::Account => "inherited from the ACME account",
            Self::Directory => "inherited from the ACME directory",
            Self::Password => "inherited from the enrollment password",
            Self::EntryPoint => "inherited from the EST label or SCEP service",
            Self::Profile => "inherited from the profile",
            Self::Computed => "computed",
            Self::Default => "the field's default",
        })
    }
}

/// The values of a request, where each comes from, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    pub values: Values,
    pub sources: BTreeMap<String, Source>,
    pub violations: Vec<Violation>,
}

/// Decides the values of a request. The first source that has a value for a field gives it.
pub fn resolve(fields: &Fields, sources: &Sources<'_>, facts: &Facts<'_>) -> Resolved {
    let mut resolved = Resolved::default();
    check_requested(fields, sources, facts, &mut resolved.violations);
    let applies =
        |field: &&Definition| field.applies.to(facts.profile, facts.directory, facts.team);
    for field in fields.active().filter(applies) {
        if field.template.is_none() {
            inherit(fields, field, sources, &mut resolved);
        }
    }
    for field in fields.active().filter(applies) {
        if field.template.is_some() {
            compute(fields, field, facts, &mut resolved, MAX_DEPTH);
        }
    }
    if facts.can_be_asked {
        require(fields, sources, facts, &mut resolved);
    }
    resolved
}

/// What was asked for by name is given or refused, never passed over.
fn check_requested(
    fields: &Fields,
    sources: &Sources<'_>,
    facts: &Facts<'_>,
    violations: &mut Vec<Violation>,
) {
    for name in sources.requested.into_iter().flat_map(Values::keys) {
        match fields.given(name) {
            Err(message) => violations.push(violation(name, message)),
            Ok(field) if !field.applies.to(facts.profile, facts.directory, facts.team) => {
                let message = format!(
                    "{} does not apply to this request; leave it out",
                    field.title()
                );
                violations.push(violation(name, message));
            }
            Ok(_) => {}
        }
    }
}

fn inherit(fields: &Fields, field: &Definition, sources: &Sources<'_>, resolved: &mut Resolved) {
    let candidates = [
        (Source::Requested, sources.requested),
        (Source::Renewed, sources.renewed),
        (Source::EabKey, sources.eab_key),
        (Source::Account, sources.account),
        (Source::Directory, sources.directory),
        (Source::Password, sources.password),
        (Source::EntryPoint, sources.entry_point),
        (Source::Profile, sources.profile),
    ];
    for (source, values) in candidates {
        let Some(text) = values.and_then(|values| values.get(&field.name)) else {
            continue;
        };
        match fields.normal(field, text) {
            Ok(value) => return resolved.put(field, value, source),
            // What was good once need not be good for ever: what comes next may be better.
            Err(_) if source == Source::Renewed => {}
            Err(message) => {
                let message = match source {
                    Source::Requested => message,
                    inherited => format!("{message} ({inherited}; correct it there)"),
                };
                return resolved.violations.push(violation(&field.name, message));
            }
        }
    }
    if let Some(value) = &field.default {
        resolved.put(field, value.clone(), Source::Default);
    }
}

/// Fills in a template, the fields it refers to first. Definitions are saved without circles; the
/// depth ends what would slip through.
pub(super) fn compute(
    fields: &Fields,
    field: &Definition,
    facts: &Facts<'_>,
    resolved: &mut Resolved,
    depth: usize,
) {
    let Some(template) = &field.template else {
        return;
    };
    if resolved.values.contains_key(&field.name) || depth == 0 {
        return;
    }
    for other in template.fields().filter_map(|name| fields.find(name)) {
        if other.applies.to(facts.profile, facts.directory, facts.team) {
            compute(fields, other, facts, resolved, depth - 1);
        }
    }
    let Some(text) = template.render(|reference| facts.value(reference, &resolved.values)) else {
        return;
    };
    match fields.normal(field, &text) {
        Ok(value) => resolved.put(field, value, Source::Computed),
        Err(_) if is_at_fault(&resolved.violations, &field.name) => {}
        Err(message) => {
            let message = format!("{message} (computed by its template)");
            resolved.violations.push(violation(&field.name, message));
        }
    }
}

fn require(fields: &Fields, sources: &Sources<'_>, facts: &Facts<'_>, resolved: &mut Resolved) {
    for field in fields.active() {
        let is_required = field.required || facts.required.contains(&field.name);
        let applies = field.applies.to(facts.profile, facts.directory, facts.team);
        let is_settled = resolved.values.contains_key(&field.name)
            || is_at_fault(&resolved.violations, &field.name);
        if is_required && applies && !is_settled {
            let missing = missing(fields, field, sources, facts);
            resolved.violations.push(missing);
        }
    }
    for name in facts
        .required
        .iter()
        .filter(|name| fields.find(name).is_none())
    {
        let message = format!(
            "the profile `{}` requires it, but {}",
            facts.profile,
            fields.missing(name)
        );
        resolved.violations.push(violation(name, message));
    }
}

/// A value that is missing, and what to do about it.
fn missing(
    fields: &Fields,
    field: &Definition,
    sources: &Sources<'_>,
    facts: &Facts<'_>,
) -> Violation {
    let title = field.title();
    let renewed = sources.renewed.and_then(|values| values.get(&field.name));
    let because = match renewed.map(|text| fields.normal(field, text)) {
        Some(Err(reason)) => {
            format!("; that of the certificate that is renewed no longer fits: {reason}")
        }
        Some(Ok(_)) | None => String::new(),
    };
    if field.template.is_some() {
        let text =
            format!("{title} is required and computed, but what it is computed from has no value");
        return violation(&field.name, text);
    }
    let profile = facts.profile;
    let places = match (facts.eab_key, facts.account, facts.directory) {
        (Some((key, _)), Some(account), Some(directory)) => format!(
            "an operator sets it on the external account binding key {key}, the account {account}, \
             the directory `{directory}` or the profile `{profile}`"
        ),
        (None, Some(account), Some(directory)) => format!(
            "an operator sets it on the account {account}, the directory `{directory}` or the \
             profile `{profile}`, or binds the account to a key that has it"
        ),
        _ => format!("give it with the request, or set it on the profile `{profile}`"),
    };
    violation(
        &field.name,
        format!("{title} is required and has no value{because}"),
    )
    .fix(places)
}

fn is_at_fault(violations: &[Violation], field: &str) -> bool {
    let mut rules = violations
        .iter()
        .map(|violation| violation.rule.strip_prefix("metadata."));
    rules.any(|rule| rule == Some(field))
}

impl Resolved {
    /// Writes down what was decided on each value, and why.
    pub fn tell(&self, ledger: &mut Ledger) {
        for (field, value) in &self.values {
            let source = self
                .sources
                .get(field)
                .copied()
                .unwrap_or(Source::Requested);
            ledger.passed(&format!("metadata.{field}"), || {
                format!("`{value}`: {source}")
            });
        }
        for violation in &self.violations {
            ledger.failed(violation.clone());
        }
    }

    fn put(&mut self, field: &Definition, value: String, source: Source) {
        self.values.insert(field.name.clone(), value);
        self.sources.insert(field.name.clone(), source);
    }
}

impl Facts<'_> {
    /// What a template's reference stands for.
    pub(super) fn value(&self, reference: &Reference, values: &Values) -> Option<String> {
        match reference {
            Reference::EabId => self.eab_key.map(|(id, _)| id.to_owned()),
            Reference::EabName => self.eab_key.map(|(_, name)| name.to_owned()),
            Reference::Account => self.account.map(str::to_owned),
            Reference::Directory => self.directory.map(str::to_owned),
            Reference::Profile => Some(self.profile.to_owned()),
            Reference::Team => self.team.map(str::to_owned),
            Reference::Name => self.name.map(str::to_owned),
            Reference::Field(name) => values.get(name).cloned(),
        }
    }
}

/// Templates on templates: more than anybody can follow.
pub(super) const MAX_DEPTH: usize = 16;
