//! Full text: which words stand in a certificate, and the conditions that look for them.
//!
//! The index is filled a moment after a certificate was written, so that issuance does not pay for it.
//! It gives candidates; what really stands there is compared with the text itself.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::{Condition, Source};
use crate::Value;

/// So much of the end of a word is filed; what is longer is compared with the text.
const END_LENGTH: usize = 16;
/// Longer words are filed in pieces.
const WORD_LENGTH: usize = 80;
/// Serial numbers and fingerprints are looked for by at least so many digits.
const DIGITS: usize = 8;
const FINGERPRINT_DIGITS: usize = 32;

/// What full text looks at, in lower case: a line for each name, value of the subject, and value of the
/// metadata.
pub(super) fn content(
    names: &[String],
    subject: &str,
    metadata: &BTreeMap<String, String>,
) -> String {
    let lines = names.iter().map(String::as_str);
    let lines = lines
        .chain(subject_values(subject))
        .chain(metadata.values().map(String::as_str));
    let mut seen = BTreeSet::new();
    let kept: Vec<&str> = lines
        .filter(|line| !line.is_empty() && seen.insert(*line))
        .collect();
    kept.join("\n").to_lowercase()
}

/// `CN=shop,O=Example` without what the attributes are called.
fn subject_values(subject: &str) -> impl Iterator<Item = &str> {
    subject.split([',', '+']).map(|attribute| {
        let value = attribute.split_once('=');
        value.map_or(attribute, |(_, value)| value).trim()
    })
}

/// The words of a content, each once.
pub(super) fn words(content: &str) -> BTreeSet<&str> {
    content
        .split(|c: char| !c.is_alphanumeric())
        .flat_map(pieces)
        .collect()
}

fn pieces(mut word: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while !word.is_empty() {
        let (piece, rest) = word.split_at(end_of(word, WORD_LENGTH));
        pieces.push(piece);
        word = rest;
    }
    pieces
}

/// The ends of a word that are filed, from the whole word to its last two characters.
pub(super) fn ends(word: &str) -> impl Iterator<Item = &str> {
    word.char_indices().filter_map(move |(at, _)| {
        let (_, end) = word.split_at(at);
        let is_long_enough = at == 0 || end.chars().nth(1).is_some();
        is_long_enough.then(|| beginning(end))
    })
}

/// As much of a text as is filed.
pub(super) fn beginning(text: &str) -> &str {
    text.split_at(end_of(text, END_LENGTH)).0
}

/// Where the first `count` characters end.
fn end_of(text: &str, count: usize) -> usize {
    text.char_indices()
        .nth(count)
        .map_or(text.len(), |(at, _)| at)
}

/// Certificates that have this text in a name, the subject or the metadata, or whose serial number or
/// fingerprint begins with it.
pub(super) fn anywhere(text: &str) -> Condition<'static> {
    let text = text.to_lowercase();
    let within = "EXISTS (SELECT 1 FROM certificate_texts \
                  WHERE certificate_id = certificates.id AND content LIKE ? ESCAPE '\\')";
    let mut select = BY_WORD.to_owned();
    let mut check = within.to_owned();
    let mut values: Vec<Value<'static>> = vec![like(&text).into()];
    let (from, to) = range(beginning(longest_word(&text)));
    let mut sought: Vec<Value<'static>> = vec![from.into(), to.into()];
    if let Some(digits) = digits(&text) {
        let short: String = digits.chars().take(FINGERPRINT_DIGITS).collect();
        check.push_str(" OR serial LIKE ? OR fingerprint LIKE ?");
        values.extend([
            Value::from(format!("{digits}%")),
            Value::from(format!("{short}%")),
        ]);
        select.push_str(BY_DIGITS);
        let ((from, to), (short_from, short_to)) = (range(&digits), range(&short));
        sought.extend([from, to].iter().cycle().take(4).cloned().map(Value::from));
        sought.extend([short_from, short_to].map(Value::from));
    }
    Condition::check(&check, values).found_among(Source::unordered(&select, sought))
}

/// Certificates one of whose names this is a part of.
pub(super) fn within_names(part: &str) -> Condition<'static> {
    let part = part.to_lowercase();
    // Names are kept as a list in JSON, where a quote or a backslash is written with another one.
    let written = serde_json::Value::from(part.as_str()).to_string();
    let written = written
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let check = "lower(names) LIKE ? ESCAPE '\\'";
    let (from, to) = range(beginning(longest_word(&part)));
    Condition::check(check, [like(written.unwrap_or(&part)).into()])
        .found_among(Source::unordered(BY_WORD, [from.into(), to.into()]))
}

/// The word of a text that says most.
fn longest_word(text: &str) -> &str {
    words(text)
        .into_iter()
        .max_by_key(|word| word.len())
        .unwrap_or(text)
}

/// From the text to the last that begins with it.
fn range(text: &str) -> (String, String) {
    (text.to_owned(), format!("{text}\u{10ffff}"))
}

fn like(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Hexadecimal digits, if the text is nothing else; colons between them do not count.
fn digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let is_hex = digits.chars().all(|c| c.is_ascii_hexdigit());
    (is_hex && digits.len() >= DIGITS).then_some(digits)
}

const BY_WORD: &str = "SELECT certificate_id FROM certificate_words WHERE word IN \
                       (SELECT word FROM word_ends WHERE word_end >= ? AND word_end < ?)";
const BY_DIGITS: &str = " UNION ALL SELECT id FROM certificates \
                          WHERE serial >= ? AND serial < ? AND issuer_id IS NOT NULL \
                         UNION ALL SELECT id FROM certificates \
                          WHERE serial >= ? AND serial < ? AND issuer_id IS NULL \
                         UNION ALL SELECT id FROM certificates \
                          WHERE fingerprint >= ? AND fingerprint < ?";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_has_names_subject_and_values_once_each() {
        let metadata = BTreeMap::from([("owner".to_owned(), "Jürgen Ü".to_owned())]);
        let names = ["Shop.example.org".to_owned()];
        let text = content(&names, "CN=Shop.example.org,O=Example\\, Inc", &metadata);
        assert_eq!(text, "shop.example.org\nexample\\\ninc\njürgen ü");
        let found: Vec<&str> = words(&text).into_iter().collect();
        assert_eq!(found, ["example", "inc", "jürgen", "org", "shop", "ü"]);
    }

    #[test]
    fn every_part_of_a_word_of_two_characters_or_more_begins_one_of_its_ends() {
        let word = "jürgen0123456789abcdef";
        let filed: Vec<&str> = ends(word).collect();
        let characters: Vec<char> = word.chars().collect();
        for from in 0..characters.len() {
            for to in from + 2..=characters.len() {
                let part: String = characters[from..to].iter().collect();
                let sought = beginning(&part);
                assert!(filed.iter().any(|end| end.starts_with(sought)), "{part}");
            }
        }
        assert_eq!(ends("ü").collect::<Vec<_>>(), ["ü"]);
    }

    #[test]
    fn signs_of_patterns_are_taken_as_they_are() {
        assert_eq!(like("a_b%c\\"), "%a\\_b\\%c\\\\%");
        assert_eq!(digits("3f:9A:01:7c").as_deref(), Some("3f9A017c"));
        assert_eq!(digits("cafe"), None);
        assert_eq!(digits("shop.example"), None);
    }
}
