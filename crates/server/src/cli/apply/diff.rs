//! The difference between what is and what shall be, rule by rule.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// One thing that is made, changed or taken away.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    pub kind: String,
    pub name: String,
    pub action: Action,
    pub changes: Vec<Change>,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Create,
    Change,
    Delete,
    /// It stays for those who have it.
    Retire,
}

/// One rule that is set, changed or unset.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Dotted: `names.max`
    pub rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl Step {
    /// What leads from one to the other; `None` where they are the same.
    pub fn between(kind: &str, name: &str, before: Option<&Value>, after: &Value) -> Option<Self> {
        let mut changes = Vec::new();
        compare("", before, Some(after), &mut changes);
        let action = match before {
            None => Action::Create,
            Some(_) if changes.is_empty() => return None,
            Some(_) => Action::Change,
        };
        Some(Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            action,
            changes,
        })
    }

    /// What takes it away.
    pub fn removing(kind: &str, name: String, action: Action) -> Self {
        Self {
            kind: kind.to_owned(),
            name,
            action,
            changes: Vec::new(),
        }
    }
}

/// Lists are compared as a whole: their order means something.
fn compare(rule: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    let members = |value: Option<&Value>| match value {
        Some(Value::Object(members)) => Some(members.clone()),
        None => Some(serde_json::Map::new()),
        Some(_) => None,
    };
    let is_table = |value: Option<&Value>| value.is_some_and(Value::is_object);
    match (members(before), members(after)) {
        (Some(old), Some(new)) if is_table(before) || is_table(after) => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let path = match rule {
                    "" => name.clone(),
                    rule => format!("{rule}.{name}"),
                };
                compare(&path, old.get(name), new.get(name), changes);
            }
        }
        _ => changes.push(Change {
            rule: rule.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.action {
            Action::Create => '+',
            Action::Change => '~',
            Action::Delete | Action::Retire => '-',
        };
        let how = match self.action {
            Action::Create | Action::Change | Action::Delete => "",
            Action::Retire => " (retired)",
        };
        writeln!(f, "{sign} {} {}{how}", self.kind, self.name)?;
        for change in &self.changes {
            match (&change.before, &change.after) {
                (Some(before), Some(after)) => {
                    writeln!(f, "    ~ {}: {before} -> {after}", change.rule)?;
                }
                (None, Some(after)) => writeln!(f, "    + {}: {after}", change.rule)?,
                (Some(before), None) => writeln!(f, "    - {}: {before}", change.rule)?,
                (None, None) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_shown() {
        let before = json!({ "trusted": false, "names": { "max": 1, "dns": true }, "old": 1 });
        let after = json!({ "trusted": true, "names": { "max": 1, "dns": false }, "list": ["a"] });
        let step = Step::between("profiles", "p", Some(&before), &after).unwrap();
        assert_eq!(
            step.to_string(),
            "~ profiles p\n    + list: [\"a\"]\n    ~ names.dns: true -> false\n    - old: 1\n    \
             ~ trusted: false -> true\n"
        );
    }

    #[test]
    fn the_same_is_no_step_and_something_new_always_is() {
        let rules = json!({ "a": { "b": [1, 2] } });
        assert_eq!(Step::between("k", "n", Some(&rules), &rules), None);
        let step = Step::between("k", "n", None, &rules).unwrap();
        assert_eq!(step.to_string(), "+ k n\n    + a.b: [1,2]\n");
        let empty = Step::between("k", "n", None, &json!({})).unwrap();
        assert_eq!(empty.action, Action::Create);
    }
}
