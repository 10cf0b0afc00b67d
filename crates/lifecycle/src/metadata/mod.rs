//! Custom metadata: its fields, where the values of a request come from, changes later.

pub mod change;
pub mod fields;
mod inherit;
pub mod issuers;
pub mod passed_on;

use std::sync::Arc;

use domain::metadata::{Fields, Values};
use pki::fingerprint::Fingerprint;

pub(crate) use inherit::Subject;

use crate::remembered::Remembered;

/// All fields, read.
pub(crate) type FieldCache = Remembered<(), Arc<Fields>>;

/// Names values by what they are, for changes that rely on nobody having changed them meanwhile.
pub fn version_of(values: &Values) -> i64 {
    let text: String = values
        .iter()
        .map(|(name, value)| format!("{}:{name}{}:{value}", name.len(), value.len()))
        .collect();
    let hash = Fingerprint::of(text.as_bytes()).0;
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    i64::from_be_bytes(first) & i64::MAX
}
