//! Admit: the rules decide on the final content, before anything is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::enrollment::{Enrollment, EnrollmentState, Requester};
use domain::id::{CertificateId, TeamId};
use domain::identifier::Identifier;
use domain::issuer::{IssueError, Issuer};
use domain::policy::Violation;
use domain::profile::{KeyEvidence, Profile};
use pki::csr::Csr;
use pki::name::DistinguishedName;
use pki::time::Timestamp;
use store::StoreError;

use super::Admitted;
use super::consider::{ConsiderError, Look, Ready};
use crate::issuers::RouteError;
use crate::metadata::Subject;
use crate::{ClockJumped, Lifecycle};

/// One request for one certificate, as any front end makes it.
#[derive(Debug)]
pub struct EnrollmentRequest {
    pub requester: Requester,
    pub profile: Arc<Profile>,
    /// The names for the subject alternative name.
    pub identifiers: Vec<Identifier>,
    /// A subject that is asked for beside the CSR.
    pub subject: Option<DistinguishedName>,
    /// What is brought forward about the protection of the private key.
    pub key_evidence: Option<KeyEvidence>,
    pub csr: Csr,
    /// JWK thumbprint of the CSR's key, to see whether it is an ACME account's.
    pub key_thumbprint: Option<String>,
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    pub replaces: Option<CertificateId>,
    /// What the requester gave of custom metadata; the rest is inherited.
    pub metadata: BTreeMap<String, String>,
    /// The team that the certificate will be of.
    pub team: Option<TeamId>,
}

/// Why a request goes no further.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    #[error("{}", list(.0))]
    Rejected(Vec<Violation>),
    #[error(transparent)]
    Clock(#[from] ClockJumped),
    #[error(transparent)]
    Route(#[from] RouteError),
    /// The issuer or our linter will not sign this.
    #[error(transparent)]
    Prepare(#[from] IssueError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ConsiderError> for AdmitError {
    fn from(error: ConsiderError) -> Self {
        match error {
            ConsiderError::Prepare(error) => Self::Prepare(error),
            ConsiderError::Store(error) => Self::Store(error),
        }
    }
}

fn list(violations: &[Violation]) -> String {
    let texts: Vec<String> = violations.iter().map(Violation::text).collect();
    texts.join("; ")
}

impl Lifecycle {
    /// Decides on a request and fixes what is to be signed. Writes nothing: the caller stores the
    /// enrollment in the transaction that also binds it to its order.
    pub(crate) async fn admit(&self, request: EnrollmentRequest) -> Result<Admitted, AdmitError> {
        let now = self.clock_watch.check(&*self.clock)?;
        let issuer = self.route(&request.profile.spec, now).await?;
        let considered = self
            .consider(&request, Some(&issuer), now, Look::Brief)
            .await?;
        let Some(Ready {
            request: signing,
            prepared,
        }) = considered.ready
        else {
            return Err(AdmitError::Rejected(considered.violations));
        };
        let metadata = considered.metadata;
        let enrollment = Enrollment {
            id: signing.enrollment.clone(),
            requester: request.requester,
            profile_id: request.profile.id.clone(),
            profile_version: request.profile.version,
            identifiers: request.identifiers,
            subject: request.subject,
            key_evidence: request.key_evidence,
            csr_der: request.csr.der,
            not_before: request.not_before,
            not_after: request.not_after,
            metadata: metadata.values,
            metadata_sources: metadata.sources,
            replaces: request.replaces,
            state: EnrollmentState::Signing {
                issuer: issuer_of(&issuer.issuer),
                prepared,
                attempts: 0,
            },
            team_id: request.team,
            created_at: now,
            updated_at: now,
        };
        Ok(Admitted {
            enrollment,
            profile: request.profile,
            request: signing,
            issuer,
        })
    }
}

impl EnrollmentRequest {
    /// What the values of its metadata depend on.
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            account: match &self.requester {
                Requester::AcmeAccount {
                    account, directory, ..
                } => Some((account, directory)),
                Requester::User { .. } | Requester::Token { .. } | Requester::System => None,
            },
            team: self.team.as_ref(),
            profile: &self.profile,
            identifiers: &self.identifiers,
            replaces: self.replaces.as_ref(),
            given: &self.metadata,
            can_be_asked: self.requester != Requester::System,
        }
    }
}

fn issuer_of(issuer: &Issuer) -> domain::id::IssuerId {
    issuer.id.clone()
}
