//! Transfer over HTTP, RFC 9811, and the names of operations in paths, RFC 9483 section 6.1.

use super::BodyKind;

/// The media type of requests and answers, RFC 9811 section 3.2.
pub const MEDIA_TYPE: &str = "application/pkixcmp";

/// The operation that a path may name behind the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// ir
    Initialization,
    /// cr
    Certification,
    /// kur
    KeyUpdate,
    /// p10cr
    Pkcs10,
    /// rr
    Revocation,
    /// genm for certificates of CAs
    GetCaCertificates,
    /// genm for the successor of a root
    GetRootUpdate,
    /// genm for the template of requests
    GetTemplate,
    /// genm for CRLs
    GetCrls,
    /// nested
    Nested,
}

impl Operation {
    /// The operation with that label.
    pub fn from_label(label: &str) -> Option<Self> {
        Some(match label {
            "initialization" => Self::Initialization,
            "certification" => Self::Certification,
            "keyupdate" => Self::KeyUpdate,
            "pkcs10" => Self::Pkcs10,
            "revocation" => Self::Revocation,
            "getcacerts" => Self::GetCaCertificates,
            "getrootupdate" => Self::GetRootUpdate,
            "getcertreqtemplate" => Self::GetTemplate,
            "getcrls" => Self::GetCrls,
            "nested" => Self::Nested,
            _ => return None,
        })
    }

    /// Whether a message of that kind may be sent there: what begins the operation, and what
    /// confirms or asks again in its course.
    pub fn takes(self, kind: BodyKind) -> bool {
        let begins = match self {
            Self::Initialization => BodyKind::InitializationRequest,
            Self::Certification => BodyKind::CertificationRequest,
            Self::KeyUpdate => BodyKind::KeyUpdateRequest,
            Self::Pkcs10 => BodyKind::Pkcs10Request,
            Self::Revocation => BodyKind::RevocationRequest,
            Self::GetCaCertificates | Self::GetRootUpdate | Self::GetTemplate | Self::GetCrls => {
                BodyKind::GeneralRequest
            }
            Self::Nested => BodyKind::Nested,
        };
        kind == begins
            || matches!(
                kind,
                BodyKind::CertificateConfirmation | BodyKind::PollRequest | BodyKind::Error
            )
    }
}
