//! Certificates of registration authorities that an entry point trusts, as operators give them.

use pki::certificate::Certificate;
use pki::pem;

/// Why a list of authorities is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("authorities: {0}")]
pub struct AuthoritiesFault(String);

/// Reads them: each one certificate in PEM.
pub(crate) fn read(texts: &[String]) -> Result<Vec<Certificate>, AuthoritiesFault> {
    let fault = |error: &dyn std::fmt::Display| AuthoritiesFault(error.to_string());
    if texts.len() > MAX_AUTHORITIES {
        return Err(fault(&format!("at most {MAX_AUTHORITIES} are kept")));
    }
    let mut all = Vec::new();
    for text in texts {
        let blocks = pem::decode_all(pem::CERTIFICATE, text.as_bytes()).map_err(|e| fault(&e))?;
        let [der] = blocks.as_slice() else {
            return Err(fault(&"each is one certificate in PEM"));
        };
        all.push(Certificate::from_der(der).map_err(|error| fault(&error))?);
    }
    Ok(all)
}

const MAX_AUTHORITIES: usize = 32;
