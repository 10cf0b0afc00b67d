//! The layers of a configuration, lowest first: defaults, file, environment, flags. Each value
//! remembers where it comes from, so that a complaint can point at the place to mend.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Key, Preset, SECTIONS, Shape};
use super::problem::Problem;
use super::suggest::{did_you_mean, nearest};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// Computed from the values of these keys.
    Derived(&'static str),
    /// The file, at this line.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// Counted from one.
        line: usize,
    },
    /// This environment variable.
    Environment(String),
    /// This command-line flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Derived(from) => write!(f, "from {from}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value before its meaning is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// A string.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A boolean.
    Switch(bool),
    /// A list of strings.
    List(Vec<String>),
    /// Anything else, by the name of its TOML type.
    Other(&'static str),
}

impl Raw {
    /// What this is, for an error text.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Number(_) => "a number",
            Self::Switch(_) => "a boolean",
            Self::List(_) => "a list",
            Self::Other(kind) => kind,
        }
    }

    /// Text of the environment or a flag, read by the shape that the key asks for.
    pub fn from_text(shape: Shape, text: &str) -> Self {
        let text = text.trim();
        match shape {
            Shape::Text => Self::Text(text.to_owned()),
            Shape::Number => text
                .parse()
                .map_or_else(|_| Self::Text(text.to_owned()), Self::Number),
            Shape::Switch => match text {
                "true" | "on" | "yes" | "1" => Self::Switch(true),
                "false" | "off" | "no" | "0" => Self::Switch(false),
                _ => Self::Text(text.to_owned()),
            },
            Shape::List if text.starts_with('[') => match DeValue::parse(text) {
                Ok(value) => Self::from_toml(value.get_ref()),
                Err(_) => Self::Text(text.to_owned()),
            },
            Shape::List => Self::List(
                text.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
        }
    }

    fn from_toml(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Self::Other("a number out of range"), Self::Number),
            DeValue::Boolean(on) => Self::Switch(*on),
            DeValue::Array(items) => items
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .map_or(
                    Self::Other("a list of other things than strings"),
                    Self::List,
                ),
            DeValue::Float(_) => Self::Other("a number with a fraction"),
            DeValue::Datetime(_) => Self::Other("a date"),
            DeValue::Table(_) => Self::Other("a table"),
        }
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Switch(on) => on.fmt(f),
            Self::List(items) => f.write_str(&items.join(", ")),
            Self::Other(kind) => f.write_str(kind),
        }
    }
}

/// A value with its origin.
#[derive(Clone, Debug)]
pub struct Sourced {
    /// The value.
    pub raw: Raw,
    /// Where it comes from.
    pub origin: Origin,
}

/// The topmost value of each key that has one.
#[derive(Debug, Default)]
pub struct Layers {
    values: BTreeMap<&'static str, Sourced>,
    /// What did not fit any key.
    pub problems: Vec<Problem>,
}

impl Layers {
    /// The defaults alone.
    pub fn defaults() -> Self {
        let mut layers = Self::default();
        for key in keys::all() {
            if let Preset::Value(text) = key.preset {
                layers.set(key, Raw::from_text(key.shape, text), Origin::Default);
            }
        }
        layers
    }

    /// The value of `name`, if there is one.
    pub fn get(&self, name: &str) -> Option<&Sourced> {
        self.values.get(name)
    }

    /// Puts a value on top.
    pub fn set(&mut self, key: &'static Key, raw: Raw, origin: Origin) {
        self.values.insert(key.name, Sourced { raw, origin });
    }

    /// Lays a flag's value on top.
    pub fn flag(&mut self, name: &str, flag: &'static str, text: &str) {
        if let Some(key) = keys::find(name) {
            self.set(key, Raw::from_text(key.shape, text), Origin::Flag(flag));
        }
    }

    /// Reads a file and lays its values on top.
    pub fn file(&mut self, path: &Path) {
        match std::fs::read_to_string(path) {
            Ok(text) => self.text(path, &text),
            Err(error) => self.problems.push(Problem::error(
                "",
                path.display(),
                format!("the file cannot be read: {error}"),
                "name an existing, readable file with --config",
            )),
        }
    }

    /// Lays the values of a TOML text on top; `path` only names the place.
    pub fn text(&mut self, path: &Path, text: &str) {
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            self.problems.push(Problem::error(
                "",
                format!("{}:{line}", path.display()),
                format!("this is not TOML: {}", error.message()),
                "`certwright config example` prints a file to start from",
            ));
        }
        for (section, body) in document.get_ref() {
            let line = line_of(text, section.span().start);
            let place = Origin::File {
                path: path.to_owned(),
                line,
            };
            self.section(section.get_ref(), body, &place, text);
        }
    }

    fn section(&mut self, section: &str, body: &Spanned<DeValue<'_>>, place: &Origin, text: &str) {
        let known = SECTIONS.iter().map(|section| section.name);
        let Some(table) = body.get_ref().as_table() else {
            self.problems.push(stray_key(section, place));
            return;
        };
        if !known.clone().any(|name| name == section) {
            self.problems.push(Problem::error(
                section,
                place,
                "there is no such section",
                did_you_mean(section, known, "`certwright config example` lists them all"),
            ));
            return;
        }
        let Origin::File { path, .. } = place else {
            return;
        };
        for (key, value) in table {
            let name = format!("{section}.{}", key.get_ref());
            let origin = Origin::File {
                path: path.clone(),
                line: line_of(text, key.span().start),
            };
            match keys::find(&name) {
                Some(key) => self.set(key, Raw::from_toml(value.get_ref()), origin),
                None => self.problems.push(unknown_key(section, &name, &origin)),
            }
        }
    }

    /// Lays the environment's values on top.
    pub fn environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (variable, text) in variables {
            let Some(rest) = variable.strip_prefix("CERTWRIGHT_") else {
                continue;
            };
            if let Some(key) = keys::all().find(|key| key.variable() == variable) {
                let raw = Raw::from_text(key.shape, &text);
                self.set(key, raw, Origin::Environment(variable));
            } else if let Some(problem) = unknown_variable(&variable, rest) {
                self.problems.push(problem);
            }
        }
    }
}

/// A variable with our prefix that sets nothing. One without `__` is only reported when it is plainly
/// a key written with too few underscores: orchestrators put names of their own beside ours.
fn unknown_variable(variable: &str, rest: &str) -> Option<Problem> {
    let names: Vec<String> = keys::all().map(Key::variable).collect();
    let remedy = if rest.contains("__") {
        let lower: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        let found = nearest(variable, lower.iter().map(String::as_str)).map(str::to_uppercase);
        match found {
            Some(name) => format!("did you mean `{name}`?"),
            None => "unset it; `certwright config example` lists all keys".to_owned(),
        }
    } else {
        let flat = |name: &&String| name.replace("__", "_") == variable;
        let meant = names.iter().find(flat)?;
        format!("did you mean `{meant}`, with two underscores after the section?")
    };
    Some(Problem::error(
        "",
        variable,
        "this environment variable sets no key",
        remedy,
    ))
}

fn unknown_key(section: &str, name: &str, origin: &Origin) -> Problem {
    let bare = name.rsplit('.').next().unwrap_or(name);
    let siblings = keys::all().map(Key::parts).filter(|(of, _)| *of == section);
    let elsewhere = keys::all().find(|key| key.parts().1 == bare);
    let remedy = match (nearest(bare, siblings.map(|(_, key)| key)), elsewhere) {
        (Some(key), _) => format!("did you mean `{key}`?"),
        (None, Some(key)) => format!("`{bare}` belongs into section [{}]", key.parts().0),
        (None, None) => "remove it; `certwright config example` lists all keys".to_owned(),
    };
    Problem::error(name, origin, "there is no such key", remedy)
}

fn stray_key(name: &str, place: &Origin) -> Problem {
    let remedy = match keys::all().find(|key| key.parts().1 == name) {
        Some(key) => format!("put it below a line [{}]", key.parts().0),
        None => "keys stand in sections; `certwright config example` lists them".to_owned(),
    };
    Problem::error(
        name,
        place,
        "this key stands outside of any section",
        remedy,
    )
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|octet| **octet == b'\n').count()
}
