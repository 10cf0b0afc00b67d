//! What changed from one version of rules to another.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One member whose value is another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where it stands: `names.allow[2]`.
    pub path: String,
    /// What it was; absent where it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is; absent where it is no longer there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Every member that differs, the deepest that does so.
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare(String::new(), Some(before), Some(after), &mut found);
    found
}

fn compare(path: String, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    match (before, after) {
        (Some(before), Some(after)) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let names: std::collections::BTreeSet<&String> =
                before.keys().chain(after.keys()).collect();
            for name in names {
                let path = match path.is_empty() {
                    true => name.clone(),
                    false => format!("{path}.{name}"),
                };
                compare(path, before.get(name), after.get(name), found);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            for position in 0..before.len().max(after.len()) {
                compare(
                    format!("{path}[{position}]"),
                    before.get(position),
                    after.get(position),
                    found,
                );
            }
        }
        (before, after) => found.push(Change {
            path,
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_deepest_members_that_differ_are_named() {
        let before = json!({ "a": 1, "names": { "max": 1, "allow": ["x", "y"] }, "gone": true });
        let after = json!({ "a": 1, "names": { "max": 2, "allow": ["x", "z", "w"] }, "new": [] });
        let found = changes(&before, &after);
        let paths: Vec<&str> = found.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "gone",
                "names.allow[1]",
                "names.allow[2]",
                "names.max",
                "new"
            ]
        );
        assert_eq!(
            (&found[0].before, &found[0].after),
            (&Some(json!(true)), &None)
        );
        assert!(changes(&before, &before).is_empty());
    }
}
