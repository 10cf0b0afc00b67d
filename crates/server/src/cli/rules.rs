//! Changing the rules of a directory or a profile from the command line: a whole file, or single
//! values by their name.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::exit::Failure;
use super::files;

/// Flags of every `set`.
#[derive(Clone, Debug, Args)]
pub struct Edits {
    /// File with all the rules (JSON, or TOML if its name ends in .toml)
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// One rule, like trusted=true or names.max=5; repeatable
    #[arg(long = "set", value_name = "NAME=VALUE")]
    assignments: Vec<Assignment>,
}

/// `name.part=value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    path: Vec<String>,
    value: Value,
}

impl FromStr for Assignment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
        let path: Vec<String> = name.trim().split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err("write NAME=VALUE, with dots in the name for what is nested");
        }
        // What is not JSON is a text: quotes would have to be quoted from the shell.
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        Ok(Self { path, value })
    }
}

impl Assignment {
    /// A text under a name, with dots for what is nested.
    pub fn text(name: &str, text: String) -> Self {
        Self {
            path: name.split('.').map(str::to_owned).collect(),
            value: Value::from(text),
        }
    }
}

impl Edits {
    /// The rules after the change. `current` is what there is.
    pub fn apply<T: Serialize + DeserializeOwned>(&self, current: Option<T>) -> Result<T, Failure> {
        if self.from.is_none() && self.assignments.is_empty() {
            return Err(Failure::usage(
                "there is nothing to change; give --from FILE or --set NAME=VALUE",
            ));
        }
        self.apply_any(current)
    }

    /// As [`apply`](Self::apply), where other flags may be all that changes something.
    pub fn apply_any<T: Serialize + DeserializeOwned>(
        &self,
        current: Option<T>,
    ) -> Result<T, Failure> {
        let mut rules = match (&self.from, current) {
            (Some(path), _) => read(path)?,
            (None, Some(current)) => serde_json::to_value(current).map_err(anyhow::Error::from)?,
            (None, None) => {
                return Err(Failure::not_found(
                    "there is none of that name yet; give all the rules with --from",
                ));
            }
        };
        for assignment in &self.assignments {
            assign(&mut rules, &assignment.path, assignment.value.clone());
        }
        serde_json::from_value(rules)
            .map_err(|error| Failure::usage(format!("the rules do not fit: {error}")))
    }
}

/// Rules with some of them changed.
pub fn assign_all<T: Serialize + DeserializeOwned>(
    rules: T,
    assignments: &[Assignment],
) -> Result<T, Failure> {
    let mut rules = serde_json::to_value(rules).map_err(anyhow::Error::from)?;
    for assignment in assignments {
        assign(&mut rules, &assignment.path, assignment.value.clone());
    }
    serde_json::from_value(rules)
        .map_err(|error| Failure::usage(format!("the rules do not fit: {error}")))
}

fn read(path: &std::path::Path) -> Result<Value, Failure> {
    let text = files::read_text(path)?;
    let is_toml = path
        .extension()
        .is_some_and(|extension| extension == "toml");
    let read = match is_toml {
        true => toml::from_str(&text).map_err(|error| error.to_string()),
        false => serde_json::from_str(&text).map_err(|error| error.to_string()),
    };
    let mut value: Value =
        read.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    // The output of `show` will do as well.
    Ok(match value.get_mut("rules") {
        Some(rules) => rules.take(),
        None => value,
    })
}

fn assign(rules: &mut Value, path: &[String], value: Value) {
    match path {
        [] => *rules = value,
        [first, rest @ ..] => {
            if !rules.is_object() {
                *rules = Value::Object(serde_json::Map::new());
            }
            if let Some(members) = rules.as_object_mut() {
                assign(members.entry(first).or_insert(Value::Null), rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use protocols::rest::directory::DirectoryRules;
    use serde_json::json;

    use super::*;

    fn edits(assignments: &[&str]) -> Edits {
        Edits {
            from: None,
            assignments: assignments
                .iter()
                .map(|text| text.parse().unwrap())
                .collect(),
        }
    }

    #[test]
    fn single_rules_are_changed_and_the_others_stay() {
        let before = DirectoryRules {
            website: Some("https://a.example".to_owned()),
            ..DirectoryRules::default()
        };
        let after = edits(&[
            "trusted=true",
            "caa=enforced",
            r#"profiles=["default","short-lived"]"#,
            "terms_of_service=https://a.example/terms",
            "order_lifetime_seconds=3600",
        ])
        .apply(Some(before.clone()))
        .unwrap();
        assert!(after.trusted);
        assert_eq!(after.profiles, ["default", "short-lived"]);
        assert_eq!(
            after.terms_of_service.as_deref(),
            Some("https://a.example/terms")
        );
        assert_eq!(
            (after.website, after.order_lifetime_seconds),
            (before.website, 3600)
        );
    }

    #[test]
    fn nested_rules_are_reached_by_dots() {
        let mut rules = json!({ "names": { "max": 1, "dns": true } });
        let Assignment { path, value } = "names.max=5".parse().unwrap();
        assign(&mut rules, &path, value);
        assert_eq!(rules, json!({ "names": { "max": 5, "dns": true } }));
    }

    #[test]
    fn a_rule_that_does_not_exist_is_refused() {
        let refused = edits(&["trusteed=true"]).apply(Some(DirectoryRules::default()));
        assert!(refused.is_err_and(|failure| failure.to_string().contains("trusteed")));
        for text in ["trusted", "=true", "a..b=1"] {
            assert!(text.parse::<Assignment>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_show_prints_can_be_edited_and_given_back() {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("a.json", r#"{"name": "x", "rules": {"profiles": ["p"]}}"#),
            ("b.json", r#"{"profiles": ["p"]}"#),
            ("c.toml", "profiles = ['p']"),
        ] {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            let edits = Edits {
                from: Some(path),
                assignments: Vec::new(),
            };
            let rules: DirectoryRules = edits.apply(None).unwrap();
            assert_eq!(rules.profiles, ["p"], "{name}");
        }
    }
}
