//! `certwright notification-rule`: which events go to which channels.

use clap::{Args, Subcommand};
use protocols::rest::notification::{NotificationRule, NotificationRules};
use serde_json::{Value, json};

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output::{self, Format};
use super::paging;
use super::rules::Edits;

/// Arguments of `certwright notification-rule`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright notification-rule set expiry --set 'channels=[\"operations\"]' \\
    --set 'events=[\"certificate.expiring\",\"certificate.expired\",\"renewal.overdue\"]'
  certwright notification-rule set expiry --set 'ladder=[30,10,0]'
  certwright notification-rule list")]
pub struct NotificationRuleCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the rules
    #[command(after_help = "Example:
  certwright notification-rule list")]
    List,
    /// Show a rule
    #[command(after_help = "Example:
  certwright notification-rule show expiry --output json > expiry.json")]
    Show {
        /// Name of the rule
        name: String,
    },
    /// Make a rule, or change one
    #[command(after_help = "Examples:
  certwright notification-rule set alarms --set 'channels=[\"chat\"]' --set 'events=[\"*\"]' --set min_severity=critical
  certwright notification-rule set expiry --set 'when=\"example.org\" in event.data.names'
  certwright notification-rule set expiry --from expiry.toml")]
    Set {
        /// Name of the rule: lower-case letters, digits and hyphens
        name: String,
        #[command(flatten)]
        edits: Edits,
    },
    /// Delete a rule; what it sent off goes on
    #[command(after_help = "Example:
  certwright notification-rule delete expiry")]
    Delete {
        /// Name of the rule
        name: String,
    },
}

const NOUN: &str = "notification-rules";

impl NotificationRuleCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List => {
                let found: Vec<NotificationRule> = client.list_all(&[NOUN]).await?;
                paging::print_items(context, COLUMNS, &found, row)
            }
            Verb::Show { name } => {
                let found: NotificationRule = client.get(&[NOUN, &name]).await?;
                print(context, &found)
            }
            Verb::Set { name, edits } => {
                let path = [NOUN, &name];
                let (current, version) = match client.find::<NotificationRule>(&path).await? {
                    Some((rule, version)) => (json!(rule.rules), version),
                    None => (json!({}), Version::New),
                };
                let rules: Value = edits.apply(Some(current))?;
                let rules: NotificationRules = serde_json::from_value(rules)
                    .map_err(|error| Failure::usage(format!("the rules do not fit: {error}")))?;
                let stored: NotificationRule = client.put(&path, &version, &rules).await?;
                print(context, &stored)
            }
            Verb::Delete { name } => client.delete(&[NOUN, &name]).await,
        }
    }
}

fn print(context: &Context, rule: &NotificationRule) -> Result<(), Failure> {
    match context.output {
        Format::Json => output::print(context.output, rule)?,
        Format::Table => {
            output::print_columns(context.output, &["name", "updated_at"], rule)?;
            output::print_text("\n")?;
            output::print(context.output, &rule.rules)?;
        }
    }
    Ok(())
}

/// A rule on one line.
fn row(rule: &NotificationRule) -> Value {
    let rules = &rule.rules;
    json!({
        "name": rule.name,
        "enabled": rules.enabled,
        "events": rules.events,
        "channels": rules.channels,
        "min_severity": rules.min_severity,
        "ladder": rules.ladder,
    })
}

const COLUMNS: &[&str] = &[
    "name",
    "enabled",
    "events",
    "channels",
    "min_severity",
    "ladder",
];
