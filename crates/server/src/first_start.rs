//! Settings that only the first start looks at: said where they differ from what is in force.

use domain::acme::directory::DirectorySpec;
use lifecycle::{Lifecycle, StoreError};
use serde_json::Value;

use crate::config::Config;
use crate::config::keys::{self, Reading};
use crate::wiring;

/// The directory that the first start makes.
const DIRECTORY: &str = "default";

/// A setting that somebody wrote and nothing reads any more.
#[derive(Debug, PartialEq, Eq)]
struct Ignored {
    key: &'static str,
    /// The command that does what the setting seems to do.
    command: String,
}

/// Warns of each setting of the ACME front end that was changed after the first start, which changes
/// nothing.
pub(crate) async fn warn_of_ignored(
    lifecycle: &Lifecycle,
    config: &Config,
) -> Result<(), StoreError> {
    let Some(directory) = lifecycle.directory(DIRECTORY).await? else {
        return Ok(());
    };
    let wanted = wiring::setup_plan(config).directory;
    let unset = wiring::setup_plan(&Config::unset()).directory;
    for Ignored { key, command } in ignored(&wanted, &unset, &directory.spec) {
        tracing::warn!(
            key,
            "the setting counts at the first start only, and the ACME directory `{DIRECTORY}` has \
             another value; to change that: {command}"
        );
    }
    Ok(())
}

/// What is neither the default, so that somebody set it, nor what is in force.
fn ignored(wanted: &DirectorySpec, unset: &DirectorySpec, stored: &DirectorySpec) -> Vec<Ignored> {
    let rules = |spec| serde_json::to_value(spec).unwrap_or_default();
    let (wanted, unset, stored) = (rules(wanted), rules(unset), rules(stored));
    keys::all()
        .filter_map(|key| match key.reading {
            Reading::DirectoryRule(rule) => Some((key.name, rule)),
            Reading::EachStart | Reading::FirstStart => None,
        })
        .filter(|(_, rule)| {
            let value = wanted.get(rule);
            value != unset.get(rule) && value != stored.get(rule)
        })
        .map(|(key, rule)| Ignored {
            key,
            command: command(rule, wanted.get(rule).unwrap_or(&Value::Null)),
        })
        .collect()
}

fn command(rule: &str, value: &Value) -> String {
    let value = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    format!("certwright directory set {DIRECTORY} --set '{rule}={value}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(text: &str) -> DirectorySpec {
        wiring::setup_plan(&Config::from_toml(text).unwrap()).directory
    }

    fn found(text: &str, stored: &DirectorySpec) -> Vec<Ignored> {
        ignored(&planned(text), &planned(""), stored)
    }

    #[test]
    fn every_rule_that_a_setting_names_is_one() {
        let full = "[acme]\nterms_of_service = \"https://ca.example/terms\"\n\
                    website = \"https://ca.example\"";
        let rules = serde_json::to_value(planned(full)).unwrap();
        for key in keys::all() {
            if let Reading::DirectoryRule(rule) = key.reading {
                assert!(!rules[rule].is_null(), "{}", key.name);
            }
        }
    }

    #[test]
    fn a_setting_that_changes_nothing_is_told_with_the_command_that_does() {
        let text = "[validation]\ncaa = \"on\"\n[acme]\norder_lifetime_hours = 1\n\
                    caa_identities = [\"ca.example\"]";
        let commands: Vec<String> = found(text, &planned(""))
            .into_iter()
            .map(|one| one.command)
            .collect();
        let begin = "certwright directory set default --set ";
        assert_eq!(
            commands,
            [
                format!("{begin}'caa=enforced'"),
                format!("{begin}'caa_identities=[\"ca.example\"]'"),
                format!("{begin}'order_lifetime_seconds=3600'"),
            ]
        );
    }

    #[test]
    fn what_is_in_force_or_was_not_set_is_no_news() {
        let text = "[acme]\norder_lifetime_hours = 1";
        assert_eq!(found(text, &planned(text)), []);
        assert_eq!(found("", &planned(text)), [], "changed over REST");
    }
}
