//! Just enough DER (X.690) to write a certificate request and an OCSP request without a library's overhead.

/// `SEQUENCE`.
pub const SEQUENCE: u8 = 0x30;
/// `SET`.
pub const SET: u8 = 0x31;
/// `INTEGER`.
pub const INTEGER: u8 = 0x02;
/// `BIT STRING`.
pub const BIT_STRING: u8 = 0x03;
/// `OCTET STRING`.
pub const OCTET_STRING: u8 = 0x04;
/// `[0]`, constructed.
pub const CONTEXT_0: u8 = 0xa0;
/// `[2] IMPLICIT IA5String`: `GeneralName.dNSName` (RFC 5280 section 4.2.1.6).
pub const DNS_NAME: u8 = 0x82;

/// One element: tag, length and `parts` one after the other.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    let octets = length.to_be_bytes();
    if length < 0x80 {
        out.extend_from_slice(octets.last_chunk::<1>().unwrap_or(&[0]));
    } else {
        let significant = octets.iter().skip_while(|&&octet| octet == 0);
        let count = significant.clone().count();
        out.push(0x80 | u8::try_from(count).unwrap_or(8));
        out.extend(significant);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A `BIT STRING` without unused bits.
pub fn bit_string(content: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], content])
}

/// Whether `haystack` contains `needle`.
pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    position(haystack, needle).is_some()
}

/// Where `needle` begins in `haystack`.
pub fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len().max(1))
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(element(OCTET_STRING, &[&[1, 2], &[3]]), [4, 3, 1, 2, 3]);
        assert_eq!(element(OCTET_STRING, &[]), [4, 0]);
        for (length, head) in [
            (127, vec![4, 0x7f]),
            (128, vec![4, 0x81, 0x80]),
            (256, vec![4, 0x82, 1, 0]),
        ] {
            let element = element(OCTET_STRING, &[&vec![0; length]]);
            assert!(element.starts_with(&head), "{length}");
            assert_eq!(element.len(), head.len() + length);
        }
    }
}
