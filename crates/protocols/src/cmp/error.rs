//! What is wrong with a message.

use pki::asn1::DerError;
use pki::crmf::CrmfError;
use pki::csr::CsrError;
use pki::key::PublicKeyError;
use pki::name::GeneralNameError;

use super::status::FailInfo;

/// Octets that are no message that is understood here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CmpError {
    /// More octets than any message needs.
    #[error("a CMP message of {0} octets is too large: at most {max} are read", max = super::MAX_OCTETS)]
    TooLarge(usize),
    /// Not DER, or not of the structure.
    #[error("the CMP message is malformed: {0}")]
    Der(#[from] DerError),
    /// Another version than those of RFC 4210 and RFC 9480.
    #[error("the CMP message has version {0}; versions 2 and 3 are spoken")]
    Version(i64),
    /// A name that cannot be read.
    #[error("the CMP message has a malformed name: {0}")]
    Name(#[from] GeneralNameError),
    /// A request for a certificate that is not taken.
    #[error(transparent)]
    Request(#[from] CsrError),
    /// A body that nobody here answers, or has asked for.
    #[error("a CMP message of this type is not answered here")]
    Body,
    /// More entries than a message sensibly has.
    #[error("the CMP message holds more than {0} {1}")]
    TooMany(usize, &'static str),
    /// Not exactly one entry where RFC 9483 has one.
    #[error("the CMP message must hold exactly one {0}")]
    NotOne(&'static str),
}

impl CmpError {
    /// The failure that the other side is told.
    pub fn fail_info(&self) -> FailInfo {
        match self {
            Self::Version(_) => FailInfo::UnsupportedVersion,
            Self::Request(error) => fail_info_of(error),
            Self::Der(_) | Self::Name(_) => FailInfo::BadDataFormat,
            Self::TooLarge(_) | Self::Body | Self::TooMany(..) | Self::NotOne(_) => {
                FailInfo::BadRequest
            }
        }
    }
}

fn fail_info_of(error: &CsrError) -> FailInfo {
    match error {
        CsrError::Signature(_) => FailInfo::BadPop,
        CsrError::Crmf(CrmfError::NoProof | CrmfError::ProofKind) => FailInfo::BadPop,
        CsrError::Crmf(CrmfError::NotAnAuthority) => FailInfo::NotAuthorized,
        CsrError::Crmf(CrmfError::NoKey) | CsrError::WeakKey(_) => FailInfo::BadCertTemplate,
        CsrError::PublicKey(PublicKeyError::Der(_)) => FailInfo::BadDataFormat,
        CsrError::PublicKey(_) | CsrError::Name(_) | CsrError::Duplicate(_) => {
            FailInfo::BadCertTemplate
        }
        CsrError::Algorithm(_) => FailInfo::BadAlg,
        CsrError::TooLarge(_) | CsrError::Der(_) | CsrError::Version(_) => FailInfo::BadDataFormat,
    }
}
