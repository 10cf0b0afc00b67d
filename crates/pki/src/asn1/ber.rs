//! BER made into DER: what message formats allow (indefinite lengths, octet strings in pieces, long forms
//! of lengths) is brought into the one form that the reader takes, RFC 5652 section 5.2.

use super::{DerError, Writer, tag};

/// The same elements in definite, minimal lengths and with octet strings in one piece.
///
/// Values are not looked into: an INTEGER or BOOLEAN in another form than DER's is for the reader to refuse.
pub fn to_der(ber: &[u8]) -> Result<Vec<u8>, DerError> {
    let mut writer = Writer::with_capacity(ber.len());
    let mut rest = ber;
    element(&mut rest, &mut writer, 0)?;
    match rest.is_empty() {
        true => Ok(writer.finish()),
        false => Err(DerError::Trailing),
    }
}

/// Deeper than any message of certificates is nested.
const MAX_DEPTH: usize = 32;
const CONSTRUCTED: u8 = 0x20;
const CONSTRUCTED_OCTET_STRING: u8 = tag::OCTET_STRING | CONSTRUCTED;

/// The content of one element, and whether it runs until an end-of-contents marker.
enum Content<'a> {
    Definite(&'a [u8]),
    Indefinite,
}

fn element(rest: &mut &[u8], writer: &mut Writer, depth: usize) -> Result<(), DerError> {
    if depth > MAX_DEPTH {
        return Err(DerError::Length);
    }
    let (tag, content) = header(rest)?;
    match content {
        Content::Definite(content) if tag & CONSTRUCTED == 0 => {
            writer.tlv(tag, content);
            Ok(())
        }
        Content::Indefinite if tag & CONSTRUCTED == 0 => Err(DerError::Length),
        content if tag == CONSTRUCTED_OCTET_STRING => {
            let mut pieces = Writer::new();
            children(rest, &content, &mut pieces, depth)?;
            writer.tlv(tag::OCTET_STRING, &joined(&pieces.finish())?);
            Ok(())
        }
        content => {
            let mut inner = Writer::new();
            children(rest, &content, &mut inner, depth)?;
            writer.tlv(tag, &inner.finish());
            Ok(())
        }
    }
}

fn children(
    rest: &mut &[u8],
    content: &Content<'_>,
    writer: &mut Writer,
    depth: usize,
) -> Result<(), DerError> {
    match content {
        Content::Definite(content) => {
            let mut content = *content;
            while !content.is_empty() {
                element(&mut content, writer, depth + 1)?;
            }
            Ok(())
        }
        Content::Indefinite => loop {
            if let Some(after) = rest.strip_prefix(&[0, 0]) {
                *rest = after;
                return Ok(());
            }
            element(rest, writer, depth + 1)?;
        },
    }
}

fn header<'a>(rest: &mut &'a [u8]) -> Result<(u8, Content<'a>), DerError> {
    let [tag, first, after @ ..] = *rest else {
        return Err(DerError::Truncated);
    };
    if tag & 0x1f == 0x1f {
        return Err(DerError::Tag {
            expected: tag & 0xe0,
            found: *tag,
        });
    }
    let count = usize::from(first & 0x7f);
    let (length, after) = match first {
        0x80 => {
            *rest = after;
            return Ok((*tag, Content::Indefinite));
        }
        0..0x80 => (count, after),
        _ => {
            let (octets, after) = after.split_at_checked(count).ok_or(DerError::Truncated)?;
            let significant = octets.iter().skip_while(|octet| **octet == 0);
            if significant.clone().count() > 4 {
                return Err(DerError::Length);
            }
            let length = significant.fold(0, |length, octet| length << 8 | usize::from(*octet));
            (length, after)
        }
    };
    let (content, after) = after.split_at_checked(length).ok_or(DerError::Truncated)?;
    *rest = after;
    Ok((*tag, Content::Definite(content)))
}

/// The octets of an octet string that came in pieces; each is an octet string itself.
pub(crate) fn joined(pieces: &[u8]) -> Result<Vec<u8>, DerError> {
    let mut reader = super::Reader::new(pieces);
    let mut octets = Vec::with_capacity(pieces.len());
    while !reader.is_empty() {
        octets.extend_from_slice(reader.octet_string()?);
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn der_stays_as_it_is() {
        let der = Writer::encode(|w| {
            w.sequence(|w| {
                w.small(3);
                w.octet_string(&[7; 200]);
                w.constructed(0, |w| w.null());
            });
        });
        assert_eq!(to_der(&der).unwrap(), der);
    }

    #[test]
    fn indefinite_lengths_and_pieces_become_der() {
        let ber = [
            0x30, 0x80, 0x24, 0x80, 0x04, 0x02, 1, 2, 0x04, 0x81, 0x01, 3, 0, 0, 0x05, 0x00, 0, 0,
        ];
        assert_eq!(to_der(&ber).unwrap(), [0x30, 7, 4, 3, 1, 2, 3, 5, 0]);
    }

    #[test]
    fn what_does_not_end_or_goes_too_deep_is_refused() {
        assert_eq!(to_der(&[0x30, 0x80, 5, 0]), Err(DerError::Truncated));
        assert_eq!(to_der(&[0x04, 0x80, 0, 0]), Err(DerError::Length));
        assert_eq!(to_der(&[0x05, 0, 0]), Err(DerError::Trailing));
        assert_eq!(to_der(&[0x30, 0x80].repeat(40)), Err(DerError::Length));
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_a_panic(octets: Vec<u8>) {
            let _ = to_der(&octets);
        }
    }
}
