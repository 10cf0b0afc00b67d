//! Lists of tags, of which signatures and keys are made (RFC 6376 section 3.2).

use std::collections::BTreeMap;

/// Tags with their values, without the spaces around them.
pub(super) struct Tags<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Tags<'a> {
    /// Reads a list; `None` where it is none or names a tag twice.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let mut tags = BTreeMap::new();
        for part in text.split(';') {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            let (name, value) = part.split_once('=')?;
            if tags.insert(name.trim(), value.trim()).is_some() {
                return None;
            }
        }
        Some(Self(tags))
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    /// A value in base64, in which lines may be folded anywhere.
    pub(super) fn octets(&self, name: &str) -> Option<Vec<u8>> {
        let text: String = self.get(name)?.split_ascii_whitespace().collect();
        data_encoding::BASE64.decode(text.as_bytes()).ok()
    }
}
