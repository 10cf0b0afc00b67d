//! CBOR (RFC 8949), as far as attestations use it: definite lengths, a few types, little depth.

use super::AttestationError;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Integer(i64),
    Octets(Vec<u8>),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    /// false, true, null
    Simple,
}

impl Value {
    /// Reads one value that is all there is.
    pub(super) fn read(octets: &[u8]) -> Result<Self, AttestationError> {
        let mut reader = Reader { rest: octets };
        let value = reader.value(0)?;
        match reader.rest.is_empty() {
            true => Ok(value),
            false => Err(AttestationError::Cbor("octets follow its end")),
        }
    }

    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value),
            Self::Integer(_) | Self::Octets(_) | Self::Text(_) | Self::List(_) | Self::Simple => {
                None
            }
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_octets(&self) -> Option<&[u8]> {
        match self {
            Self::Octets(octets) => Some(octets),
            _ => None,
        }
    }

    pub(super) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, AttestationError> {
        if depth > MAX_DEPTH {
            return Err(AttestationError::Cbor("it is nested too deeply"));
        }
        let first = self.take(1)?.first().copied().unwrap_or_default();
        let (kind, short) = (first >> 5, first & 0x1f);
        let argument = match short {
            0..=23 => u64::from(short),
            24..=27 => self.number(1 << (short - 24))?,
            _ => return Err(AttestationError::Cbor("a length is not definite")),
        };
        match kind {
            0 => integer(argument).map(Value::Integer),
            1 => integer(argument).map(|number| Value::Integer(-1 - number)),
            2 => Ok(Value::Octets(self.take(length(argument)?)?.to_vec())),
            3 => self.text(argument).map(Value::Text),
            4 => {
                let mut list = Vec::new();
                for _ in 0..count(argument)? {
                    list.push(self.value(depth + 1)?);
                }
                Ok(Value::List(list))
            }
            5 => self.map(argument, depth),
            7 if (20..=22).contains(&short) => Ok(Value::Simple),
            _ => Err(AttestationError::Cbor("a type is not used here")),
        }
    }

    fn map(&mut self, argument: u64, depth: usize) -> Result<Value, AttestationError> {
        let mut members: Vec<(String, Value)> = Vec::new();
        for _ in 0..count(argument)? {
            let name = match self.value(depth + 1)? {
                Value::Text(name) => name,
                _ => return Err(AttestationError::Cbor("a key of a map is no text")),
            };
            if members.iter().any(|(known, _)| *known == name) {
                return Err(AttestationError::Cbor("a key of a map is there twice"));
            }
            members.push((name, self.value(depth + 1)?));
        }
        Ok(Value::Map(members))
    }

    fn text(&mut self, argument: u64) -> Result<String, AttestationError> {
        let octets = self.take(length(argument)?)?;
        std::str::from_utf8(octets)
            .map(str::to_owned)
            .map_err(|_| AttestationError::Cbor("a text is not UTF-8"))
    }

    fn number(&mut self, octets: usize) -> Result<u64, AttestationError> {
        let octets = self.take(octets)?;
        Ok(octets
            .iter()
            .fold(0, |number, octet| number << 8 | u64::from(*octet)))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], AttestationError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(AttestationError::Cbor("it ends in the middle of a value"))?;
        self.rest = rest;
        Ok(taken)
    }
}

fn integer(argument: u64) -> Result<i64, AttestationError> {
    i64::try_from(argument).map_err(|_| AttestationError::Cbor("a number is too large"))
}

fn length(argument: u64) -> Result<usize, AttestationError> {
    usize::try_from(argument).map_err(|_| AttestationError::Cbor("a length is too large"))
}

fn count(argument: u64) -> Result<u64, AttestationError> {
    match argument {
        0..=MAX_ENTRIES => Ok(argument),
        _ => Err(AttestationError::Cbor("a list or map is too long")),
    }
}

const MAX_DEPTH: usize = 8;
const MAX_ENTRIES: u64 = 64;
