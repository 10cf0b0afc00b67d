//! Typed reading of raw values. A value that does not parse becomes a problem and its default takes
//! its place, so that one run finds everything there is to mend.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;

use super::keys::{self, Preset};
use super::layers::{Layers, Origin, Raw};
use super::problem::Problem;
use super::suggest::did_you_mean;

/// Why a value was refused, and what to write in its place.
pub struct Refusal {
    message: String,
    remedy: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    fn shape(expected: &str, found: &Raw) -> Self {
        Self::new(
            format!("expected {expected}, found {}", found.kind()),
            format!("write {expected}"),
        )
    }
}

/// Reads values out of the layers and collects what is wrong with them.
pub struct Reader<'a> {
    layers: &'a Layers,
    /// What did not parse.
    pub problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// A reader over these layers.
    pub fn new(layers: &'a Layers) -> Self {
        Self {
            layers,
            problems: Vec::new(),
        }
    }

    /// Where the value of `name` stands.
    pub fn origin(&self, name: &str) -> Origin {
        self.layers
            .get(name)
            .map_or(Origin::Default, |value| value.origin.clone())
    }

    /// Whether somebody set `name`.
    pub fn is_set(&self, name: &str) -> bool {
        self.origin(name) != Origin::Default
    }

    /// Adds an error about `name`.
    pub fn refuse(&mut self, name: &'static str, refusal: Refusal) {
        let place = match self.origin(name) {
            Origin::Default => String::new(),
            origin => origin.to_string(),
        };
        self.problems
            .push(Problem::error(name, place, refusal.message, refusal.remedy));
    }

    /// The value of `name` by `parse`, if it has one.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&Raw) -> Result<T, Refusal>,
    ) -> Option<T> {
        let raw = self.layers.get(name)?.raw.clone();
        match parse(&raw) {
            Ok(value) => Some(value),
            Err(refusal) => {
                // A secret's text must not come back in an error message.
                let secret = keys::find(name).is_some_and(|key| key.secret);
                let refusal = if secret { mask(refusal, &raw) } else { refusal };
                self.refuse(name, refusal);
                None
            }
        }
    }

    /// The value of `name` by `parse`; its default where the given one does not parse.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&Raw) -> Result<T, Refusal>,
    ) -> T {
        if let Some(value) = self.optional(name, &parse) {
            return value;
        }
        let default = keys::find(name).and_then(|key| match key.preset {
            Preset::Value(text) => parse(&Raw::from_text(key.shape, text)).ok(),
            Preset::Unset(_) => None,
        });
        // Unwrap safety: a key read with `required` has a default that parses; a test reads them all.
        default.expect("every required key has a default that parses")
    }

    /// A string that is not empty.
    pub fn text(&mut self, name: &'static str) -> String {
        self.required(name, non_empty)
    }

    /// A path.
    pub fn path(&mut self, name: &'static str) -> Option<PathBuf> {
        self.optional(name, non_empty).map(PathBuf::from)
    }

    /// A secret.
    pub fn secret(&mut self, name: &'static str) -> Option<SecretString> {
        self.optional(name, non_empty).map(SecretString::from)
    }

    /// A value that knows how to parse itself; `example` shows how it is written.
    pub fn parsed<T>(&mut self, name: &'static str, example: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.optional(name, |raw| parse_text(raw, example))
    }

    /// The same for a key that has a default.
    pub fn parsed_or_default<T>(&mut self, name: &'static str, example: &str) -> T
    where
        T: FromStr,
        T::Err: Display,
    {
        self.required(name, |raw| parse_text(raw, example))
    }

    /// A number within bounds.
    pub fn number<T: TryFrom<i64>>(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<i64>,
    ) -> T {
        self.required(name, |raw| bounded(raw, &bounds))
    }

    /// A number of events per time, where 0 means no limit.
    pub fn limit(&mut self, name: &'static str) -> Option<NonZeroU32> {
        NonZeroU32::new(self.number(name, 0..=1_000_000_000))
    }

    /// A number of units of so many seconds.
    pub fn duration(
        &mut self,
        name: &'static str,
        unit_seconds: u64,
        bounds: RangeInclusive<i64>,
    ) -> Duration {
        let count: u64 = self.number(name, bounds);
        Duration::from_secs(count.saturating_mul(unit_seconds))
    }

    /// A boolean.
    pub fn switch(&mut self, name: &'static str) -> bool {
        self.required(name, |raw| match raw {
            Raw::Switch(on) => Ok(*on),
            Raw::Text(text) => Err(Refusal::new(
                format!("`{text}` is neither true nor false"),
                "write true or false",
            )),
            other => Err(Refusal::shape("true or false", other)),
        })
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, name: &'static str, words: &[(&'static str, T)]) -> T {
        self.required(name, |raw| {
            let text = non_empty(raw)?;
            words
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, value)| *value)
                .ok_or_else(|| not_among(&text, words.iter().map(|(word, _)| *word)))
        })
    }

    /// A list whose items parse by `parse`; every bad item is reported.
    pub fn list<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, Refusal>,
    ) -> Vec<T> {
        let items = self.required(name, |raw| match raw {
            Raw::List(items) => Ok(items.clone()),
            other => Err(Refusal::shape("a list of strings", other)),
        });
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match parse(&item) {
                Ok(value) => values.push(value),
                Err(refusal) => self.refuse(name, refusal),
            }
        }
        values
    }

    /// A list of networks in CIDR form.
    pub fn networks(&mut self, name: &'static str) -> Vec<IpNet> {
        self.list(name, network)
    }
}

fn mask(refusal: Refusal, raw: &Raw) -> Refusal {
    let text = raw.to_string();
    if text.is_empty() {
        return refusal;
    }
    Refusal {
        message: refusal.message.replace(&text, "********"),
        remedy: refusal.remedy,
    }
}

fn non_empty(raw: &Raw) -> Result<String, Refusal> {
    match raw {
        Raw::Text(text) if text.trim().is_empty() => Err(Refusal::new(
            "the value is empty",
            "write a value or remove the key",
        )),
        Raw::Text(text) => Ok(text.clone()),
        other => Err(Refusal::shape("a string", other)),
    }
}

fn parse_text<T>(raw: &Raw, example: &str) -> Result<T, Refusal>
where
    T: FromStr,
    T::Err: Display,
{
    let text = non_empty(raw)?;
    text.parse().map_err(|error| {
        Refusal::new(
            format!("`{text}` does not fit: {error}"),
            format!("write it like {example}"),
        )
    })
}

fn bounded<T: TryFrom<i64>>(raw: &Raw, bounds: &RangeInclusive<i64>) -> Result<T, Refusal> {
    let number = match raw {
        Raw::Number(number) => *number,
        Raw::Text(text) => {
            return Err(Refusal::new(
                format!("`{text}` is not a whole number"),
                "write a number without quotes",
            ));
        }
        other => return Err(Refusal::shape("a whole number", other)),
    };
    let outside = || {
        Refusal::new(
            format!("{number} is out of bounds"),
            format!("write a number from {} to {}", bounds.start(), bounds.end()),
        )
    };
    if !bounds.contains(&number) {
        return Err(outside());
    }
    T::try_from(number).map_err(|_| outside())
}

fn not_among<'w>(text: &str, words: impl Iterator<Item = &'w str> + Clone) -> Refusal {
    let all: Vec<_> = words.clone().collect();
    Refusal::new(
        format!("`{text}` is not among the choices"),
        did_you_mean(text, words, &format!("write one of {}", all.join(", "))),
    )
}

/// A network, or a single address as a network of its own.
fn network(text: &str) -> Result<IpNet, Refusal> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| {
            Refusal::new(
                format!("`{text}` is not a network"),
                "write ADDRESS/PREFIX, for example 10.0.0.0/8 or fd00::/8",
            )
        })
}

/// A resolver's address, whose port is 53 unless given.
pub fn resolver(text: &str) -> Result<SocketAddr, Refusal> {
    text.parse::<SocketAddr>()
        .or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)))
        .map_err(|_| {
            Refusal::new(
                format!("`{text}` is not a resolver's address"),
                "write ADDRESS or ADDRESS:PORT, for example 127.0.0.1:8053",
            )
        })
}
