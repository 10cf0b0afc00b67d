//! What `apply` has to know of a kind of resource.

use std::marker::PhantomData;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::client::{Client, Version};
use super::super::exit::Failure;

/// What becomes of a thing that no file names any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Delete,
    /// It stays for those who have it, and takes nothing new.
    Retire,
    /// Too much refers to it.
    Stays,
}

/// A kind of resource that files can describe.
#[async_trait]
pub trait Kind: Send + Sync {
    /// What it is called in files: the noun of its path in the REST API.
    fn name(&self) -> &'static str;

    /// What a file says, with the defaults of what it leaves out; or what is wrong with it.
    fn complete(&self, written: Value) -> Result<Value, String>;

    /// What is there under a name, to be compared with what is wanted.
    async fn find(
        &self,
        client: &Client,
        name: &str,
        wanted: &Value,
    ) -> Result<Option<(Value, Version)>, Failure>;

    /// Everything that is there and can be changed.
    async fn list(&self, client: &Client) -> Result<Vec<(String, Value)>, Failure>;

    /// Makes or changes one, if it is as it was found.
    async fn put(
        &self,
        client: &Client,
        name: &str,
        version: &Version,
        rules: &Value,
    ) -> Result<(), Failure>;

    /// How things of this kind are taken away.
    fn removal(&self) -> Removal;

    /// Takes one away.
    async fn remove(&self, client: &Client, name: &str) -> Result<(), Failure>;
}

/// A resource with a name and what is said of it, of type `T`, read by `GET` and written by `PUT` with an entity tag.
pub struct Ruled<T> {
    name: &'static str,
    path: &'static [&'static str],
    /// The members of an answer that a change may set; without any, its `rules`.
    members: &'static [&'static str],
    removal: Removal,
    rules: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Ruled<T> {
    /// The kind that is called `name` in files and found under `path`.
    pub fn new(name: &'static str, path: &'static [&'static str]) -> Self {
        Self {
            name,
            path,
            members: &[],
            removal: Removal::Delete,
            rules: PhantomData,
        }
    }

    /// The same for a resource whose answers have what can be changed beside what cannot.
    pub fn of_members(self, members: &'static [&'static str]) -> Self {
        Self { members, ..self }
    }

    /// The same where nothing is deleted.
    pub fn taken_away_by(self, removal: Removal) -> Self {
        Self { removal, ..self }
    }

    /// What can be changed of an answer.
    fn rules_of(&self, mut answer: Value) -> Result<Value, Failure> {
        let rules = match self.members {
            [] => answer["rules"].take(),
            members => {
                let pairs = members
                    .iter()
                    .map(|name| ((*name).to_owned(), answer[*name].take()));
                Value::Object(pairs.collect())
            }
        };
        Ok(self.complete(rules).map_err(anyhow::Error::msg)?)
    }

    fn place<'a>(&self, name: &'a str) -> Vec<&'a str> {
        self.path.iter().copied().chain([name]).collect()
    }
}

#[async_trait]
impl<T: Serialize + DeserializeOwned> Kind for Ruled<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn complete(&self, written: Value) -> Result<Value, String> {
        let rules: T = serde_json::from_value(written).map_err(|error| error.to_string())?;
        let mut value = serde_json::to_value(rules).map_err(|error| error.to_string())?;
        without_nulls(&mut value);
        Ok(value)
    }

    async fn find(
        &self,
        client: &Client,
        name: &str,
        _wanted: &Value,
    ) -> Result<Option<(Value, Version)>, Failure> {
        let found = client.find::<Value>(&self.place(name)).await?;
        let Some((found, version)) = found else {
            return Ok(None);
        };
        Ok(Some((self.rules_of(found)?, version)))
    }

    async fn list(&self, client: &Client) -> Result<Vec<(String, Value)>, Failure> {
        let found: Vec<Value> = client.list_all(self.path).await?;
        // What is retired is there for those who have it, what is built in for ever: neither is part of the
        // configuration.
        let ours = found
            .into_iter()
            .filter(|item| item["status"] != "retired" && item["built_in"] != true);
        let named = ours.map(|item| {
            let name = item["name"].as_str().unwrap_or_default().to_owned();
            Ok((name, self.rules_of(item)?))
        });
        named.collect()
    }

    async fn put(
        &self,
        client: &Client,
        name: &str,
        version: &Version,
        rules: &Value,
    ) -> Result<(), Failure> {
        let stored: Result<Value, Failure> = client.put(&self.place(name), version, rules).await;
        stored.map(drop)
    }

    fn removal(&self) -> Removal {
        self.removal
    }

    async fn remove(&self, client: &Client, name: &str) -> Result<(), Failure> {
        let mut place = self.place(name);
        match self.removal {
            Removal::Delete => client.delete(&place).await,
            Removal::Retire => {
                place.push("retire");
                client.tell(&place).await
            }
            Removal::Stays => Err(Failure::refused("it is never deleted")),
        }
    }
}

/// TOML has no word for nothing: what is not set is left out.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
