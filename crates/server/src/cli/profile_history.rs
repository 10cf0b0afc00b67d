//! `certwright profile versions`, `diff` and `rollback`: what a profile was, and back to it.

use protocols::rest::profile::{Changes, ChangesQuery, Profile};
use serde_json::{Value, json};

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output::{self, Format};
use super::paging::{self, Paging};

/// Lists the versions of a profile, newest first.
pub async fn versions(context: &Context, name: &str, page: &Paging) -> Result<(), Failure> {
    let client = Client::new(context)?;
    let path = ["profiles", name, "versions"];
    let found = client.list::<Profile>(&path, &(), page).await?;
    paging::print_rows(context, COLUMNS, &found, |profile| {
        json!({
            "version": profile.version,
            "created_at": profile.created_at,
            "description": profile.rules.description,
        })
    })
}

/// One version of a profile.
pub async fn version(client: &Client, name: &str, number: u32) -> Result<Profile, Failure> {
    let number = number.to_string();
    client.get(&["profiles", name, "versions", &number]).await
}

/// Shows what differs between two versions; without numbers, what the newest changed.
pub async fn diff(
    context: &Context,
    name: &str,
    from: Option<u32>,
    to: Option<u32>,
) -> Result<(), Failure> {
    let client = Client::new(context)?;
    let to = match to {
        Some(number) => number,
        None => client.get::<Profile>(&["profiles", name]).await?.version,
    };
    let number = to.to_string();
    let path = ["profiles", name, "versions", &number, "changes"];
    let query = ChangesQuery { since: from };
    let found: Changes = client.ask(&path, &query).await?;
    if context.output == Format::Json {
        output::print(context.output, &found)?;
        return Ok(());
    }
    let rows: Vec<Value> = found
        .changes
        .iter()
        .map(|change| {
            json!({
                "member": change.path,
                "before": shown(change.before.as_ref()),
                "after": shown(change.after.as_ref()),
            })
        })
        .collect();
    output::print_columns(context.output, &["member", "before", "after"], &rows)?;
    output::note(&format!("from version {} to {}", found.before, found.after));
    Ok(())
}

/// Makes a new version with the rules of an old one.
pub async fn rollback(client: &Client, name: &str, number: u32) -> Result<Profile, Failure> {
    let old = version(client, name, number).await?;
    let path = ["profiles", name];
    let tag = match client.find::<Profile>(&path).await? {
        Some((_, tag)) => tag,
        None => Version::New,
    };
    client.put(&path, &tag, &old.rules).await
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "(absent)".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

const COLUMNS: &[&str] = &["version", "created_at", "description"];
