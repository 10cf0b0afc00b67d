//! Values of custom metadata on the command line: `cost_center=4711`.

use std::collections::BTreeMap;
use std::str::FromStr;

use clap::Args;
use protocols::rest::metadata::{GivenValues, Metadata, MetadataChange, Scalar};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::output;

/// `field=value`, or `field=` for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub field: String,
    pub value: Option<String>,
}

impl FromStr for Given {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (field, value) = text.split_once('=').ok_or("write FIELD=VALUE")?;
        match field.trim() {
            "" => Err("write FIELD=VALUE"),
            field => Ok(Self {
                field: field.to_owned(),
                value: Some(value.to_owned()).filter(|value| !value.is_empty()),
            }),
        }
    }
}

/// Arguments of every `metadata` verb.
#[derive(Clone, Debug, Args)]
pub struct Change {
    /// Id of what it is about
    id: String,
    /// Values to set, FIELD=VALUE; `FIELD=` takes one away. Without any, what there is is shown
    #[arg(value_name = "FIELD=VALUE")]
    values: Vec<Given>,
}

impl Change {
    /// Shows or changes the values of what is found under these segments and the id.
    pub async fn run(
        self,
        context: &Context,
        client: &Client,
        noun: &[&str],
    ) -> Result<(), Failure> {
        let mut path = noun.to_vec();
        path.extend([self.id.as_str(), "metadata"]);
        let shown: Metadata = match self.values.is_empty() {
            true => client.get(&path).await?,
            false => client.patch(&path, &change(&self.values)).await?,
        };
        Ok(output::print(context.output, &shown.metadata)?)
    }
}

/// What a request changes.
pub fn change(values: &[Given]) -> MetadataChange {
    let values = values.iter().cloned();
    MetadataChange {
        metadata: values
            .map(|given| (given.field, given.value.map(Scalar::Text)))
            .collect(),
    }
}

/// What a request gives. One that takes a value away gives nothing.
pub fn given(values: &[Given]) -> GivenValues {
    let given = values.iter().cloned();
    given
        .filter_map(|given| Some((given.field, Scalar::Text(given.value?))))
        .collect()
}

/// What a list is filtered by.
pub fn sought(values: &[Given]) -> BTreeMap<String, String> {
    let given = values.iter().cloned();
    given
        .map(|given| (given.field, given.value.unwrap_or_default()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_anything_and_an_empty_one_is_none() {
        let given: Given = "url=https://a/?b=c".parse().unwrap();
        assert_eq!(
            (given.field.as_str(), given.value.as_deref()),
            ("url", Some("https://a/?b=c"))
        );
        assert_eq!("owner=".parse::<Given>().unwrap().value, None);
        assert!("owner".parse::<Given>().is_err() && "=x".parse::<Given>().is_err());
    }
}
