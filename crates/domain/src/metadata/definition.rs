//! A field's rules, read into what values are held against.

use super::check::Check;
use super::people::People;
use super::spec::{Applies, FieldFault, FieldSpec};
use super::template::Template;

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
pub(super) const LONGEST: usize = 500;
pub(super) const MOST_CHOICES: usize = 1_000;
