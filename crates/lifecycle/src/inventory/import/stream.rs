//! Uploads that are read as they come: PEM, and lines of JSON. No more of them is kept than one part.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::metadata::Values;
use pki::pem;
use serde::Deserialize;

use super::Piece;

/// Forms of uploads of any length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamForm {
    /// PEM blocks, with any text between them.
    Pem,
    /// One JSON object in each line: `{"certificate": "<PEM or base64 DER>", "metadata": {…}}`.
    Lines,
}

/// Why an upload cannot be read on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamFault {
    #[error("line {line}: one part of the upload has more than {MAX_PART} octets")]
    TooLarge { line: usize },
    #[error("line {line}: the block that begins here does not end")]
    Unterminated { line: usize },
}

/// One certificate with all that surrounds it has less.
const MAX_PART: usize = 512 * 1024;

/// Takes an upload apart, piece by piece.
pub struct Splitter {
    form: StreamForm,
    /// The beginning of a line whose end has not come yet.
    rest: Vec<u8>,
    /// The lines of a block whose end has not come yet, and the number of its first.
    block: Option<(usize, Vec<u8>)>,
    line: usize,
    pieces: Vec<Piece>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    certificate: String,
    #[serde(default)]
    metadata: Values,
}

impl Splitter {
    pub fn new(form: StreamForm) -> Self {
        Self {
            form,
            rest: Vec::new(),
            block: None,
            line: 0,
            pieces: Vec::new(),
        }
    }

    /// How many whole pieces there are.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there is no whole piece.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The whole pieces there are.
    pub fn take(&mut self) -> Vec<Piece> {
        std::mem::take(&mut self.pieces)
    }

    /// Reads what came next.
    pub fn push(&mut self, octets: &[u8]) -> Result<(), StreamFault> {
        for part in octets.split_inclusive(|octet| *octet == b'\n') {
            let held = self.block.as_ref().map_or(0, |(_, block)| block.len());
            if self.rest.len() + held + part.len() > MAX_PART {
                return Err(StreamFault::TooLarge {
                    line: self.line + 1,
                });
            }
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.end_line();
            }
        }
        Ok(())
    }

    /// Reads to the end.
    pub fn finish(&mut self) -> Result<(), StreamFault> {
        if !self.rest.is_empty() {
            self.end_line();
        }
        match self.block.take() {
            None => Ok(()),
            Some((line, _)) => Err(StreamFault::Unterminated { line }),
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.rest);
        self.line += 1;
        match self.form {
            StreamForm::Pem => self.pem_line(&line),
            StreamForm::Lines => self.json_line(&line),
        }
    }

    fn pem_line(&mut self, line: &[u8]) {
        let trimmed = line.trim_ascii();
        if trimmed.starts_with(b"-----BEGIN ") {
            // A block within a block: the first one is read, and found broken, as far as it goes.
            if let Some((line, block)) = self.block.replace((self.line, line.to_vec())) {
                self.pem_block(line, &block);
            }
            return;
        }
        let Some((first, block)) = &mut self.block else {
            return;
        };
        block.extend_from_slice(line);
        if trimmed.starts_with(b"-----END ") {
            let (first, block) = (*first, std::mem::take(block));
            self.block = None;
            self.pem_block(first, &block);
        }
    }

    fn pem_block(&mut self, line: usize, text: &[u8]) {
        let place = format!("line {line}");
        let blocks = match pem::decode(text) {
            Ok(blocks) => blocks,
            Err(error) => {
                let reason = error.to_string();
                self.pieces.push(Piece::Broken { place, reason });
                return;
            }
        };
        for block in blocks {
            self.pieces.extend(of_block(&place, &block));
        }
    }

    fn json_line(&mut self, line: &[u8]) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        let place = format!("line {}", self.line);
        let piece = match serde_json::from_slice::<Line>(line) {
            Err(error) => Err(error.to_string()),
            Ok(line) => certificate_of(&line.certificate).map(|der| (der, line.metadata)),
        };
        self.pieces.push(match piece {
            Ok((der, metadata)) => Piece::Certificate {
                place,
                der,
                metadata,
            },
            Err(reason) => Piece::Broken { place, reason },
        });
    }
}

fn of_block(place: &str, block: &pem::Block) -> Vec<Piece> {
    let certificate = |der: &[u8]| Piece::Certificate {
        place: place.to_owned(),
        der: der.to_vec(),
        metadata: Values::new(),
    };
    let broken = |reason: String| {
        vec![Piece::Broken {
            place: place.to_owned(),
            reason,
        }]
    };
    match block.label.as_str() {
        pem::CERTIFICATE | "X509 CERTIFICATE" => vec![certificate(&block.der)],
        "PKCS7" => match pki::pkcs7::certificates(&block.der) {
            Ok(certificates) => certificates.into_iter().map(certificate).collect(),
            Err(error) => broken(error.to_string()),
        },
        label if label.ends_with("PRIVATE KEY") => vec![Piece::Secrets(1)],
        label => broken(format!("a block `{label}` is no certificate")),
    }
}

fn certificate_of(text: &str) -> Result<Vec<u8>, String> {
    if text.contains("-----BEGIN") {
        let blocks = pem::decode_all(pem::CERTIFICATE, text.as_bytes());
        let mut blocks = blocks.map_err(|error| error.to_string())?;
        return match (blocks.pop(), blocks.is_empty()) {
            (Some(der), true) => Ok(der),
            _ => Err("a line holds one certificate; put each into a line of its own".to_owned()),
        };
    }
    let text: String = text.split_ascii_whitespace().collect();
    STANDARD
        .decode(text)
        .map_err(|_| "`certificate` is neither PEM nor base64".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(form: StreamForm, text: &str, step: usize) -> Result<Vec<Piece>, StreamFault> {
        let mut splitter = Splitter::new(form);
        for part in text.as_bytes().chunks(step) {
            splitter.push(part)?;
        }
        splitter.finish()?;
        Ok(splitter.take())
    }

    fn certificate(place: &str, der: &[u8]) -> Piece {
        Piece::Certificate {
            place: place.to_owned(),
            der: der.to_vec(),
            metadata: Values::new(),
        }
    }

    #[test]
    fn pem_is_read_however_it_is_cut() {
        let text = format!(
            "# comment\r\n{}key:\n{}{}",
            pem::encode(pem::CERTIFICATE, b"one"),
            pem::encode("EC PRIVATE KEY", b"secret"),
            pem::encode(pem::CERTIFICATE, b"two").trim_end(),
        );
        for step in [1, 7, 64, 10_000] {
            assert_eq!(
                split(StreamForm::Pem, &text, step).unwrap(),
                [
                    certificate("line 2", b"one"),
                    Piece::Secrets(1),
                    certificate("line 9", b"two"),
                ]
            );
        }
    }

    #[test]
    fn what_is_broken_in_pem_is_named_with_its_line_and_the_rest_is_read() {
        let text = format!(
            "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n{}{}",
            pem::encode("X509 CRL", b"x"),
            pem::encode(pem::CERTIFICATE, b"one"),
        );
        let pieces = split(StreamForm::Pem, &text, 100).unwrap();
        let places: Vec<&str> = pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Broken { place, .. } => Some(place.as_str()),
                Piece::Certificate { .. } | Piece::Secrets(_) => None,
            })
            .collect();
        assert_eq!(places, ["line 1", "line 4"]);
        assert_eq!(pieces.len(), 3);
        assert_eq!(
            split(StreamForm::Pem, "\n-----BEGIN CERTIFICATE-----\nAAAA\n", 9),
            Err(StreamFault::Unterminated { line: 2 })
        );
    }

    #[test]
    fn lines_carry_metadata_of_their_own() {
        let text = "{\"certificate\": \"b25l\", \"metadata\": {\"a\": \"b\"}}\n\n{\"x\": 1}\n";
        let pieces = split(StreamForm::Lines, text, 5).unwrap();
        assert_eq!(
            pieces[0],
            Piece::Certificate {
                place: "line 1".to_owned(),
                der: b"one".to_vec(),
                metadata: Values::from([("a".to_owned(), "b".to_owned())]),
            }
        );
        assert!(matches!(&pieces[1], Piece::Broken { place, .. } if place == "line 3"));
    }

    #[test]
    fn a_part_without_end_is_not_gathered() {
        let endless = "A".repeat(MAX_PART + 1);
        for form in [StreamForm::Pem, StreamForm::Lines] {
            assert_eq!(
                split(form, &endless, 4096),
                Err(StreamFault::TooLarge { line: 1 })
            );
        }
    }
}
