//! Bodies: base64 of DER, whatever header says otherwise (RFC 8951 section 3.1).

use data_encoding::{BASE64, Encoding, Specification};
use std::sync::LazyLock;

/// A body that is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not base64 (RFC 4648 section 4) of DER")]
pub struct NotBase64;

/// The octets of a body: in lines, in one piece, or as PEM, which clients send as well.
///
/// RFC 8951 has clients send base64; a body that is DER as it stands is what the client meant, too.
pub fn decode(body: &[u8]) -> Result<Vec<u8>, NotBase64> {
    if body.first() == Some(&SEQUENCE) && !is_text(body) {
        return Ok(body.to_vec());
    }
    let text = std::str::from_utf8(body).map_err(|_| NotBase64)?;
    let lines: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    LENIENT.decode(lines.as_bytes()).map_err(|_| NotBase64)
}

/// A body in one piece, as RFC 8951 section 3.1 has it: some clients read no lines.
pub fn encode(der: &[u8]) -> String {
    BASE64.encode(der)
}

fn is_text(body: &[u8]) -> bool {
    body.iter()
        .all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace())
}

const SEQUENCE: u8 = 0x30;

static LENIENT: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification: Specification = BASE64.specification();
    specification.ignore.push_str(" \t\r\n");
    // Unwrap safety: the standard's own specification with white space to be passed over is one.
    specification
        .encoding()
        .expect("base64 that passes over white space is an encoding")
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_is_read_in_each_form_that_clients_send() {
        for body in [
            &b"MAMCAQU="[..],
            b"MAMC\r\nAQU=\r\n",
            b"-----BEGIN CERTIFICATE REQUEST-----\nMAMCAQU=\n-----END CERTIFICATE REQUEST-----\n",
            b"\x30\x03\x02\x01\x05",
        ] {
            assert_eq!(decode(body).unwrap(), b"\x30\x03\x02\x01\x05", "{body:?}");
        }
        assert_eq!(decode(b"MAMC*QU="), Err(NotBase64));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(der in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(decode(encode(&der).as_bytes()).unwrap(), der);
        }

        #[test]
        fn n07_any_octets_are_read_without_a_panic(octets: Vec<u8>) {
            let _ = decode(&octets);
        }
    }
}
