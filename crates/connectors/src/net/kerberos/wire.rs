//! What the messages of RFC 4120 are made of (section 5.2): names, times, and what is encrypted.

use pki::asn1::{DerError, Reader, Writer, tag};

use super::key::{EncryptionType, Key, Usage, WrongKey};

const GENERAL_STRING: u8 = 0x1b;
const NAME_USER: u32 = 1;
/// A service with an instance, as Windows calls it.
const NAME_SERVICE: u32 = 2;

/// The name of a user or of a service, without its realm, RFC 4120 section 6.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    kind: u32,
    parts: Vec<String>,
}

impl Principal {
    /// A user.
    pub fn user(name: &str) -> Self {
        Self::of(NAME_USER, name)
    }

    /// A service, as `HTTP/ca.example.org`.
    pub fn service(name: &str) -> Self {
        Self::of(NAME_SERVICE, name)
    }

    /// What gives tickets of a realm.
    pub(super) fn granting(realm: &str) -> Self {
        Self {
            kind: NAME_SERVICE,
            parts: vec![GRANTING.to_owned(), realm.to_owned()],
        }
    }

    fn of(kind: u32, name: &str) -> Self {
        let parts = name.split('/').map(str::to_owned).collect();
        Self { kind, parts }
    }

    /// The realm whose tickets this service gives, if it is one that does. It is looked for in DNS, so it has
    /// to be a name that stands there (RFC 4120 section 6.1).
    pub(super) fn granted_realm(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [service, realm] if service == GRANTING && is_domain(realm) => Some(realm),
            _ => None,
        }
    }

    /// Whether it names the same. The kind is a hint and no part of the name, and for Windows neither is case.
    pub(super) fn is(&self, other: &Self) -> bool {
        let pairs = self.parts.iter().zip(&other.parts);
        self.parts.len() == other.parts.len()
            && pairs
                .into_iter()
                .all(|(one, other)| one.eq_ignore_ascii_case(other))
    }

    /// What a password is salted with where the KDC does not say, RFC 4120 section 4.
    pub(super) fn salt(&self, realm: &str) -> String {
        format!("{realm}{}", self.parts.concat())
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            w.constructed(0, |w| w.small(self.kind));
            w.constructed(1, |w| {
                w.sequence(|w| self.parts.iter().for_each(|part| text(w, part)));
            });
        });
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        let mut sequence = reader.sequence()?;
        let kind = field(&mut sequence, 0)?.signed()?;
        let mut names = field(&mut sequence, 1)?.sequence()?;
        let mut parts = Vec::new();
        while !names.is_empty() {
            parts.push(read_text(&mut names)?);
        }
        Ok(Self {
            kind: u32::try_from(kind).unwrap_or_default(),
            parts,
        })
    }
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.parts.join("/"))
    }
}

const GRANTING: &str = "krbtgt";

fn is_domain(realm: &str) -> bool {
    let is_label = |label: &str| {
        let octets = label.bytes();
        !label.is_empty()
            && octets
                .into_iter()
                .all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
    };
    realm.len() < 256 && realm.split('.').all(is_label)
}

/// A KerberosString.
pub(super) fn text(w: &mut Writer, text: &str) {
    w.tlv(GENERAL_STRING, text.as_bytes());
}

/// Windows writes UTF-8 where RFC 4120 section 5.2.1 has ASCII.
pub(super) fn read_text(reader: &mut Reader<'_>) -> Result<String, DerError> {
    let octets = reader.expect(GENERAL_STRING)?.content;
    let text = std::str::from_utf8(octets).map_err(|_| DerError::Content("string"))?;
    Ok(text.to_owned())
}

/// What stands in `[number]`.
pub(super) fn field<'a>(reader: &mut Reader<'a>, number: u8) -> Result<Reader<'a>, DerError> {
    Ok(Reader::new(
        reader.expect(tag::constructed(number))?.content,
    ))
}

/// The same of what need not be there.
pub(super) fn optional_field<'a>(
    reader: &mut Reader<'a>,
    number: u8,
) -> Result<Option<Reader<'a>>, DerError> {
    let found = reader.optional(tag::constructed(number))?;
    Ok(found.map(|element| Reader::new(element.content)))
}

/// The SEQUENCE of a message, `[APPLICATION number]`, behind its version (5) and its type, which is the same
/// number. Both stand in fields from `first` on.
pub(super) fn message<'a>(der: &'a [u8], number: u8, first: u8) -> Result<Reader<'a>, DerError> {
    let mut sequence = Reader::single(der)?.open(application(number))?.sequence()?;
    let version = field(&mut sequence, first)?.small()?;
    let kind = field(&mut sequence, first + 1)?.small()?;
    match (version, kind) {
        (5, kind) if kind == u32::from(number) => Ok(sequence),
        _ => Err(DerError::Content("Kerberos message")),
    }
}

/// The identifier octet of `[APPLICATION number]`.
pub(super) const fn application(number: u8) -> u8 {
    0x60 | number
}

/// An EncryptedData of what is encrypted with a key of that kind.
pub(super) fn write_encrypted(w: &mut Writer, kind: i64, sealed: &[u8]) {
    w.sequence(|w| {
        w.constructed(0, |w| w.signed(kind));
        w.constructed(2, |w| w.octet_string(sealed));
    });
}

/// An EncryptedData.
#[derive(Clone, Debug)]
pub(super) struct Encrypted {
    kind: i64,
    octets: Vec<u8>,
}

impl Encrypted {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        let mut sequence = reader.sequence()?;
        let kind = field(&mut sequence, 0)?.signed()?;
        // The number of the key's version says nothing to us.
        optional_field(&mut sequence, 1)?;
        let octets = field(&mut sequence, 2)?.octet_string()?.to_vec();
        Ok(Self { kind, octets })
    }

    /// What kind of key it was made with, where that is one we have.
    pub(super) fn kind(&self) -> Option<EncryptionType> {
        EncryptionType::from_number(self.kind)
    }

    pub(super) fn open(
        &self,
        key: &Key,
        usage: Usage,
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, WrongKey> {
        match self.kind() {
            Some(kind) if kind == key.kind() => key.decrypt(usage, &self.octets),
            _ => Err(WrongKey),
        }
    }
}
