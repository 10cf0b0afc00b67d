//! Regular expressions in rules: bounded in size, compiled once, matched against the whole text.

use std::fmt;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// A regular expression as a rule carries it. It is read as it is, so that what is stored can
/// always be shown; [`check`](Self::check) says whether it can be used. One that cannot be used
/// matches nothing.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Pattern {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// The pattern that was written so.
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            compiled: OnceLock::new(),
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether all of `text` matches, not only a part of it.
    pub fn matches(&self, text: &str) -> bool {
        self.compiled
            .get_or_init(|| compile(&self.source).ok())
            .as_ref()
            .is_some_and(|regex| regex.is_match(text))
    }

    /// Why the pattern cannot be used, if so.
    pub fn check(&self) -> Result<(), PatternError> {
        compile(&self.source).map(drop)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.source)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl From<String> for Pattern {
    fn from(source: String) -> Self {
        Self::new(source)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.source
    }
}

/// Why a regular expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// The character at fault, counted from 0, where it is one.
    pub offset: Option<usize>,
    pub message: String,
}

fn compile(source: &str) -> Result<Regex, PatternError> {
    let refuse = |message: &str| {
        Err(PatternError {
            offset: None,
            message: message.to_owned(),
        })
    };
    if source.is_empty() {
        return refuse("the regular expression is empty; leave it out, or write `.*` for anything");
    }
    if source.len() > MAX_SOURCE {
        return refuse("the regular expression is longer than 1000 octets; write a shorter one");
    }
    if source.contains(char::is_control) {
        return refuse("the regular expression has control characters; write them as escapes");
    }
    // By itself first: `a)|(b` would be whole in our parentheses, and is not.
    build(source)?;
    build(&format!(r"\A(?:{source})\z"))
}

fn build(source: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(source)
        .size_limit(MAX_COMPILED)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => PatternError {
                offset: None,
                message: "the regular expression needs too much memory; repeat less in it"
                    .to_owned(),
            },
            other => syntax_error(&other.to_string()),
        })
}

/// The library draws an arrow below the place and gives the reason in the last line.
fn syntax_error(text: &str) -> PatternError {
    let offset = text
        .lines()
        .find(|line| line.trim_start().starts_with('^'))
        .and_then(|line| line.find('^'))
        .and_then(|column| column.checked_sub(INDENT));
    let reason = text.lines().last().unwrap_or(text);
    let reason = reason.strip_prefix("error: ").unwrap_or(reason);
    PatternError {
        offset,
        message: format!("the regular expression is not well-formed: {reason}"),
    }
}

const MAX_SOURCE: usize = 1000;
const MAX_COMPILED: usize = 256 * 1024;
const INDENT: usize = 4;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a|ab", "ab", true)]
    #[case("web-[0-9]+", "web-12", true)]
    #[case("web-[0-9]+", "xweb-12", false)]
    #[case("web-[0-9]+", "web-12\n", false)]
    #[case("^web$", "web", true)]
    fn a_pattern_covers_the_whole_text(
        #[case] pattern: &str,
        #[case] text: &str,
        #[case] covered: bool,
    ) {
        assert_eq!(Pattern::new(pattern).matches(text), covered);
    }

    #[rstest]
    #[case("ab(c", Some(2))]
    #[case("[z-a]", Some(1))]
    #[case("a)|(b", Some(1))]
    #[case("", None)]
    #[case("(?x) a # b", None)]
    #[case(r"(\w{500}){500}", None)]
    fn a_fault_has_its_place_and_matches_nothing(
        #[case] pattern: &str,
        #[case] offset: Option<usize>,
    ) {
        let pattern = Pattern::new(pattern);
        let error = pattern.check().unwrap_err();
        if offset.is_some() {
            assert_eq!(error.offset, offset, "{error}");
        }
        assert!(!pattern.matches("a") && !pattern.matches(""));
    }
}
