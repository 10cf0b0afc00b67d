//! The regular expression that a string has to match, read from a field's rules.

use regex::{Regex, RegexBuilder};

use super::definition::LONGEST;
use super::spec::{FieldFault, FieldSpec};

/// A regular expression of bounded size, which matches in time linear in the value.
pub(super) fn read(spec: &FieldSpec, faults: &mut Vec<FieldFault>) -> Option<Regex> {
    let pattern = spec.pattern.as_deref()?;
    let build = |text: &str| {
        RegexBuilder::new(text)
            .size_limit(PATTERN_SIZE)
            .dfa_size_limit(PATTERN_SIZE)
            .nest_limit(32)
            .build()
    };
    if pattern.chars().count() > LONGEST {
        faults.push(FieldFault::new(
            "pattern",
            format!("is longer than {LONGEST} characters"),
        ));
        return None;
    }
    // By itself first, so that the place of a fault is the operator's and not the wrapping's.
    match build(pattern).and_then(|_| build(&format!("^(?:{pattern})$"))) {
        Ok(regex) => Some(regex),
        Err(error) => {
            faults.push(fault(&error));
            None
        }
    }
}

fn fault(error: &regex::Error) -> FieldFault {
    let regex::Error::Syntax(text) = error else {
        return FieldFault::new("pattern", "would need too much memory; write a simpler one");
    };
    // The parser's text shows the pattern, below it a caret at the fault, and then says what it is.
    let caret = text.lines().find_map(|line| {
        let marks = line.trim_start();
        (marks.starts_with('^')).then(|| line.len() - marks.len())
    });
    let reason = text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("error: "));
    let place = match caret.and_then(|column| column.checked_sub(INDENT)) {
        Some(column) => format!("pattern, character {}", column + 1),
        None => "pattern".to_owned(),
    };
    FieldFault::new(place, reason.unwrap_or("is no regular expression"))
}

/// The pattern as it was written.
pub(super) fn shown(pattern: &Regex) -> &str {
    let text = pattern.as_str();
    text.strip_prefix("^(?:")
        .and_then(|text| text.strip_suffix(")$"))
        .unwrap_or(text)
}

/// Octets that a compiled pattern may take.
const PATTERN_SIZE: usize = 256 * 1024;
/// What stands before the pattern in the parser's text.
const INDENT: usize = 4;
