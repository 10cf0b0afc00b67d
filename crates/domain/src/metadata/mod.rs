//! Custom metadata: fields that operators define once, and the values that every certificate
//! carries for them.
//!
//! A value is text in the normal form of its field's kind. Where the values of a request come
//! from is decided in one place, [`resolve()`], and told with the result.

mod changes;
mod check;
mod choices;
mod decimal;
mod definition;
mod fields;
mod pattern;
mod people;
mod resolve;
mod spec;
mod template;
mod values;

pub use changes::{Change, apply};
pub use definition::Definition;
pub use fields::{Circumstance, Fields, MAX_FIELDS};
pub use people::People;
pub use resolve::{Facts, Resolved, Source, Sources, resolve};
pub use spec::{Applies, Field, FieldFault, FieldKind, FieldSpec};
pub use template::{Reference, Template, TemplateFault};
pub use values::{Values, map_of_scalars, optional_scalar};

use crate::policy::{Fault, Violation};

/// A broken rule about one field.
fn violation(field: &str, message: impl Into<String>) -> Violation {
    let shown: String = field.chars().take(64).collect();
    Violation::new(format!("metadata.{shown}"), Fault::Request, message)
}

/// Whether a text can be the name of a field: a lower-case letter, then letters, digits and `_`.
pub fn is_field_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'_')
}

#[cfg(test)]
mod tests;
