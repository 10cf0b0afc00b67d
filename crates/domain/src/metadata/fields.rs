//! All fields together: what a definition must fit in with, and what values are held against.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::Definition;
use super::people::People;
use super::spec::{Field, FieldFault, FieldSpec};
use super::values::Values;
use super::violation;
use crate::policy::Violation;

/// The fields in force, the names of those that are retired, and who there is.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    active: BTreeMap<String, Definition>,
    retired: BTreeSet<String>,
    people: People,
}

/// What passes values on, for checks of what it can pass on at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circumstance<'a> {
    EabKey,
    Account,
    /// An enrollment password.
    Password,
    /// An entry point of EST or SCEP.
    EntryPoint,
    /// With its name.
    Directory(&'a str),
    /// With its name.
    Profile(&'a str),
}

impl Fields {
    /// Reads stored fields. An error names the one that cannot be read.
    pub fn read<'a>(
        fields: impl IntoIterator<Item = &'a Field>,
        people: People,
    ) -> Result<Self, (String, Vec<FieldFault>)> {
        let mut all = Self {
            people,
            ..Self::default()
        };
        for field in fields {
            if field.retired_at.is_some() {
                all.retired.insert(field.name.clone());
                continue;
            }
            let definition = Definition::read(&field.name, &field.spec)
                .map_err(|faults| (field.name.clone(), faults))?;
            all.active.insert(field.name.clone(), definition);
        }
        Ok(all)
    }

    /// Whether there are none, retired ones included.
    pub fn is_empty(&self) -> bool {
        self.active.is_empty() && self.retired.is_empty()
    }

    /// The fields in force, by name.
    pub fn active(&self) -> impl Iterator<Item = &Definition> {
        self.active.values()
    }

    /// The field in force with that name.
    pub fn find(&self, name: &str) -> Option<&Definition> {
        self.active.get(name)
    }

    /// Whether it is or was a field.
    pub fn knows(&self, name: &str) -> bool {
        self.active.contains_key(name) || self.retired.contains(name)
    }

    /// Checks new rules of a field against its neighbours: they may neither refer to what is not
    /// there nor run in a circle.
    pub fn check(&self, name: &str, spec: &FieldSpec) -> Result<Definition, Vec<FieldFault>> {
        let definition = Definition::read(name, spec)?;
        let mut faults = Vec::new();
        if let Some(text) = &spec.default
            && let Err(reason) = definition.normal(text, Some(&self.people))
        {
            faults.push(FieldFault::new("default", reason));
        }
        for team in &spec.applies.teams {
            if self.people.team(team).is_none() {
                faults.push(FieldFault::new(
                    "applies.teams",
                    format!("there is no team `{team}`"),
                ));
            }
        }
        if let Some(template) = &definition.template {
            for other in template.fields() {
                if other != name && !self.active.contains_key(other) {
                    faults.push(FieldFault::new("template", self.missing(other)));
                }
            }
        }
        if let Some(circle) = self.circle(&definition) {
            let text = format!("runs in a circle: {}", circle.join(" -> "));
            faults.push(FieldFault::new("template", text));
        }
        if !self.knows(name) && self.active.len() + self.retired.len() >= MAX_FIELDS {
            let text = format!("there are {MAX_FIELDS} fields already; use one of them for this");
            faults.push(FieldFault::new("name", text));
        }
        match faults.is_empty() {
            true => Ok(definition),
            false => Err(faults),
        }
    }

    /// The computed fields in force that refer to a field.
    pub fn referrers(&self, name: &str) -> Vec<&str> {
        let refers = |definition: &&Definition| {
            let template = definition.template.as_ref();
            template.is_some_and(|template| template.fields().any(|field| field == name))
        };
        self.active
            .values()
            .filter(refers)
            .map(|d| d.name.as_str())
            .collect()
    }

    /// The names on the way from a field to itself, if there is such a way.
    fn circle(&self, definition: &Definition) -> Option<Vec<String>> {
        let mut path = vec![definition.name.clone()];
        let mut seen = BTreeSet::new();
        self.find_way(definition, &definition.name, &mut path, &mut seen)
            .then_some(path)
    }

    fn find_way(
        &self,
        at: &Definition,
        goal: &str,
        path: &mut Vec<String>,
        seen: &mut BTreeSet<String>,
    ) -> bool {
        let Some(template) = &at.template else {
            return false;
        };
        for next in template.fields() {
            path.push(next.to_owned());
            if next == goal {
                return true;
            }
            // What was gone through once without success need not be gone through again.
            if seen.insert(next.to_owned())
                && let Some(next) = self.active.get(next)
                && self.find_way(next, goal, path, seen)
            {
                return true;
            }
            path.pop();
        }
        false
    }

    /// Checks values that something passes on, and gives them in their normal form.
    pub fn check_passed_on(
        &self,
        values: &Values,
        by: Circumstance<'_>,
    ) -> Result<Values, Vec<Violation>> {
        let mut normal = Values::new();
        let mut violations = Vec::new();
        for (name, text) in values {
            match self.checked_value(name, text, by) {
                Ok(value) => {
                    normal.insert(name.clone(), value);
                }
                Err(message) => violations.push(violation(name, message)),
            }
        }
        match violations.is_empty() {
            true => Ok(normal),
            false => Err(violations),
        }
    }

    fn checked_value(
        &self,
        name: &str,
        text: &str,
        by: Circumstance<'_>,
    ) -> Result<String, String> {
        let definition = self.given(name)?;
        let applies = &definition.applies;
        let is_idle =
            |list: &[String], name: &str| !list.is_empty() && !list.iter().any(|n| n == name);
        let never_applies = match by {
            Circumstance::EabKey
            | Circumstance::Account
            | Circumstance::Password
            | Circumstance::EntryPoint => false,
            Circumstance::Directory(name) => is_idle(&applies.directories, name),
            Circumstance::Profile(name) => is_idle(&applies.profiles, name),
        };
        if never_applies {
            return Err(format!(
                "{} does not apply here; leave it out",
                definition.title()
            ));
        }
        self.normal(definition, text)
    }

    /// The field in force that somebody may give a value for, or why not.
    pub(super) fn given(&self, name: &str) -> Result<&Definition, String> {
        let definition = self.active.get(name).ok_or_else(|| self.missing(name))?;
        match definition.template {
            None => Ok(definition),
            Some(_) => Err(format!("{} is computed; leave it out", definition.title())),
        }
    }

    /// A value in its normal form, or the sentence that says why it is none.
    pub(super) fn normal(&self, definition: &Definition, text: &str) -> Result<String, String> {
        definition
            .normal(text, Some(&self.people))
            .map_err(|reason| format!("{}: {reason}", definition.title()))
    }

    /// What to say of a name that is no field in force.
    pub fn missing(&self, name: &str) -> String {
        let shown: String = name.chars().take(64).collect();
        if self.retired.contains(name) {
            return format!("the field `{shown}` is retired; leave it out");
        }
        let known: Vec<&str> = self.active.keys().map(String::as_str).take(SHOWN).collect();
        match known.as_slice() {
            [] => format!("there is no field `{shown}`, and no other; define it first"),
            known => format!(
                "there is no field `{shown}`; there are: {}",
                known.join(", ")
            ),
        }
    }
}

/// Fields that an installation may have, retired ones included.
pub const MAX_FIELDS: usize = 200;
/// Names in a message.
const SHOWN: usize = 30;
