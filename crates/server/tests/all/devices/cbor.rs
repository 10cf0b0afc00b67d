//! CBOR as clients write attestation objects.

fn head(kind: u8, argument: usize) -> Vec<u8> {
    let kind = kind << 5;
    match argument {
        0..=23 => vec![kind | u8::try_from(argument).unwrap()],
        24..=0xff => vec![kind | 24, u8::try_from(argument).unwrap()],
        _ => {
            let length = u16::try_from(argument).unwrap().to_be_bytes();
            [&[kind | 25], length.as_slice()].concat()
        }
    }
}

pub fn text(text: &str) -> Vec<u8> {
    [head(3, text.len()), text.as_bytes().to_vec()].concat()
}

pub fn octets(octets: &[u8]) -> Vec<u8> {
    [head(2, octets.len()), octets.to_vec()].concat()
}

/// A negative number, as COSE names algorithms.
pub fn negative(number: usize) -> Vec<u8> {
    head(1, number - 1)
}

pub fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len()), items.concat()].concat()
}

pub fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut written = head(5, members.len());
    for (name, value) in members {
        written.extend(text(name));
        written.extend(value);
    }
    written
}

/// An attestation object.
pub fn object(format: &str, statement: &[(&str, Vec<u8>)]) -> Vec<u8> {
    map(&[("fmt", text(format)), ("attStmt", map(statement))])
}
