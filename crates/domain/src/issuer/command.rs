//! A program of the operator's, for a CA that nothing else speaks to. `docs/connectors/command.md` is its contract.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SecretRule;
use super::settings::{Faults, KindSettings, SettingFault};

/// Settings of the kind `command`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandConfig {
    /// The name of a file in the directory of commands that the server's configuration names: who may
    /// write there decides what runs, not who may write settings.
    pub program: String,
    /// Passed to the program with every request, for it to read.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// After so long it is killed, and asked again later.
    #[serde(default = "default_time_limit")]
    pub time_limit_seconds: u64,
}

/// Any name is fit: the program knows what it needs.
pub(super) const SECRETS: &[SecretRule] = &[];

pub(super) const EXAMPLE: &str = r#"{
  "program": "our-ca",
  "settings": {"template": "web"},
  "time_limit_seconds": 30
}"#;

/// As long as an issuer is waited for at most.
const LONGEST: u64 = 300;

impl KindSettings for CommandConfig {
    fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Faults::default();
        let program = &self.program;
        let is_fit = (1..=100).contains(&program.len())
            && !program.starts_with('.')
            && program
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !is_fit {
            faults.note(
                "program",
                "must be the name of a file in the directory of commands: letters, digits and `-_.`",
            );
        }
        if !(1..=LONGEST).contains(&self.time_limit_seconds) {
            faults.note(
                "time_limit_seconds",
                format!("must be between 1 and {LONGEST}"),
            );
        }
        faults.list()
    }

    fn destination(&self) -> Vec<&str> {
        vec![&self.program]
    }
}

const fn default_time_limit() -> u64 {
    30
}
