//! The request that turns a ready order into a certificate (RFC 8555 section 7.4).

use serde::{Deserialize, Serialize};

use super::base64url::Base64Url;

/// The body of a finalize request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finalize {
    /// The PKCS#10 request in DER; PEM is not base64url and is refused.
    pub csr: Base64Url,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n")]
    #[case("MIIB+/==")]
    #[case("MIIBxw==")]
    fn a_csr_that_is_not_base64url_is_refused(#[case] csr: &str) {
        assert!(serde_json::from_value::<Finalize>(json!({"csr": csr})).is_err());
        assert!(serde_json::from_value::<Finalize>(json!({"csr": "MIIB"})).is_ok());
    }
}
