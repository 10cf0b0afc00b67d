//! PEM, RFC 7468: strict in what is written, a bundle in any common form in what is read.

use data_encoding::BASE64;

/// One encapsulated text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What stands between the dashes, such as `CERTIFICATE`.
    pub label: String,
    /// The decoded octets.
    pub der: Vec<u8>,
}

/// A text that is not PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// More octets than a bundle of certificates and keys can sensibly have.
    #[error("the PEM text has more than {MAX_TEXT} octets")]
    TooLarge,
    /// More blocks than a bundle can sensibly have.
    #[error("the PEM text has more than {MAX_BLOCKS} blocks")]
    TooMany,
    /// No block at all.
    #[error("there is no -----BEGIN …----- line in the text")]
    Empty,
    /// A block that does not end, or ends as another one.
    #[error("line {0}: the block has no END line of the same label")]
    Unterminated(usize),
    /// Something else than base64 inside a block.
    #[error("line {0}: the block is not base64")]
    Base64(usize),
}

const MAX_TEXT: usize = 4 * 1024 * 1024;
const MAX_BLOCKS: usize = 10_000;

/// The label of a certificate.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// The label of a PKCS#10 CSR.
pub const CERTIFICATE_REQUEST: &str = "CERTIFICATE REQUEST";
/// The label of an unencrypted PKCS#8 key.
pub const PRIVATE_KEY: &str = "PRIVATE KEY";
/// The label of a CRL.
pub const X509_CRL: &str = "X509 CRL";

/// One block: lines of 64 characters, each ended by a line feed.
pub fn encode(label: &str, der: &[u8]) -> String {
    let base64 = BASE64.encode(der);
    let mut text = String::with_capacity(base64.len() * 65 / 64 + 2 * label.len() + 40);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// A chain as ACME delivers it (RFC 8555 section 9.1): certificates one after another.
pub fn encode_chain<D: AsRef<[u8]>>(certificates: impl IntoIterator<Item = D>) -> String {
    certificates
        .into_iter()
        .map(|der| encode(CERTIFICATE, der.as_ref()))
        .collect()
}

/// All blocks of a text, in order. Text around the blocks, headers inside them and any line length
/// are tolerated. Takes time linear in the length.
pub fn decode(text: &[u8]) -> Result<Vec<Block>, PemError> {
    if text.len() > MAX_TEXT {
        return Err(PemError::TooLarge);
    }
    let mut lines = text
        .split(|octet| *octet == b'\n')
        .map(<[u8]>::trim_ascii)
        .zip(1..);
    let mut blocks = Vec::new();
    while let Some((line, number)) = lines.next() {
        let Some(label) = boundary(line, b"-----BEGIN ") else {
            continue;
        };
        if blocks.len() == MAX_BLOCKS {
            return Err(PemError::TooMany);
        }
        let mut base64 = Vec::new();
        loop {
            let (line, _) = lines.next().ok_or(PemError::Unterminated(number))?;
            match boundary(line, b"-----END ") {
                Some(end) if end == label => break,
                Some(_) => return Err(PemError::Unterminated(number)),
                // RFC 1421 headers, as old OpenSSL keys carry them
                None if line.contains(&b':') => (),
                None if line.starts_with(b"-----") => return Err(PemError::Unterminated(number)),
                None => base64.extend_from_slice(line),
            }
        }
        blocks.push(Block {
            label: String::from_utf8_lossy(label).into_owned(),
            der: BASE64
                .decode(&base64)
                .map_err(|_| PemError::Base64(number))?,
        });
    }
    if blocks.is_empty() {
        return Err(PemError::Empty);
    }
    Ok(blocks)
}

/// The DER of every block with this label.
pub fn decode_all(label: &str, text: &[u8]) -> Result<Vec<Vec<u8>>, PemError> {
    let blocks = decode(text)?;
    let wanted: Vec<_> = blocks
        .into_iter()
        .filter(|block| block.label == label)
        .map(|block| block.der)
        .collect();
    if wanted.is_empty() {
        return Err(PemError::Empty);
    }
    Ok(wanted)
}

fn boundary<'a>(line: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(prefix)?.strip_suffix(b"-----")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_block_has_lines_of_64_characters() {
        let text = encode("X509 CRL", &[0xa5; 49]);
        let lines: Vec<_> = text.lines().map(str::len).collect();
        assert_eq!(lines, [24, 64, 4, 22]);
    }

    #[test]
    fn a_bundle_with_comments_and_windows_lines_is_read() {
        let bundle = format!(
            "# our root\r\n{}\nsubject=CN = x\n{}",
            encode("CERTIFICATE", b"one").replace('\n', "\r\n"),
            encode("PRIVATE KEY", b"two"),
        );
        let blocks = decode(bundle.as_bytes()).unwrap();
        assert_eq!(blocks[0].der, b"one");
        assert_eq!(blocks[1].label, "PRIVATE KEY");
        assert_eq!(
            decode_all(CERTIFICATE, bundle.as_bytes()).unwrap(),
            [b"one"]
        );
    }

    #[rstest]
    #[case::nothing("", PemError::Empty)]
    #[case::no_end("-----BEGIN X-----\nAAAA\n", PemError::Unterminated(1))]
    #[case::other_end("\n-----BEGIN X-----\n-----END Y-----\n", PemError::Unterminated(2))]
    #[case::nested("-----BEGIN X-----\n-----BEGIN X-----\n", PemError::Unterminated(1))]
    #[case::not_base64("-----BEGIN X-----\n?AAA\n-----END X-----", PemError::Base64(1))]
    fn a_broken_text_is_refused_with_its_line(#[case] text: &str, #[case] error: PemError) {
        assert_eq!(decode(text.as_bytes()), Err(error));
    }

    #[test]
    fn an_oversized_text_is_refused_unread() {
        assert_eq!(decode(&vec![b'\n'; MAX_TEXT + 1]), Err(PemError::TooLarge));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(der in proptest::collection::vec(any::<u8>(), 0..300)) {
            let blocks = decode(encode("CERTIFICATE", &der).as_bytes()).unwrap();
            prop_assert_eq!(&blocks[0].der, &der);
        }

        #[test]
        fn any_octets_are_read_without_a_panic(octets: Vec<u8>) {
            let _ = decode(&octets);
        }
    }
}
