//! What a field is: as an operator writes it, and read into what values are held against.

use jiff::civil::Date;
use pki::time::Timestamp;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use super::people::People;
use super::template::Template;
use super::values::optional_scalar;
use crate::id::FieldId;

/// A field of custom metadata, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub id: FieldId,
    /// What requests, filters and events call it.
    pub name: String,
    pub spec: FieldSpec,
    /// Counts its changes, from 1.
    pub version: u32,
    /// Since when nothing new gets a value for it. Those that have one keep it.
    pub retired_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The rules of a field, as an operator writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldSpec {
    /// What people read; the name where it is empty.
    pub label: String,
    pub description: String,
    pub kind: FieldKind,
    /// Whether nothing is issued without a value.
    pub required: bool,
    /// Where nothing else gives a value.
    #[serde(deserialize_with = "optional_scalar")]
    pub default: Option<String>,
    /// A regular expression that the whole of a string has to match.
    pub pattern: Option<String>,
    /// The least number, the first date, the shortest string.
    #[serde(deserialize_with = "optional_scalar")]
    pub min: Option<String>,
    /// The greatest number, the last date, the longest string.
    #[serde(deserialize_with = "optional_scalar")]
    pub max: Option<String>,
    /// The values of a choice.
    pub choices: Vec<String>,
    pub applies: Applies,
    /// Where set, nobody gives the value: it is put together from these.
    pub template: Option<String>,
}

/// What values of a field are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    #[default]
    String,
    Number,
    Date,
    Choice,
    Boolean,
    User,
    Team,
}

/// Where a field applies: everywhere, or where every list that is not empty has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Applies {
    /// Names of profiles.
    pub profiles: Vec<String>,
    /// Names of ACME directories.
    pub directories: Vec<String>,
    /// Names of teams.
    pub teams: Vec<String>,
}

impl Applies {
    /// Whether it applies to a request under this profile, in this directory, for this team.
    pub fn to(&self, profile: &str, directory: Option<&str>, team: Option<&str>) -> bool {
        let has = |list: &[String], name: Option<&str>| {
            list.is_empty() || name.is_some_and(|name| list.iter().any(|listed| listed == name))
        };
        has(&self.profiles, Some(profile))
            && has(&self.directories, directory)
            && has(&self.teams, team)
    }
}

/// What is wrong with a field's rules, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct FieldFault {
    /// The member at fault: `pattern`, `choices[2]`, with the character where there is one.
    pub place: String,
    pub message: String,
}

impl FieldFault {
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
        }
    }
}

/// A field's rules, read.
#[derive(Clone, Debug)]
pub struct Definition {
    pub name: String,
    pub label: String,
    pub required: bool,
    /// In normal form.
    pub default: Option<String>,
    pub applies: Applies,
    pub template: Option<Template>,
    check: Check,
}

#[derive(Clone, Debug)]
enum Check {
    Text {
        pattern: Option<Regex>,
        min: usize,
        max: usize,
    },
    Number {
        min: Option<Decimal>,
        max: Option<Decimal>,
    },
    Date {
        min: Option<Date>,
        max: Option<Date>,
    },
    Choice(Vec<String>),
    Boolean,
    User,
    Team,
}

impl Definition {
    /// Reads the rules of a field; every fault is told. Who there is does not matter here: a
    /// default that names a person who left is no reason to forget the field.
    pub fn read(name: &str, spec: &FieldSpec) -> Result<Self, Vec<FieldFault>> {
        let mut faults = Vec::new();
        if !super::is_field_name(name) {
            faults.push(FieldFault::new(
                "name",
                "write a lower-case letter, then lower-case letters, digits and `_`, 63 at most",
            ));
        }
        check_lengths(spec, &mut faults);
        let check = Check::read(spec, &mut faults);
        let template = read_template(spec, &mut faults);
        let mut definition = Self {
            name: name.to_owned(),
            label: match spec.label.trim() {
                "" => name.to_owned(),
                label => label.to_owned(),
            },
            required: spec.required,
            default: None,
            applies: spec.applies.clone(),
            template,
            check,
        };
        match spec
            .default
            .as_deref()
            .map(|text| definition.normal(text, None))
        {
            None => {}
            Some(Ok(value)) => definition.default = Some(value),
            Some(Err(reason)) => faults.push(FieldFault::new("default", reason)),
        }
        match faults.is_empty() {
            true => Ok(definition),
            false => Err(faults),
        }
    }

    /// A value in its normal form, or why it is none. Without `people` any name of a user or a
    /// team is taken.
    pub fn normal(&self, text: &str, people: Option<&People>) -> Result<String, String> {
        let text = text.trim();
        let shown = || text.chars().take(80).collect::<String>();
        if text.is_empty() {
            return Err("is empty; leave it out where there is no value".to_owned());
        }
        if text.chars().count() > LONGEST {
            return Err(format!("is longer than {LONGEST} characters"));
        }
        if text.contains(char::is_control) {
            return Err("holds a control character; leave it out".to_owned());
        }
        let value = self.check.normal(text, people);
        value.map_err(|reason| format!("`{}` {reason}", shown()))
    }

    /// How it is told in messages: the label, and the name where that is another.
    pub fn title(&self) -> String {
        match self.label == self.name {
            true => format!("`{}`", self.name),
            false => format!("`{}` ({})", self.name, self.label),
        }
    }
}

impl Check {
    fn read(spec: &FieldSpec, faults: &mut Vec<FieldFault>) -> Self {
        refuse_misplaced(spec, faults);
        match spec.kind {
            FieldKind::String => {
                let (min, max) = bounds::<usize>(spec, faults, "a number of characters");
                Self::Text {
                    pattern: read_pattern(spec, faults),
                    min: min.unwrap_or(1),
                    max: max.unwrap_or(LONGEST).min(LONGEST),
                }
            }
            FieldKind::Number => {
                let (min, max) = bounds(spec, faults, "a number");
                Self::Number { min, max }
            }
            FieldKind::Date => {
                let (min, max) = bounds(spec, faults, "a date, like 2027-01-31");
                Self::Date { min, max }
            }
            FieldKind::Choice => Self::Choice(read_choices(spec, faults)),
            FieldKind::Boolean => Self::Boolean,
            FieldKind::User => Self::User,
            FieldKind::Team => Self::Team,
        }
    }

    fn normal(&self, text: &str, people: Option<&People>) -> Result<String, String> {
        match self {
            Self::Text { pattern, min, max } => {
                let length = text.chars().count();
                if length < *min || length > *max {
                    return Err(format!("has {length} characters; write {min} to {max}"));
                }
                match pattern {
                    Some(pattern) if !pattern.is_match(text) => {
                        Err(format!("does not match the pattern {}", shown(pattern)))
                    }
                    Some(_) | None => Ok(text.to_owned()),
                }
            }
            Self::Number { min, max } => {
                let number: Decimal = text
                    .parse()
                    .map_err(|error: super::decimal::NoDecimal| error.to_string())?;
                within(number, *min, *max)
            }
            Self::Date { min, max } => within(read_date(text)?, *min, *max),
            Self::Choice(choices) => {
                let chosen = choices
                    .iter()
                    .find(|choice| choice.to_lowercase() == text.to_lowercase());
                chosen
                    .cloned()
                    .ok_or_else(|| format!("is none of {}", choices.join(", ")))
            }
            Self::Boolean => match text.to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Ok("true".to_owned()),
                "false" | "no" | "off" | "0" => Ok("false".to_owned()),
                _ => Err("is neither true nor false".to_owned()),
            },
            Self::User if people.is_some_and(People::has_no_users) => Ok(text.to_owned()),
            Self::User => named(people, text, People::user, "user"),
            Self::Team => named(people, text, People::team, "team"),
        }
    }
}

fn named(
    people: Option<&People>,
    text: &str,
    find: impl for<'a> Fn(&'a People, &str) -> Option<&'a str>,
    kind: &str,
) -> Result<String, String> {
    match people {
        None => Ok(text.to_owned()),
        Some(people) => find(people, text)
            .map(str::to_owned)
            .ok_or_else(|| format!("is no {kind} that there is")),
    }
}

fn within<T: PartialOrd + ToString>(
    value: T,
    min: Option<T>,
    max: Option<T>,
) -> Result<String, String> {
    match (min, max) {
        (Some(min), _) if value < min => Err(format!("is below {}", min.to_string())),
        (_, Some(max)) if value > max => Err(format!("is above {}", max.to_string())),
        _ => Ok(value.to_string()),
    }
}

fn read_date(text: &str) -> Result<Date, String> {
    let date: Option<Date> = text.parse().ok();
    date.filter(|date| date.year() > 0)
        .ok_or_else(|| "is no date; write it like 2027-01-31".to_owned())
}

/// A bound that a value of its kind can be compared with.
trait Bound: PartialOrd + Copy {
    fn read(text: &str) -> Option<Self>;
}

impl Bound for usize {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Bound for Decimal {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Bound for Date {
    fn read(text: &str) -> Option<Self> {
        read_date(text).ok()
    }
}

fn bounds<T: Bound>(
    spec: &FieldSpec,
    faults: &mut Vec<FieldFault>,
    what: &str,
) -> (Option<T>, Option<T>) {
    let mut read = |place: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        let bound = T::read(text.trim());
        if bound.is_none() {
            faults.push(FieldFault::new(place, format!("`{text}` is not {what}")));
        }
        bound
    };
    let (min, max) = (read("min", &spec.min), read("max", &spec.max));
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        faults.push(FieldFault::new(
            "max",
            "is below min, so that no value would fit",
        ));
    }
    (min, max)
}

/// Members that mean nothing for the kind are faults: somebody relies on them.
fn refuse_misplaced(spec: &FieldSpec, faults: &mut Vec<FieldFault>) {
    use FieldKind::{Choice, Date, Number, String};
    let has_bounds = matches!(spec.kind, String | Number | Date);
    let misplaced = [
        ("pattern", spec.pattern.is_some() && spec.kind != String),
        ("min", spec.min.is_some() && !has_bounds),
        ("max", spec.max.is_some() && !has_bounds),
        ("choices", !spec.choices.is_empty() && spec.kind != Choice),
    ];
    for (place, _) in misplaced
        .into_iter()
        .filter(|(_, is_misplaced)| *is_misplaced)
    {
        faults.push(FieldFault::new(
            place,
            "means nothing for a field of this kind; leave it out",
        ));
    }
}

fn read_choices(spec: &FieldSpec, faults: &mut Vec<FieldFault>) -> Vec<String> {
    if spec.choices.is_empty() {
        faults.push(FieldFault::new(
            "choices",
            "is empty, so that no value would fit; name at least one",
        ));
    }
    if spec.choices.len() > MOST_CHOICES {
        faults.push(FieldFault::new(
            "choices",
            format!("names more than {MOST_CHOICES}"),
        ));
    }
    let mut seen: Vec<String> = Vec::new();
    for (index, choice) in spec.choices.iter().enumerate() {
        let place = format!("choices[{index}]");
        let lower = choice.trim().to_lowercase();
        if lower.is_empty() || choice.chars().count() > LONGEST || choice.contains(char::is_control)
        {
            faults.push(FieldFault::new(
                place,
                format!("write 1 to {LONGEST} printable characters"),
            ));
        } else if seen.contains(&lower) {
            faults.push(FieldFault::new(
                place,
                format!("`{choice}` is there already; upper and lower case count as one"),
            ));
        }
        seen.push(lower);
    }
    spec.choices
        .iter()
        .map(|choice| choice.trim().to_owned())
        .collect()
}

/// A regular expression of bounded size, which matches in time linear in the value.
fn read_pattern(spec: &FieldSpec, faults: &mut Vec<FieldFault>) -> Option<Regex> {
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
            faults.push(pattern_fault(&error));
            None
        }
    }
}

fn pattern_fault(error: &regex::Error) -> FieldFault {
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
fn shown(pattern: &Regex) -> &str {
    let text = pattern.as_str();
    text.strip_prefix("^(?:")
        .and_then(|text| text.strip_suffix(")$"))
        .unwrap_or(text)
}

fn read_template(spec: &FieldSpec, faults: &mut Vec<FieldFault>) -> Option<Template> {
    let text = spec.template.as_deref()?;
    if spec.default.is_some() {
        faults.push(FieldFault::new(
            "default",
            "a field with a template is computed; write the one or the other",
        ));
    }
    match Template::parse(text) {
        Ok(template) => Some(template),
        Err(fault) => {
            let place = format!("template, character {}", fault.at);
            faults.push(FieldFault::new(place, fault.message));
            None
        }
    }
}

fn check_lengths(spec: &FieldSpec, faults: &mut Vec<FieldFault>) {
    let template = spec.template.as_deref().unwrap_or_default();
    let texts = [
        ("label", spec.label.as_str(), 100),
        ("description", spec.description.as_str(), 2_000),
        ("template", template, LONGEST),
    ];
    for (place, text, longest) in texts {
        if text.chars().count() > longest {
            faults.push(FieldFault::new(
                place,
                format!("is longer than {longest} characters"),
            ));
        }
        let is_control = |c: char| c.is_control() && !(place == "description" && c == '\n');
        if text.contains(is_control) {
            faults.push(FieldFault::new(
                place,
                "holds a control character; leave it out",
            ));
        }
    }
    for (place, list) in [
        ("applies.profiles", &spec.applies.profiles),
        ("applies.directories", &spec.applies.directories),
        ("applies.teams", &spec.applies.teams),
    ] {
        if list.len() > MOST_CHOICES {
            faults.push(FieldFault::new(
                place,
                format!("names more than {MOST_CHOICES}"),
            ));
        }
    }
}

/// Characters of a value, a choice, a pattern, a template. An index entry has to hold a value.
const LONGEST: usize = 500;
const MOST_CHOICES: usize = 1_000;
/// Octets that a compiled pattern may take.
const PATTERN_SIZE: usize = 256 * 1024;
/// What stands before the pattern in the parser's text.
const INDENT: usize = 4;
