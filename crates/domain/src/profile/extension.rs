//! Extensions that every certificate of a profile carries, besides those it has anyway.

use pki::certificate::{ExtensionValueError, ExtraExtension};
use serde::{Deserialize, Serialize};

/// An extension with its value in a text: `DER:0500`, `UTF8:text`, `IA5:text`, `PRINTABLE:text`,
/// `INTEGER:5`, `BOOLEAN:true`, `OID:1.2.3` or `NULL`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedExtension {
    /// The dotted object identifier.
    pub oid: String,
    #[serde(default)]
    pub critical: bool,
    pub value: String,
}

impl FixedExtension {
    /// The extension as it is written; an error says what is wrong with the value or the type.
    pub fn encode(&self) -> Result<ExtraExtension, ExtensionValueError> {
        ExtraExtension::from_text(&self.oid, self.critical, &self.value)
    }
}
