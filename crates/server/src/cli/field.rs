//! `certwright field`: the fields of custom metadata.

use clap::{Args, Subcommand};
use protocols::rest::metadata::{Field, FieldRules};
use serde_json::{Value, json};

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output::{self, Format};
use super::paging;
use super::rules::Edits;

/// Arguments of `certwright field`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright field set cost_center --set 'label=Cost center' --set 'pattern=[0-9]{4}' --set required=true
  certwright field list")]
pub struct FieldCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the fields of custom metadata
    #[command(after_help = "Example:
  certwright field list")]
    List,
    /// Show a field and its rules
    #[command(after_help = "Example:
  certwright field show cost_center --output json > cost_center.json")]
    Show {
        /// Name of the field
        name: String,
    },
    /// Define a field, or change the rules of one
    #[command(after_help = "Examples:
  certwright field set cost_center --set 'label=Cost center' --set 'pattern=[0-9]{4}' --set required=true
  certwright field set stage --set kind=choice --set 'choices=[\"production\",\"test\"]' --set default=test
  certwright field set bill_to --set 'template={field:cost_center}-{team}'
  certwright field set owner --set kind=user --set 'applies.profiles=[\"public\"]'
  certwright field set cost_center --from cost_center.toml

Rules: label, description, kind (string, number, date, choice, boolean, user, team), required, default,
pattern, min, max, choices, applies.profiles, applies.directories, applies.teams, template")]
    Set {
        /// Name of the field: lower-case letters, digits and `_`
        name: String,
        #[command(flatten)]
        edits: Edits,
    },
    /// Retire a field: nothing new gets a value for it, what has one keeps it
    #[command(after_help = "Example:
  certwright field retire cost_center

`certwright field set` brings it back.")]
    Retire {
        /// Name of the field
        name: String,
    },
}

impl FieldCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List => {
                let found: Vec<Field> = client.list_all(&["metadata-fields"]).await?;
                paging::print_items(context, COLUMNS, &found, row)
            }
            Verb::Show { name } => {
                let found: Field = client.get(&["metadata-fields", &name]).await?;
                print(context, &found)
            }
            Verb::Set { name, edits } => {
                let path = ["metadata-fields", &name];
                let (current, version) = match client.find::<Field>(&path).await? {
                    Some((field, version)) => (field.rules, version),
                    None => (FieldRules::default(), Version::New),
                };
                let rules = edits.apply(Some(current))?;
                let stored: Field = client.put(&path, &version, &rules).await?;
                print(context, &stored)
            }
            Verb::Retire { name } => {
                let path = ["metadata-fields", &name, "retire"];
                let retired: Field = client.act(&path, &()).await?;
                print(context, &retired)
            }
        }
    }
}

fn print(context: &Context, field: &Field) -> Result<(), Failure> {
    match context.output {
        Format::Json => output::print(context.output, field)?,
        Format::Table => {
            let columns = ["name", "status", "version", "updated_at"];
            output::print_columns(context.output, &columns, field)?;
            output::print_text("\n")?;
            output::print(context.output, &field.rules)?;
        }
    }
    Ok(())
}

/// A field on one line.
fn row(field: &Field) -> Value {
    let rules = &field.rules;
    let applies = &rules.applies;
    let places: Vec<&str> = [&applies.profiles, &applies.directories, &applies.teams]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    json!({
        "name": field.name,
        "label": rules.label,
        "kind": rules.kind,
        "required": rules.required,
        "default": rules.default,
        "template": rules.template,
        "applies": if places.is_empty() { "everywhere".to_owned() } else { places.join(", ") },
        "status": field.status,
    })
}

const COLUMNS: &[&str] = &[
    "name", "label", "kind", "required", "default", "template", "applies", "status",
];
