//! Values by the name of their field, and how they are read from JSON and TOML.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// Values by the name of their field, each in its normal form.
pub type Values = BTreeMap<String, String>;

/// What people write where a value is meant: `4711` and `true` as well as `"4711"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Truth(bool),
    Number(serde_json::Number),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Truth(truth) => truth.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// Reads values that may be texts, numbers or truths.
pub fn map_of_scalars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Values, D::Error> {
    let scalars = BTreeMap::<String, Scalar>::deserialize(deserializer)?;
    Ok(scalars
        .into_iter()
        .map(|(name, value)| (name, value.into_text()))
        .collect())
}

/// Reads one value that may be a text, a number or a truth, or absent.
pub fn optional_scalar<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(Option::<Scalar>::deserialize(deserializer)?.map(Scalar::into_text))
}
