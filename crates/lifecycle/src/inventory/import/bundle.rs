//! Uploads that are read as a whole: DER, PKCS #7, PKCS #12.

use domain::metadata::Values;
use pki::{pkcs7, pkcs12};
use secrecy::SecretString;

use super::{BundleForm, Piece};

/// The parts of a bundle, or why it cannot be read. Takes long for PKCS #12: it is work for a thread.
pub fn read_bundle(
    form: BundleForm,
    octets: &[u8],
    password: &SecretString,
) -> Result<Vec<Piece>, String> {
    match form {
        BundleForm::Der => Ok(vec![piece(1, octets.to_vec())]),
        BundleForm::Pkcs7 => {
            let certificates = pkcs7::certificates(octets).map_err(|error| error.to_string())?;
            Ok(numbered(certificates.into_iter().map(<[u8]>::to_vec)))
        }
        BundleForm::Pkcs12 => {
            let contents = pkcs12::read_certificates(octets, password);
            let contents = contents.map_err(|error| error.to_string())?;
            let mut pieces = numbered(contents.certificates);
            if contents.secrets > 0 {
                pieces.push(Piece::Secrets(contents.secrets));
            }
            Ok(pieces)
        }
    }
}

fn numbered(certificates: impl IntoIterator<Item = Vec<u8>>) -> Vec<Piece> {
    let numbers = 1..;
    numbers
        .zip(certificates)
        .map(|(number, der)| piece(number, der))
        .collect()
}

fn piece(number: usize, der: Vec<u8>) -> Piece {
    Piece::Certificate {
        place: format!("certificate {number}"),
        der,
        metadata: Values::new(),
    }
}
