//! A CMP transaction: the messages from a request to its confirmation, which may be days apart.

use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::enrolling::ClientProof;
use crate::id::{CertificateId, EnrollmentId, EntryPointId};

/// What is kept of a transaction: enough to answer every message that may still come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CmpTransaction {
    pub endpoint: EntryPointId,
    /// The transactionID in hexadecimal digits.
    pub id: String,
    pub enrollment: EnrollmentId,
    pub request: RequestForm,
    /// The number by which the requester refers to its request.
    pub request_number: i64,
    /// Who asked; nobody else confirms or polls.
    pub proof: ClientProof,
    /// Of the request's body: the same request once more is a repetition, another one is not.
    pub digest: Fingerprint,
    /// The nonce of our latest answer, which the next message has to repeat; hexadecimal.
    pub nonce: String,
    /// Whether the requester asked to do without a confirmation.
    pub implicit: bool,
    pub state: TransactionState,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which message began a transaction; its answers are of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestForm {
    /// ir, answered by ip
    Initialization,
    /// cr, answered by cp
    Certification,
    /// kur, answered by kup
    KeyUpdate,
    /// p10cr, answered by cp
    Pkcs10,
}

/// How far a transaction has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum TransactionState {
    /// No certificate was handed out yet.
    Open,
    /// The certificate was handed out; it is revoked unless it is confirmed in time.
    AwaitingConfirmation {
        certificate: CertificateId,
        until: Timestamp,
    },
    /// The certificate is in use.
    Confirmed { certificate: CertificateId },
    /// The requester did not take the certificate, or did not say in time: it is revoked.
    Refused { certificate: CertificateId },
}

impl TransactionState {
    /// The certificate, once there is one.
    pub fn certificate(&self) -> Option<&CertificateId> {
        match self {
            Self::Open => None,
            Self::AwaitingConfirmation { certificate, .. }
            | Self::Confirmed { certificate }
            | Self::Refused { certificate } => Some(certificate),
        }
    }
}
