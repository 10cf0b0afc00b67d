//! Changes to the values that a certificate, an account or a key has already.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::Definition;
use super::fields::Fields;
use super::resolve::{Facts, MAX_DEPTH, Resolved, compute};
use super::values::Values;
use super::violation;
use crate::policy::Violation;

/// What is to become of single values: another one, or none.
pub type Change = BTreeMap<String, Option<String>>;

impl Fields {
    /// The values of a certificate after a change. Computed fields that stand on what changed
    /// follow; what is not named stays as it is, also where today's rules would not allow it.
    pub fn change(
        &self,
        current: &Values,
        change: &Change,
        facts: &Facts<'_>,
    ) -> Result<Values, Vec<Violation>> {
        let mut values = current.clone();
        let mut violations = Vec::new();
        for (name, wish) in change {
            if let Err(message) = self.change_one(&mut values, name, wish.as_deref(), facts) {
                violations.push(violation(name, message));
            }
        }
        match violations.is_empty() {
            true => self.follow(change, values, facts),
            false => Err(violations),
        }
    }

    fn change_one(
        &self,
        values: &mut Values,
        name: &str,
        wish: Option<&str>,
        facts: &Facts<'_>,
    ) -> Result<(), String> {
        let Some(text) = wish else {
            if let Some(field) = self.find(name) {
                self.given(name)?;
                let is_required =
                    field.required || facts.required.iter().any(|required| required == name);
                if is_required && field.applies.to(facts.profile, facts.directory, facts.team) {
                    return Err(format!(
                        "{} is required; give it another value",
                        field.title()
                    ));
                }
            } else if !values.contains_key(name) {
                return Err(self.missing(name));
            }
            values.remove(name);
            return Ok(());
        };
        let field = self.given(name)?;
        values.insert(name.to_owned(), self.normal(field, text)?);
        Ok(())
    }

    /// Computes anew what stands on a changed value.
    fn follow(
        &self,
        change: &Change,
        values: Values,
        facts: &Facts<'_>,
    ) -> Result<Values, Vec<Violation>> {
        let followers = self.followers(change);
        let mut resolved = Resolved {
            values,
            ..Resolved::default()
        };
        for field in &followers {
            resolved.values.remove(&field.name);
        }
        for field in &followers {
            compute(self, field, facts, &mut resolved, MAX_DEPTH);
        }
        match resolved.violations.is_empty() {
            true => Ok(resolved.values),
            false => Err(resolved.violations),
        }
    }

    /// The computed fields that stand on what changes, also by way of others.
    fn followers(&self, change: &Change) -> Vec<&Definition> {
        let mut moved: BTreeSet<&str> = change.keys().map(String::as_str).collect();
        let mut followers = Vec::new();
        loop {
            let next = self.active().find(|field| {
                let template = field.template.as_ref();
                !moved.contains(field.name.as_str())
                    && template.is_some_and(|t| t.fields().any(|name| moved.contains(name)))
            });
            let Some(field) = next else {
                return followers;
            };
            moved.insert(&field.name);
            followers.push(field);
        }
    }
}

/// The values after a change that needs no more than what was checked already: for what passes
/// values on.
pub fn apply(current: &Values, change: &Change) -> Values {
    let mut values = current.clone();
    for (name, wish) in change {
        match wish {
            Some(value) => values.insert(name.clone(), value.clone()),
            None => values.remove(name),
        };
    }
    values
}
