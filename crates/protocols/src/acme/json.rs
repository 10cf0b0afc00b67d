//! Strict reading of JSON from strangers: bounded in size, depth and members, and no member twice.
//!
//! A first pass over the octets checks the bounds without building anything, a second one fills the type.
//! Duplicate members matter because two readers of one document may each pick another of the two.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// How much of a document is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of the whole document.
    pub octets: usize,
    /// Nested objects and arrays.
    pub depth: usize,
    /// Object members and array elements, counted over the whole document.
    pub members: usize,
}

impl Limits {
    /// What an ACME request may hold; the largest honest one, a finalize with 100 names, is under 20 kB.
    pub const ACME: Self = Self {
        octets: 50_000,
        depth: 32,
        members: 1_000,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::ACME
    }
}

/// Why a document was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// More octets than [`Limits::octets`].
    #[error("the JSON document has {octets} octets, at most {limit} are accepted")]
    TooLarge {
        /// Octets received.
        octets: usize,
        /// Octets accepted.
        limit: usize,
    },
    /// Deeper than [`Limits::depth`].
    #[error("the JSON document is nested deeper than {limit} levels")]
    TooDeep {
        /// Levels accepted.
        limit: usize,
    },
    /// More members and elements than [`Limits::members`].
    #[error("the JSON document has more than {limit} members")]
    TooManyMembers {
        /// Members accepted.
        limit: usize,
    },
    /// RFC 7515 section 4: header parameter names must be unique; we ask it of every object.
    #[error("the JSON object has the member `{0}` twice")]
    DuplicateMember(String),
    /// Every document and every structure within is an object; a list is not read in its place.
    #[error("a JSON object is expected here")]
    NotAnObject,
    /// Not JSON, or not the JSON that belongs here.
    #[error("not the JSON that is expected here: {0}")]
    Invalid(String),
}

/// Reads a document, which must be an object, within [`Limits::ACME`].
pub fn read<T: DeserializeOwned>(octets: &[u8]) -> Result<T, JsonError> {
    read_within(octets, Limits::ACME)
}

/// Reads a document, which must be an object, within the given limits.
pub fn read_within<T: DeserializeOwned>(octets: &[u8], limits: Limits) -> Result<T, JsonError> {
    check(octets, limits)?;
    if !octets.trim_ascii_start().starts_with(b"{") {
        return Err(JsonError::NotAnObject);
    }
    serde_json::from_slice(octets).map_err(|error| JsonError::Invalid(error.to_string()))
}

/// Reads a nested structure from an object only: serde by itself would also take `["dns", "a.example"]`
/// for `{"type": "dns", "value": "a.example"}`. For use with `deserialize_with`.
pub(crate) fn object<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(de::value::MapAccessDeserializer::new(members))
    }
}

/// Checks the bounds and the uniqueness of members without keeping anything of the document.
pub fn check(octets: &[u8], limits: Limits) -> Result<(), JsonError> {
    if octets.len() > limits.octets {
        return Err(JsonError::TooLarge {
            octets: octets.len(),
            limit: limits.octets,
        });
    }
    let scan = Scan {
        limits,
        members: Cell::new(0),
        refusal: RefCell::new(None),
    };
    let mut reader = serde_json::Deserializer::from_slice(octets);
    Value {
        scan: &scan,
        depth: 0,
    }
    .deserialize(&mut reader)
    .and_then(|()| reader.end())
    .map_err(|error| {
        let refusal = scan.refusal.take();
        refusal.unwrap_or_else(|| JsonError::Invalid(error.to_string()))
    })
}

/// What one pass counts, and the typed reason should it stop.
struct Scan {
    limits: Limits,
    members: Cell<usize>,
    refusal: RefCell<Option<JsonError>>,
}

impl Scan {
    fn refuse<E: de::Error>(&self, reason: JsonError) -> E {
        let text = E::custom(&reason);
        self.refusal.replace(Some(reason));
        text
    }

    fn count_member<E: de::Error>(&self) -> Result<(), E> {
        let limit = self.limits.members;
        self.members.set(self.members.get().saturating_add(1));
        if self.members.get() > limit {
            return Err(self.refuse(JsonError::TooManyMembers { limit }));
        }
        Ok(())
    }
}

/// Any JSON value at some depth.
#[derive(Clone, Copy)]
struct Value<'s> {
    scan: &'s Scan,
    depth: usize,
}

impl Value<'_> {
    fn inner<E: de::Error>(self) -> Result<Self, E> {
        let limit = self.scan.limits.depth;
        if self.depth >= limit {
            return Err(self.scan.refuse(JsonError::TooDeep { limit }));
        }
        Ok(Self {
            scan: self.scan,
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while elements.next_element_seed(inner)?.is_some() {
            self.scan.count_member()?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        let mut names: Vec<Cow<'de, str>> = Vec::new();
        while let Some(Name(name)) = members.next_key()? {
            self.scan.count_member()?;
            names.push(name);
            members.next_value_seed(inner)?;
        }
        // Sorting keeps a thousand members at n log n; a hash map would cost more for the usual five.
        names.sort_unstable();
        match names.array_windows().find(|[one, next]| one == next) {
            Some([name, _]) => Err(self
                .scan
                .refuse(JsonError::DuplicateMember(name.to_string()))),
            None => Ok(()),
        }
    }
}

/// A member's name after unescaping, borrowed from the document where it holds no escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::Value as Json;

    #[rstest]
    #[case(r#"{"a":1,"a":2}"#, "a")]
    #[case(r#"{"a":1,"b":2,"\u0061":3}"#, "a")]
    #[case(r#"{"l":[{"x":{"k":1,"m":0,"k":1}}]}"#, "k")]
    #[case(r#"{"":1,"":1}"#, "")]
    fn p03_a_member_given_twice_is_refused(#[case] document: &str, #[case] member: &str) {
        assert_eq!(
            read::<Json>(document.as_bytes()),
            Err(JsonError::DuplicateMember(member.to_owned()))
        );
    }

    #[test]
    fn the_same_member_in_two_objects_is_no_duplicate() {
        assert!(read::<Json>(br#"{"b":[{"a":{"a":1}},{"a":2}]}"#).is_ok());
    }

    #[test]
    fn n06_nesting_ends_at_the_limit() {
        let nested = |levels: usize| r#"{"a":"#.repeat(levels) + "0" + &"}".repeat(levels);
        assert!(read::<Json>(nested(32).as_bytes()).is_ok());
        assert_eq!(
            read::<Json>(nested(33).as_bytes()),
            Err(JsonError::TooDeep { limit: 32 })
        );
        assert_eq!(
            check("[".repeat(49_000).as_bytes(), Limits::ACME),
            Err(JsonError::TooDeep { limit: 32 })
        );
    }

    #[test]
    fn n06_members_and_elements_share_one_budget() {
        let many = |count: usize| format!(r#"{{"list":[0{}]}}"#, ",0".repeat(count - 2));
        assert!(read::<Json>(many(1_000).as_bytes()).is_ok());
        assert_eq!(
            read::<Json>(many(1_001).as_bytes()),
            Err(JsonError::TooManyMembers { limit: 1_000 })
        );
    }

    #[test]
    fn n06_a_large_body_is_refused_before_it_is_read() {
        assert_eq!(
            read::<Json>(&[b'{'; 50_001]),
            Err(JsonError::TooLarge {
                octets: 50_001,
                limit: 50_000
            })
        );
    }

    #[rstest]
    #[case("")]
    #[case("{} {}")]
    #[case("{\"a\":1,}")]
    #[case("{'a':1}")]
    #[case("\u{feff}{}")]
    #[case("{\"a\":NaN}")]
    #[case("{\"a\":\"\\ud800\"}")]
    #[case("// comment\n{}")]
    fn what_is_not_json_is_refused(#[case] document: &str) {
        assert!(matches!(
            read::<Json>(document.as_bytes()),
            Err(JsonError::Invalid(_))
        ));
    }

    #[test]
    fn text_that_is_not_utf8_is_refused() {
        assert!(matches!(
            read::<Json>(b"{\"a\":\"\xff\"}"),
            Err(JsonError::Invalid(_))
        ));
    }

    #[rstest]
    #[case("[]")]
    #[case(" [{}]")]
    #[case("\"text\"")]
    #[case("1")]
    #[case("null")]
    fn a_document_is_an_object(#[case] document: &str) {
        assert_eq!(
            read::<Json>(document.as_bytes()),
            Err(JsonError::NotAnObject)
        );
    }

    proptest! {
        #[test]
        fn n07_no_octets_make_the_reader_panic(octets: Vec<u8>) {
            let _ = read::<Json>(&octets);
        }

        #[test]
        fn n07_json_like_text_is_read_or_refused(text in r#"[\[\]{}",:a0\\ ]{0,64}"#) {
            let checked = check(text.as_bytes(), Limits::ACME).is_ok();
            let parsed = serde_json::from_str::<Json>(&text).is_ok();
            prop_assert!(!checked || parsed);
        }
    }
}
