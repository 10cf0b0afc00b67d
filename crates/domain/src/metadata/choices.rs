//! The values of a choice, read from a field's rules.

use super::definition::{LONGEST, MOST_CHOICES};
use super::spec::{FieldFault, FieldSpec};

pub(super) fn read(spec: &FieldSpec, faults: &mut Vec<FieldFault>) -> Vec<String> {
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
