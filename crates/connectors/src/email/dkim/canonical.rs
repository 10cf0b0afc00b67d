//! A mail's fields and body in the forms that are signed (RFC 6376 section 3.4).

/// The fields of a mail, and where its body begins.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    /// Each with its name, and whole as it stands, without the line's end.
    fields: Vec<(&'a [u8], &'a [u8])>,
    pub(super) body: &'a [u8],
}

/// How spaces and lines are written before they are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Canonical {
    Simple,
    Relaxed,
}

impl<'a> Fields<'a> {
    /// Reads the fields of a mail with CRLF; `None` where it has none.
    pub fn read(mail: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::new();
        let mut rest = mail;
        loop {
            if let Some(body) = rest.strip_prefix(b"\r\n") {
                rest = body;
                break;
            }
            if rest.is_empty() {
                break;
            }
            let end = end_of_field(rest);
            let (field, after) = rest.split_at(end);
            let colon = field.iter().position(|octet| *octet == b':')?;
            fields.push((field[..colon].trim_ascii_end(), field));
            if fields.len() > MAX_FIELDS {
                return None;
            }
            rest = after.strip_prefix(b"\r\n").unwrap_or(after);
        }
        (!fields.is_empty()).then_some(Self { fields, body: rest })
    }

    /// The fields of a name, the last first: signatures take them from the bottom.
    pub(super) fn named<'s>(&'s self, name: &'s [u8]) -> impl Iterator<Item = &'a [u8]> + 's {
        let all = self.fields.iter().rev();
        all.filter(|(one, _)| one.eq_ignore_ascii_case(name))
            .map(|(_, field)| *field)
    }

    /// How many fields of a name there are.
    pub fn count(&self, name: &str) -> usize {
        self.named(name.as_bytes()).count()
    }
}

/// Where a field ends: at the first end of line that no space or tab follows.
fn end_of_field(octets: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = find(&octets[at..], b"\r\n") {
        let next = at + found + 2;
        match octets.get(next) {
            Some(b' ' | b'\t') => at = next,
            _ => return at + found,
        }
    }
    octets.len()
}

fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    octets.windows(what.len()).position(|window| window == what)
}

impl Canonical {
    /// A field as it is signed, with the end of its line.
    pub(super) fn field(self, field: &[u8]) -> Vec<u8> {
        let mut written = match self {
            Self::Simple => field.to_vec(),
            Self::Relaxed => {
                let colon = field.iter().position(|octet| *octet == b':');
                let (name, value) = field.split_at(colon.unwrap_or(field.len()));
                let mut written = name.trim_ascii_end().to_ascii_lowercase();
                written.push(b':');
                written.extend(relaxed(value.get(1..).unwrap_or_default()).trim_ascii());
                written
            }
        };
        written.extend(b"\r\n");
        written
    }

    /// The body as its digest is made of.
    pub(super) fn body(self, body: &[u8]) -> Vec<u8> {
        let mut written = match self {
            Self::Simple => body.to_vec(),
            Self::Relaxed => {
                let mut written = Vec::with_capacity(body.len());
                for line in lines(body) {
                    written.extend(relaxed(line).trim_ascii_end());
                    written.extend(b"\r\n");
                }
                written
            }
        };
        while written.ends_with(b"\r\n") {
            written.truncate(written.len() - 2);
        }
        // An empty body is nothing where it is relaxed, and one empty line where it is simple.
        if !written.is_empty() || self == Self::Simple {
            written.extend(b"\r\n");
        }
        written
    }
}

fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let octets = rest?;
        match find(octets, b"\r\n") {
            Some(end) => {
                rest = octets.get(end + 2..);
                octets.get(..end)
            }
            None => rest.take(),
        }
    })
}

/// Each run of spaces, tabs and folds as one space.
fn relaxed(octets: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(octets.len());
    for octet in octets {
        match octet {
            b' ' | b'\t' if written.last() == Some(&b' ') => {}
            b' ' | b'\t' => written.push(b' '),
            b'\r' | b'\n' => {}
            other => written.push(*other),
        }
    }
    written
}

const MAX_FIELDS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6376 section 3.4.5.
    const EXAMPLE: &[u8] = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";

    #[test]
    fn the_examples_of_the_rfc_come_out_as_there() {
        let fields = Fields::read(EXAMPLE).unwrap();
        let written = |canonical: Canonical| {
            let mut all = Vec::new();
            for name in [b"A", b"B"] {
                all.extend(canonical.field(fields.named(name).next().unwrap()));
            }
            (all, canonical.body(fields.body))
        };
        let relaxed = written(Canonical::Relaxed);
        assert_eq!(relaxed.0, b"a:X\r\nb:Y Z\r\n");
        assert_eq!(relaxed.1, b" C\r\nD E\r\n");
        let simple = written(Canonical::Simple);
        assert_eq!(simple.0, b"A: X\r\nB : Y\t\r\n\tZ  \r\n");
        assert_eq!(simple.1, b" C \r\nD \t E\r\n");
        assert_eq!(Canonical::Simple.body(b""), b"\r\n");
        assert_eq!(Canonical::Relaxed.body(b"\r\n\r\n"), b"");
    }
}
