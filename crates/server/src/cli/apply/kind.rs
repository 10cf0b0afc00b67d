//! What `apply` has to know of a kind of resource.

use std::marker::PhantomData;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::client::{Client, Version};
use super::super::exit::Failure;

/// A kind of resource that files can describe.
#[async_trait]
pub trait Kind: Send + Sync {
    /// What it is called in files: the noun of its path in the REST API.
    fn name(&self) -> &'static str;

    /// What a file says, with the defaults of what it leaves out; or what is wrong with it.
    fn complete(&self, written: Value) -> Result<Value, String>;

    /// What is there under a name.
    async fn find(&self, client: &Client, name: &str) -> Result<Option<(Value, Version)>, Failure>;

    /// Everything that is there.
    async fn list(&self, client: &Client) -> Result<Vec<(String, Value)>, Failure>;

    /// Makes or changes one, if it is as it was found.
    async fn put(
        &self,
        client: &Client,
        name: &str,
        version: &Version,
        rules: &Value,
    ) -> Result<(), Failure>;
}

/// A resource with a name and rules of type `T`, read by `GET` and written by `PUT` with an entity tag.
pub struct Ruled<T> {
    name: &'static str,
    path: &'static [&'static str],
    rules: PhantomData<fn() -> T>,
}

impl<T> Ruled<T> {
    /// The kind that is called `name` in files and found under `path`.
    pub fn new(name: &'static str, path: &'static [&'static str]) -> Self {
        Self {
            name,
            path,
            rules: PhantomData,
        }
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

    async fn find(&self, client: &Client, name: &str) -> Result<Option<(Value, Version)>, Failure> {
        let found = client.find::<Value>(&self.place(name)).await?;
        let Some((mut found, version)) = found else {
            return Ok(None);
        };
        let rules = self.complete(found["rules"].take());
        Ok(Some((rules.map_err(anyhow::Error::msg)?, version)))
    }

    async fn list(&self, client: &Client) -> Result<Vec<(String, Value)>, Failure> {
        let found: Vec<Value> = client.list_all(self.path).await?;
        // What is retired is there for those who have it, and no part of the configuration.
        let found = found.into_iter().filter(|item| item["status"] != "retired");
        let named = found.map(|mut item| {
            let name = item["name"].as_str().unwrap_or_default().to_owned();
            let rules = self.complete(item["rules"].take());
            Ok((name, rules.map_err(anyhow::Error::msg)?))
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
