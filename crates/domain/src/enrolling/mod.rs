//! Enrolling without accounts: the entry points of EST and SCEP, and how their clients say who they are.

pub mod entry_point;
pub mod password;
pub mod sameness;
pub mod secret;
pub mod terms;

pub use entry_point::{
    CertificateUse, ChannelBinding, EntryPoint, EntryPointSpec, EstRules, Protocol, ScepRules,
};
pub use password::EnrollmentPassword;
pub use secret::EnrollmentSecret;
pub use terms::{NewTerms, Terms, TermsRefusal};

use serde::{Deserialize, Serialize};

use crate::id::{CertificateId, CmpSecretId, EnrollmentPasswordId};

/// How a client showed that it may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum ClientProof {
    /// It knew a password.
    Password { password: EnrollmentPasswordId },
    /// It knew a shared secret of CMP.
    Secret { secret: CmpSecretId },
    /// It holds the key of a certificate of our inventory.
    Certificate { certificate: CertificateId },
    /// It holds the key of a certificate by a CA that the configuration trusts, known by its SHA-256.
    Stranger { fingerprint: String },
}

impl ClientProof {
    /// What identifies the client in the audit trail.
    pub fn id(&self) -> &str {
        match self {
            Self::Password { password } => password.as_str(),
            Self::Secret { secret } => secret.as_str(),
            Self::Certificate { certificate } => certificate.as_str(),
            Self::Stranger { fingerprint } => fingerprint,
        }
    }
}
