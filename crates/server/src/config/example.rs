//! The commented example file, made from the list of keys.

use std::fmt::Write;

use super::keys::{Key, Preset, Reading, SECTIONS, Shape};

/// A file with every key, commented out, at its default.
pub fn example() -> String {
    let mut text = String::from(
        "# Certwright's configuration. Every key is optional; what is commented out shows the default.\n\
         # Each can be set by environment as well: CERTWRIGHT_, section, __, key, in upper case.\n",
    );
    for section in SECTIONS {
        let _ = write!(text, "\n# {}\n[{}]\n", section.about, section.name);
        for key in section.keys {
            entry(&mut text, key);
        }
    }
    text
}

fn entry(text: &mut String, key: &Key) {
    let (_, name) = key.parts();
    let when = match key.reading {
        Reading::EachStart => String::new(),
        Reading::FirstStart => " Looked at by the first start only.".to_owned(),
        Reading::DirectoryRule(rule) => format!(
            " Looked at by the first start only;\n# later: `certwright directory set default --set {rule}=…`."
        ),
    };
    let _ = match key.preset {
        Preset::Value(value) => {
            let value = literal(key.shape, value);
            write!(text, "# {}{when}\n#{name} = {value}\n", key.help)
        }
        Preset::Unset(meaning) => {
            let blank = literal(key.shape, "");
            write!(
                text,
                "# {} Default: {meaning}.{when}\n#{name} = {blank}\n",
                key.help
            )
        }
    };
}

/// A default in TOML's words.
fn literal(shape: Shape, value: &str) -> String {
    match shape {
        Shape::Text => toml::Value::from(value).to_string(),
        Shape::Number if value.is_empty() => "0".to_owned(),
        Shape::Number | Shape::Switch => value.to_owned(),
        Shape::List => "[]".to_owned(),
    }
}
