//! Revocation requests (RFC 8555 section 7.6).

use serde::{Deserialize, Serialize};

use super::base64url::Base64Url;

/// The body of a revokeCert request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The certificate in DER.
    pub certificate: Base64Url,
    /// A CRLReason code of RFC 5280 section 5.3.1. Any number is read, so that one that does not exist
    /// is answered with `badRevocationReason` rather than `malformed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn any_number_is_read_as_a_reason_and_nothing_else() {
        let read = |reason| {
            serde_json::from_value::<Revocation>(json!({"certificate": "MIIB", "reason": reason}))
        };
        for code in [-1, 0, 7, 11, 256] {
            assert_eq!(read(json!(code)).unwrap().reason, Some(code));
        }
        assert_eq!(read(json!(null)).unwrap().reason, None);
        assert!(read(json!("keyCompromise")).is_err());
        assert!(read(json!(1.5)).is_err());
    }
}
