//! Why a JWS is refused, and which ACME problem says so.

use super::super::base64url::Base64UrlError;
use super::super::json::JsonError;
use super::super::jwk::{JwkError, KeyKind};
use super::super::problem::{Problem, ProblemType};
use super::{Algorithm, MacAlgorithm};

/// Why a JWS is refused. The texts go to the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// The JWS or its header is not the JSON it should be.
    #[error("the JWS {part} cannot be read: {error}")]
    Json {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        error: JsonError,
    },
    /// A part that is not canonical base64url.
    #[error("the JWS {part} is not base64url: {error}")]
    Encoding {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        error: Base64UrlError,
    },
    /// RFC 7515 section 4.1.11: an extension that must be understood, and we know none.
    #[error("the JWS header has `crit`, but no critical extension is supported")]
    Critical,
    /// RFC 8555 section 6.2: the unencoded payload option of RFC 7797 must not be used.
    #[error("the JWS header has `b64`; the payload must be base64url-encoded")]
    UnencodedPayload,
    /// A header without `alg`.
    #[error("the JWS header lacks `alg`")]
    AlgorithmMissing,
    /// `none`, a MAC, or an algorithm we do not know.
    #[error("the signature algorithm `{0}` is not accepted here")]
    AlgorithmRefused(String),
    /// An external account binding that is signed, not MACed (RFC 8555 section 7.3.4).
    #[error("the algorithm `{0}` is not accepted here: use HS256, HS384 or HS512")]
    MacRefused(String),
    /// An algorithm that belongs to another kind of key.
    #[error("the signature algorithm {algorithm} does not fit a key of kind {key}")]
    AlgorithmMismatch {
        /// The algorithm of the header.
        algorithm: Algorithm,
        /// The key's kind.
        key: KeyKind,
    },
    /// Both `jwk` and `kid`.
    #[error("the JWS header has both `jwk` and `kid`; exactly one is needed")]
    TwoKeys,
    /// Neither `jwk` nor `kid`.
    #[error("the JWS header lacks both `jwk` and `kid`; exactly one is needed")]
    NoKey,
    /// `kid` where only `jwk` makes sense.
    #[error("the JWS header must hold the key as `jwk`, not as `kid`")]
    JwkNeeded,
    /// `jwk` where only `kid` makes sense.
    #[error("the JWS header must name the key by `kid`, not hold it as `jwk`")]
    KidNeeded,
    /// The key itself is refused.
    #[error(transparent)]
    Key(#[from] JwkError),
    /// A request without `nonce`.
    #[error("the JWS header lacks `nonce`")]
    NonceMissing,
    /// RFC 8555 section 6.5.2: a nonce that is not base64url is malformed, not `badNonce`.
    #[error("the nonce is not base64url: {0}")]
    NonceEncoding(Base64UrlError),
    /// An inner JWS must not have a nonce (RFC 8555 sections 7.3.4 and 7.3.5).
    #[error("the inner JWS must not have a `nonce`")]
    InnerNonce,
    /// A header without `url`.
    #[error("the JWS header lacks `url`")]
    UrlMissing,
    /// RFC 8555 section 6.4: signed for another URL.
    #[error("the JWS is signed for `{signed}`, but was sent to `{requested}`")]
    UrlMismatch {
        /// The header's `url`.
        signed: String,
        /// The URL of the request.
        requested: String,
    },
    /// The signature does not verify.
    #[error("the JWS signature does not verify with this key")]
    Signature,
    /// The MAC does not verify.
    #[error("the MAC of the external account binding does not verify with the key named by `kid`")]
    Mac(MacAlgorithm),
}

impl JwsError {
    /// The problem document for this refusal.
    pub fn problem(&self) -> Problem {
        let kind = match self {
            Self::Key(error) => return error.problem(),
            Self::AlgorithmRefused(_) | Self::AlgorithmMismatch { .. } => {
                ProblemType::BadSignatureAlgorithm
            }
            Self::UrlMissing | Self::UrlMismatch { .. } | Self::Mac(_) => ProblemType::Unauthorized,
            Self::Json { .. }
            | Self::Encoding { .. }
            | Self::Critical
            | Self::UnencodedPayload
            | Self::AlgorithmMissing
            | Self::MacRefused(_)
            | Self::TwoKeys
            | Self::NoKey
            | Self::JwkNeeded
            | Self::KidNeeded
            | Self::NonceMissing
            | Self::NonceEncoding(_)
            | Self::InnerNonce
            | Self::Signature => ProblemType::Malformed,
        };
        Problem::new(kind, self.to_string())
    }
}
