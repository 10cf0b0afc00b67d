//! What becomes of a request, as SCEP says it (RFC 8894 section 3.3.2).

use axum::response::{IntoResponse, Response};
use domain::enrolling::TermsRefusal;
use domain::enrollment::EnrollmentState;
use domain::policy::Violation;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use lifecycle::StoreError;
use lifecycle::enrolling::{AskError, ProofError};
use lifecycle::issuance::{AdmitError, EnrollError};
use pki::cms::{self, CertsOnly, ContentCipher};
use protocols::scep::{self, Exchange, FailInfo, PKI_MESSAGE, PkiMessage, Reply};

use super::{Failure, Service, Verbs};

/// What a request comes to.
pub(super) enum Outcome {
    /// Certificates and revocation lists, in DER.
    Success {
        certificates: Vec<Vec<u8>>,
        crls: Vec<Vec<u8>>,
    },
    Pending,
    Refused(Refusal),
}

/// A no, with its reason.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) info: FailInfo,
    pub(super) text: String,
}

impl Refusal {
    pub(super) fn new(info: FailInfo, text: impl Into<String>) -> Self {
        Self {
            info,
            text: text.into(),
        }
    }

    pub(super) fn bad_request(text: impl Into<String>) -> Self {
        Self::new(FailInfo::BadRequest, text)
    }

    fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %error, "SCEP request not carried out");
        Self::bad_request("the server could not do it; the cause is in its log")
    }
}

impl Outcome {
    /// Where an enrollment without a certificate stands.
    pub(super) fn of(state: &EnrollmentState) -> Self {
        let refused = |text: String| Self::Refused(Refusal::bad_request(text));
        match state {
            EnrollmentState::AwaitingApproval { .. }
            | EnrollmentState::Approved { .. }
            | EnrollmentState::Signing { .. }
            | EnrollmentState::AwaitingIssuer { .. }
            | EnrollmentState::Issued { .. } => Self::Pending,
            EnrollmentState::Rejected { violations } => refused(told(violations)),
            EnrollmentState::Denied { reason } => {
                refused(format!("the request was denied: {reason}"))
            }
            EnrollmentState::Expired { reason } | EnrollmentState::Cancelled { reason } => {
                refused(format!("the request was given up: {reason}"))
            }
            EnrollmentState::Failed { reason } => {
                refused(format!("the CA did not issue it: {reason}"))
            }
        }
    }
}

/// Signs and, where there is something to keep to oneself, encrypts for who asked.
pub(super) fn render(
    verbs: &Verbs,
    service: &Service,
    message: &PkiMessage,
    outcome: Outcome,
) -> Result<Response, Failure> {
    let sealed = match &outcome {
        Outcome::Success { certificates, crls } => {
            let certificates: Vec<&[u8]> = certificates.iter().map(Vec::as_slice).collect();
            let crls: Vec<&[u8]> = crls.iter().map(Vec::as_slice).collect();
            let bundle = CertsOnly {
                certificates: &certificates,
                crls: &crls,
            };
            let cipher = ContentCipher::Aes128Cbc;
            cms::encrypt(&bundle.to_der(), &message.signer, cipher, verbs.random())
                .map_err(|error| Refusal::new(FailInfo::BadAlgorithm, error.to_string()))
        }
        Outcome::Pending | Outcome::Refused(_) => Ok(Vec::new()),
    };
    let reply = match (&outcome, &sealed) {
        (Outcome::Refused(refusal), _) | (_, Err(refusal)) => Reply::Failure {
            info: refusal.info,
            text: &refusal.text,
        },
        (Outcome::Success { .. }, Ok(envelope)) => Reply::Success { envelope },
        (Outcome::Pending, Ok(_)) => Reply::Pending,
    };
    let nonce: [u8; 16] = verbs.random().octets();
    let exchange = Exchange {
        transaction_id: &message.transaction_id,
        sender_nonce: &nonce,
        signer: &service.ra.certificate,
        key: &service.ra.signing,
    };
    let signed = scep::reply(&reply, &message.sender_nonce, &exchange).map_err(|error| {
        tracing::error!(error = %error, "SCEP request not answered");
        Failure::Unavailable("the answer cannot be signed; the cause is in the log\n")
    })?;
    let headers = [(CONTENT_TYPE, PKI_MESSAGE), (CACHE_CONTROL, "no-store")];
    Ok((headers, signed).into_response())
}

fn told(violations: &[Violation]) -> String {
    let texts: Vec<String> = violations.iter().map(Violation::text).collect();
    texts.join("; ")
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "SCEP request not carried out");
        Self::bad_request("the store does not answer; try again later")
    }
}

impl From<ProofError> for Refusal {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Store(error) => error.into(),
            ProofError::WrongPassword => Self::bad_request("the challenge password is not right"),
            ProofError::Password(_) | ProofError::Certificate(_) | ProofError::Acme => {
                Self::bad_request(error.to_string())
            }
        }
    }
}

impl From<AskError> for Refusal {
    fn from(error: AskError) -> Self {
        let text = error.to_string();
        match error {
            AskError::Store(error)
            | AskError::Enroll(
                EnrollError::Store(error) | EnrollError::Admit(AdmitError::Store(error)),
            ) => error.into(),
            AskError::NoProfile(_)
            | AskError::Build(_)
            | AskError::Key(_)
            | AskError::Enroll(EnrollError::Key(_)) => Self::internal(&error),
            AskError::Password(
                TermsRefusal::Revoked
                | TermsRefusal::Expired
                | TermsRefusal::Used
                | TermsRefusal::Name(_),
            )
            | AskError::CertificateNotEnough
            | AskError::NothingToRenew
            | AskError::OtherProfile
            | AskError::NotTheSame(_)
            | AskError::Csr(_)
            | AskError::Enroll(
                EnrollError::Admit(_)
                | EnrollError::Replaced(..)
                | EnrollError::BeingReplaced(..)
                | EnrollError::Settled
                | EnrollError::Repeated
                | EnrollError::PasswordUsed,
            ) => Self::bad_request(text),
        }
    }
}
