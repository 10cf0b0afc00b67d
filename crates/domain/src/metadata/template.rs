//! Templates of computed fields: `{eab.name}`, `{field:cost_center}-{team}`.
//!
//! Nothing but references in braces and the text between them; `{{` and `}}` are the braces
//! themselves. Where a reference has no value, the whole has none.

use std::fmt;

/// A template that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Reference(Reference),
}

/// What a template may stand on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The id of the account's external account binding key.
    EabId,
    /// What people call that key.
    EabName,
    /// The ACME account's id.
    Account,
    /// The ACME directory's name.
    Directory,
    /// The profile's name.
    Profile,
    /// The owning team's name.
    Team,
    /// The first name that is asked for.
    Name,
    /// Another field.
    Field(String),
}

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("character {at}: {message}")]
pub struct TemplateFault {
    /// Counted from 1.
    pub at: usize,
    pub message: String,
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut characters = text.chars().zip(1..).peekable();
        while let Some((character, at)) = characters.next() {
            let fault = |message: String| TemplateFault { at, message };
            let is_doubled = characters
                .peek()
                .is_some_and(|(next, _)| *next == character);
            match character {
                '{' | '}' if is_doubled => {
                    plain.push(character);
                    characters.next();
                }
                '{' => {
                    let inner = until_closed(&mut characters).ok_or_else(|| {
                        fault("this brace is not closed; write `{{` for a brace".to_owned())
                    })?;
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Reference(Reference::parse(&inner).map_err(fault)?));
                }
                '}' => {
                    let text = "this brace was not opened; write `}}` for a brace";
                    return Err(fault(text.to_owned()));
                }
                _ => plain.push(character),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        match parts.iter().any(|part| matches!(part, Part::Reference(_))) {
            true => Ok(Self(parts)),
            false => Err(TemplateFault {
                at: 1,
                message: "it refers to nothing; a default would do".to_owned(),
            }),
        }
    }

    /// The fields it refers to.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Reference(Reference::Field(name)) => Some(name.as_str()),
            Part::Text(_) | Part::Reference(_) => None,
        })
    }

    /// The text, if everything it refers to has a value.
    pub fn render(&self, mut value: impl FnMut(&Reference) -> Option<String>) -> Option<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Reference(reference) => text.push_str(&value(reference)?),
            }
        }
        Some(text)
    }
}

/// What stands before the closing brace, if there is one.
fn until_closed(characters: &mut impl Iterator<Item = (char, usize)>) -> Option<String> {
    let mut inner = String::new();
    loop {
        match characters.next()?.0 {
            '}' => return Some(inner),
            '{' => return None,
            other => inner.push(other),
        }
    }
}

impl Reference {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("field:") {
            return match super::is_field_name(name) {
                true => Ok(Self::Field(name.to_owned())),
                false => Err(format!("`{name}` is no name of a field")),
            };
        }
        let known = Self::PLAIN.into_iter().find(|(name, _)| *name == text);
        known.map(|(_, reference)| reference).ok_or_else(|| {
            let names: Vec<&str> = Self::PLAIN.iter().map(|(name, _)| *name).collect();
            format!(
                "`{{{text}}}` refers to nothing; there are {{{}}} and {{field:NAME}}",
                names.join("}, {")
            )
        })
    }

    const PLAIN: [(&'static str, Self); 7] = [
        ("eab.id", Self::EabId),
        ("eab.name", Self::EabName),
        ("account", Self::Account),
        ("directory", Self::Directory),
        ("profile", Self::Profile),
        ("team", Self::Team),
        ("name", Self::Name),
    ];
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, "{{field:{name}}}"),
            plain => {
                let mut known = Self::PLAIN.into_iter();
                let known = known.find(|(_, reference)| reference == plain);
                write!(f, "{{{}}}", known.map_or("", |(name, _)| name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn render(text: &str) -> Option<String> {
        Template::parse(text)
            .unwrap()
            .render(|reference| match reference {
                Reference::EabName => Some("web team".to_owned()),
                Reference::Field(name) if name == "cost_center" => Some("4711".to_owned()),
                _ => None,
            })
    }

    #[rstest]
    #[case("{eab.name}", Some("web team"))]
    #[case("{field:cost_center}-{eab.name}", Some("4711-web team"))]
    #[case("{{{field:cost_center}}}", Some("{4711}"))]
    #[case("{eab.name}/{team}", None)]
    #[case("{field:other}", None)]
    fn references_are_filled_in_or_there_is_no_value(
        #[case] text: &str,
        #[case] filled: Option<&str>,
    ) {
        assert_eq!(render(text).as_deref(), filled);
    }

    #[rstest]
    #[case("", 1)]
    #[case("plain", 1)]
    #[case("{{escaped}}", 1)]
    #[case("a-{eab.name", 3)]
    #[case("a-{eab.{name}}", 3)]
    #[case("a}b{team}", 2)]
    #[case("ä{nobody}", 2)]
    #[case("{field:Cost}", 1)]
    fn a_broken_template_is_refused_with_its_place(#[case] text: &str, #[case] at: usize) {
        assert_eq!(Template::parse(text).unwrap_err().at, at, "{text}");
    }
}
