//! OCSP, RFC 6960 with the nonce of RFC 9654: requests and responses, read and written.

mod answer;
mod cert_id;
mod request;
mod response;

pub use answer::{KnownStatus, OcspResponse, OcspResponseError, ResponderFault};
pub use cert_id::{CertId, OcspDigest, OcspIssuer};
pub use request::{OcspRequest, OcspRequestError};
pub use response::{
    CertStatus, ErrorStatus, ResponseContent, SingleResponse, error_response, sign,
};
