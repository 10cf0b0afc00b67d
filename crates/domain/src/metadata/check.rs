//! The kinds of values, read from a field's rules: which texts are values, and in which normal form.

use jiff::civil::Date;
use regex::Regex;

use super::decimal::Decimal;
use super::definition::LONGEST;
use super::people::People;
use super::spec::{FieldFault, FieldKind, FieldSpec};
use super::{choices, pattern};

#[derive(Clone, Debug)]
pub(super) enum Check {
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

impl Check {
    pub(super) fn read(spec: &FieldSpec, faults: &mut Vec<FieldFault>) -> Self {
        refuse_misplaced(spec, faults);
        match spec.kind {
            FieldKind::String => {
                let (min, max) = bounds::<usize>(spec, faults, "a number of characters");
                Self::Text {
                    pattern: pattern::read(spec, faults),
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
            FieldKind::Choice => Self::Choice(choices::read(spec, faults)),
            FieldKind::Boolean => Self::Boolean,
            FieldKind::User => Self::User,
            FieldKind::Team => Self::Team,
        }
    }

    pub(super) fn normal(&self, text: &str, people: Option<&People>) -> Result<String, String> {
        match self {
            Self::Text { pattern, min, max } => {
                let length = text.chars().count();
                if length < *min || length > *max {
                    return Err(format!("has {length} characters; write {min} to {max}"));
                }
                match pattern {
                    Some(pattern) if !pattern.is_match(text) => Err(format!(
                        "does not match the pattern {}",
                        pattern::shown(pattern)
                    )),
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
