//! Admit: the rules decide on the final content, before anything is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::enrollment::{Enrollment, EnrollmentState, Requester};
use domain::id::{CertificateId, EnrollmentId, TeamId};
use domain::identifier::Identifier;
use domain::issuer::{IssueError, Issuer};
use domain::metadata::{Resolved, Source};
use domain::policy::Violation;
use domain::profile::{KeyEvidence, Profile};
use pki::csr::{Csr, CsrError};
use pki::name::DistinguishedName;
use pki::time::Timestamp;
use store::StoreError;

use super::consider::{ConsiderError, Look, Ready};
use super::{Admission, Admitted, Deferred};
use crate::issuers::{ConnectedIssuer, RouteError};
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
    /// Decides on a request and fixes what is to be signed, or whom to ask first. Writes nothing:
    /// the caller stores the enrollment in the transaction that also binds it to its order.
    pub(crate) async fn admit(&self, request: EnrollmentRequest) -> Result<Admission, AdmitError> {
        let now = self.clock_watch.check(&*self.clock)?;
        let (issuer, unfit) = self.issuer_or_later(&request, now).await?;
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
        let profile = Arc::clone(&request.profile);
        let mut enrollment =
            request.into_enrollment(signing.enrollment.clone(), considered.metadata, now);
        // Nobody is asked about what could not be signed; what was drafted to see that is dropped.
        if let Some(waiting) = self
            .ask(&enrollment, &profile, &signing.content, &issuer, now)
            .await?
        {
            return Ok(Admission::Wait(Box::new(waiting)));
        }
        if let Some((reason, at)) = unfit {
            enrollment.state = enrollment.state.after_setback(reason, at);
            return Ok(Admission::Later(Box::new(Deferred {
                enrollment,
                profile,
            })));
        }
        enrollment.state = EnrollmentState::Signing {
            issuer: issuer_of(&issuer.issuer),
            prepared,
            attempts: 0,
            last_error: None,
            retry_at: None,
            decided_at: None,
        };
        Ok(Admission::Sign(Box::new(Admitted {
            enrollment,
            profile,
            request: signing,
            issuer,
        })))
    }

    /// Who signs; or who would, and from when on, where all who can have used up their quotas.
    async fn issuer_or_later(
        &self,
        request: &EnrollmentRequest,
        now: Timestamp,
    ) -> Result<(Arc<ConnectedIssuer>, Option<(String, Timestamp)>), AdmitError> {
        let unfit = match self.route(request, now).await {
            Ok(issuer) => return Ok((issuer, None)),
            Err(RouteError::NoRoute(unfit)) => unfit,
            Err(error) => return Err(error.into()),
        };
        let Some((name, until)) = unfit.frees_first() else {
            return Err(RouteError::from(unfit).into());
        };
        let issuer = self.issuer_by_name(name).await?.ok_or(RouteError::Gone)?;
        Ok((issuer, Some((unfit.to_string(), until))))
    }
}

impl EnrollmentRequest {
    /// The request as it is stored; nothing is prepared yet.
    pub(super) fn into_enrollment(
        self,
        id: EnrollmentId,
        metadata: Resolved,
        now: Timestamp,
    ) -> Enrollment {
        Enrollment {
            id,
            requester: self.requester,
            profile_id: self.profile.id.clone(),
            profile_version: self.profile.version,
            identifiers: self.identifiers,
            subject: self.subject,
            key_evidence: self.key_evidence,
            csr_der: self.csr.der,
            not_before: self.not_before,
            not_after: self.not_after,
            metadata: metadata.values,
            metadata_sources: metadata.sources,
            replaces: self.replaces,
            state: EnrollmentState::approved(),
            team_id: self.team,
            created_at: now,
            updated_at: now,
        }
    }

    /// The request that a stored enrollment was made from, under a version of its profile.
    pub(crate) fn of_enrollment(
        enrollment: &Enrollment,
        profile: Arc<Profile>,
    ) -> Result<Self, CsrError> {
        Ok(Self {
            requester: enrollment.requester.clone(),
            profile,
            identifiers: enrollment.identifiers.clone(),
            subject: enrollment.subject.clone(),
            key_evidence: enrollment.key_evidence.clone(),
            csr: Csr::accepted(&enrollment.csr_der)?,
            // Looked at when the request was made: an account's key is no other's later.
            key_thumbprint: None,
            not_before: enrollment.not_before,
            not_after: enrollment.not_after,
            replaces: enrollment.replaces.clone(),
            // What was inherited or computed is found again.
            metadata: enrollment
                .metadata
                .iter()
                .filter(|(name, _)| {
                    enrollment.metadata_sources.get(*name) == Some(&Source::Requested)
                })
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            team: enrollment.team_id.clone(),
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
                Requester::User { .. }
                | Requester::Token { .. }
                | Requester::Client { .. }
                | Requester::System => None,
            },
            client: match &self.requester {
                Requester::Client { entry_point, proof } => Some((entry_point, proof)),
                Requester::AcmeAccount { .. }
                | Requester::User { .. }
                | Requester::Token { .. }
                | Requester::System => None,
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
