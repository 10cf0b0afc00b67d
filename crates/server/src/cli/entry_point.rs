//! Where clients come in: ACME directories, EST labels, SCEP services, CMP endpoints. Each has a name, a URL, a
//! team or none, and rules; one piece of code lists, shows, sets and deletes them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output::{self, Format};
use super::paging;
use super::rules::Edits;

/// An entry point as the server shows it.
pub trait EntryPoint: Serialize + DeserializeOwned {
    /// What of it can be set; a new one begins with the default.
    type Rules: Clone + Default + Serialize + DeserializeOwned;
    /// Where all of its kind are.
    const PLACE: [&'static str; 2];
    /// What a list shows of it.
    const COLUMNS: &'static [&'static str];

    fn rules(&self) -> &Self::Rules;
    /// It on one line.
    fn row(&self) -> Value;
}

/// Prints all of a kind.
pub async fn list<T: EntryPoint>(context: &Context, client: &Client) -> Result<(), Failure> {
    let found: Vec<T> = client.list_all(&T::PLACE).await?;
    paging::print_items(context, T::COLUMNS, &found, T::row)
}

/// Prints one with its rules.
pub async fn show<T: EntryPoint>(
    context: &Context,
    client: &Client,
    name: &str,
) -> Result<(), Failure> {
    let found: T = client.get(&place::<T>(name)).await?;
    print(context, &found)
}

/// Makes one, or changes the rules of the one that is there; prints what it has become.
pub async fn set<T: EntryPoint>(
    context: &Context,
    client: &Client,
    name: &str,
    team: Option<&str>,
    edits: &Edits,
) -> Result<(), Failure> {
    let path = place::<T>(name);
    let (current, version) = match client.find::<T>(&path).await? {
        Some((found, version)) => (found.rules().clone(), version),
        None => (T::Rules::default(), Version::New),
    };
    let rules = edits.apply(Some(current))?;
    let stored: T = client.put_for(&path, team, &version, &rules).await?;
    print(context, &stored)
}

/// Deletes one.
pub async fn delete<T: EntryPoint>(client: &Client, name: &str) -> Result<(), Failure> {
    client.delete(&place::<T>(name)).await
}

fn place<T: EntryPoint>(name: &str) -> [&str; 3] {
    let [protocol, noun] = T::PLACE;
    [protocol, noun, name]
}

fn print<T: EntryPoint>(context: &Context, found: &T) -> Result<(), Failure> {
    match context.output {
        Format::Json => output::print(context.output, found)?,
        Format::Table => {
            let columns = ["name", "url", "team", "updated_at"];
            output::print_columns(context.output, &columns, found)?;
            output::print_text("\n")?;
            output::print(context.output, found.rules())?;
        }
    }
    Ok(())
}
