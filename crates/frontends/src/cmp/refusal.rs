//! Why a message is refused, as the other side is told.

use domain::enrolling::TermsRefusal;
use lifecycle::StoreError;
use lifecycle::cmp::{CmpRequestError, CmpRevokeError, ConfirmError, SenderError};
use lifecycle::issuance::{AdmitError, EnrollError};
use lifecycle::revocation::RevokeError;
use protocols::cmp::{Body, CmpError, FailInfo, ProtectionError, StatusInfo};

/// A failure and what a person needs to mend it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) failure: FailInfo,
    pub(super) text: String,
}

impl Refusal {
    pub(super) fn new(failure: FailInfo, text: impl Into<String>) -> Self {
        Self {
            failure,
            text: text.into(),
        }
    }

    pub(super) fn status(&self) -> StatusInfo {
        StatusInfo::rejection(self.failure, self.text.clone())
    }

    /// The message that says so.
    pub(super) fn body(&self) -> Body {
        Body::Error(self.status())
    }

    /// A fault of ours: logged here, and told in general terms.
    fn ours(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %error, "CMP request not answered");
        Self::new(
            FailInfo::SystemUnavail,
            "the server cannot answer now; try again later",
        )
    }
}

impl From<CmpError> for Refusal {
    fn from(error: CmpError) -> Self {
        Self::new(error.fail_info(), error.to_string())
    }
}

impl From<ProtectionError> for Refusal {
    fn from(error: ProtectionError) -> Self {
        Self::new(error.fail_info(), error.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::ours(&error)
    }
}

impl From<TermsRefusal> for Refusal {
    fn from(error: TermsRefusal) -> Self {
        Self::new(
            FailInfo::NotAuthorized,
            format!("the shared secret {error}"),
        )
    }
}

impl From<SenderError> for Refusal {
    fn from(error: SenderError) -> Self {
        match &error {
            SenderError::Store(error) => Self::ours(error),
            SenderError::Revoked => Self::new(FailInfo::CertRevoked, error.to_string()),
            SenderError::Stranger | SenderError::NotValid | SenderError::Usage => {
                Self::new(FailInfo::SignerNotTrusted, error.to_string())
            }
        }
    }
}

impl From<CmpRequestError> for Refusal {
    fn from(error: CmpRequestError) -> Self {
        let failure = match &error {
            CmpRequestError::Store(error) => return Self::ours(error),
            CmpRequestError::Enroll(error) => return enroll(error),
            CmpRequestError::NoSuchProfile(_) => FailInfo::UnacceptedPolicy,
            CmpRequestError::TransactionInUse => FailInfo::TransactionIdInUse,
            CmpRequestError::UpdateUnsigned => FailInfo::WrongIntegrity,
            CmpRequestError::OtherCertificate | CmpRequestError::NothingToUpdate => {
                FailInfo::BadCertId
            }
            CmpRequestError::NotTheSame(_) => FailInfo::BadCertTemplate,
            CmpRequestError::Secret(_)
            | CmpRequestError::CertificatesClosed
            | CmpRequestError::OtherName(_) => FailInfo::NotAuthorized,
        };
        Self::new(failure, error.to_string())
    }
}

fn enroll(error: &EnrollError) -> Refusal {
    match error {
        EnrollError::Admit(AdmitError::Rejected(_)) => {
            Refusal::new(FailInfo::BadCertTemplate, error.to_string())
        }
        EnrollError::Replaced(..) | EnrollError::BeingReplaced(..) => {
            Refusal::new(FailInfo::DuplicateCertReq, error.to_string())
        }
        EnrollError::Repeated | EnrollError::Settled => {
            Refusal::new(FailInfo::TransactionIdInUse, error.to_string())
        }
        EnrollError::PasswordUsed => Refusal::new(FailInfo::NotAuthorized, error.to_string()),
        EnrollError::Admit(
            AdmitError::Clock(_)
            | AdmitError::Route(_)
            | AdmitError::Prepare(_)
            | AdmitError::Store(_),
        )
        | EnrollError::Key(_)
        | EnrollError::Store(_) => Refusal::ours(error),
    }
}

impl From<CmpRevokeError> for Refusal {
    fn from(error: CmpRevokeError) -> Self {
        match &error {
            CmpRevokeError::Store(error) => Self::ours(error),
            CmpRevokeError::Revoke(error) => revoke(error),
            CmpRevokeError::Unsigned => Self::new(FailInfo::WrongIntegrity, error.to_string()),
            CmpRevokeError::OtherCertificate => {
                Self::new(FailInfo::NotAuthorized, error.to_string())
            }
        }
    }
}

fn revoke(error: &RevokeError) -> Refusal {
    match error {
        RevokeError::Unknown => Refusal::new(FailInfo::BadCertId, error.to_string()),
        RevokeError::AlreadyRevoked => Refusal::new(FailInfo::CertRevoked, error.to_string()),
        RevokeError::Unauthorized => Refusal::new(FailInfo::NotAuthorized, error.to_string()),
        RevokeError::BadReason(_) => Refusal::new(FailInfo::IncorrectData, error.to_string()),
        other => Refusal::ours(other),
    }
}

impl From<ConfirmError> for Refusal {
    fn from(error: ConfirmError) -> Self {
        match &error {
            ConfirmError::Nothing => Self::new(FailInfo::BadRequest, error.to_string()),
            ConfirmError::Confirmed => Self::new(FailInfo::CertConfirmed, error.to_string()),
            ConfirmError::TooLate => Self::new(FailInfo::CertRevoked, error.to_string()),
            ConfirmError::Revoke(error) => revoke(error),
            ConfirmError::Store(error) => Self::ours(error),
        }
    }
}
