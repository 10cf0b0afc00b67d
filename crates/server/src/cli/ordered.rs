//! JSON whose members stay in the order in which they were written: people read it from the top.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, de};

/// A JSON value with its members in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Ordered {
    Nothing,
    /// A text, or what is written like one: a number, true or false.
    Text(String),
    List(Vec<Ordered>),
    Object(Vec<(String, Ordered)>),
}

impl Ordered {
    /// Any value as JSON sees it.
    pub fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        serde_json::from_str(&serde_json::to_string(value)?)
    }

    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            Self::Nothing | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The names of the members.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let members = match self {
            Self::Object(members) => members.as_slice(),
            Self::Nothing | Self::Text(_) | Self::List(_) => &[],
        };
        members.iter().map(|(name, _)| name.as_str())
    }
}

/// The value on one line. Control characters of a stranger's text must not reach a terminal.
impl fmt::Display for Ordered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Text(text) => text
                .chars()
                .filter(|c| !c.is_control())
                .try_for_each(|c| fmt::Write::write_char(f, c)),
            Self::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    let separator = if place == 0 { "" } else { ", " };
                    write!(f, "{separator}{item}")?;
                }
                Ok(())
            }
            Self::Object(members) => {
                let shown = members.iter().filter(|(_, value)| *value != Self::Nothing);
                for (place, (name, value)) in shown.enumerate() {
                    let separator = if place == 0 { "" } else { " " };
                    write!(f, "{separator}{name}={value}")?;
                }
                Ok(())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Ordered, E> {
        Ok(Ordered::Nothing)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Ordered, E> {
        Ok(Ordered::Text(value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Ordered, E> {
        Ok(Ordered::Text(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Ordered, E> {
        Ok(Ordered::Text(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Ordered, E> {
        Ok(Ordered::Text(value.to_string()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Ordered, E> {
        Ok(Ordered::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Ordered, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Ordered::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Ordered, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Ordered::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> String {
        serde_json::from_str::<Ordered>(json).unwrap().to_string()
    }

    #[test]
    fn members_stay_in_order() {
        let value: Ordered =
            serde_json::from_str(r#"{"b": 1, "a": null, "c": {"z": [true]}}"#).unwrap();
        assert_eq!(value.names().collect::<Vec<_>>(), ["b", "a", "c"]);
    }

    #[test]
    fn values_are_shown_on_one_line() {
        for (json, text) in [
            ("null", ""),
            ("true", "true"),
            ("-1", "-1"),
            ("0.5", "0.5"),
            (r#"["a", 1, ["b"]]"#, "a, 1, b"),
            (
                r#"{"at": "now", "by": null, "reason": "x"}"#,
                "at=now reason=x",
            ),
            (r#""a\u001b[31mb\u0007""#, "a[31mb"),
        ] {
            assert_eq!(shown(json), text, "{json}");
        }
    }
}
