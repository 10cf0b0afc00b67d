//! Admit: the rules decide on the final content, before anything is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::enrollment::{Enrollment, EnrollmentState, Requester};
use domain::id::{CertificateId, EnrollmentId, TeamId};
use domain::identifier::Identifier;
use domain::issuer::{IssueError, Issuer, SigningRequest};
use domain::policy::{self, Circumstances, Decision, Proposal, Violation};
use domain::profile::Profile;
use pki::csr::Csr;
use pki::time::Timestamp;
use store::StoreError;

use super::Admitted;
use crate::issuers::{ConnectedIssuer, RouteError};
use crate::{ClockJumped, Lifecycle};

/// One request for one certificate, as any front end makes it.
#[derive(Debug)]
pub struct EnrollmentRequest {
    pub requester: Requester,
    pub profile: Arc<Profile>,
    pub identifiers: Vec<Identifier>,
    pub csr: Csr,
    /// JWK thumbprint of the CSR's key, to see whether it is an ACME account's.
    pub key_thumbprint: Option<String>,
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    pub replaces: Option<CertificateId>,
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

fn list(violations: &[Violation]) -> String {
    let texts: Vec<&str> = violations.iter().map(|v| v.message.as_str()).collect();
    texts.join("; ")
}

impl Lifecycle {
    /// Decides on a request and fixes what is to be signed. Writes nothing: the caller stores the
    /// enrollment in the transaction that also binds it to its order.
    pub(crate) async fn admit(&self, request: EnrollmentRequest) -> Result<Admitted, AdmitError> {
        let now = self.clock_watch.check(&*self.clock)?;
        let issuer = self.route(&request.profile.spec, now).await?;
        let at = self.circumstances(&request, &issuer, now).await?;
        let proposal = Proposal {
            identifiers: &request.identifiers,
            csr: &request.csr,
            not_before: request.not_before,
            not_after: request.not_after,
        };
        let content = match policy::decide(&proposal, &request.profile, at) {
            Decision::Approved(content) => *content,
            Decision::Rejected(violations) => return Err(AdmitError::Rejected(violations)),
        };
        let id = EnrollmentId::mint(now, &*self.random);
        let signing = SigningRequest {
            enrollment: id.clone(),
            csr_der: request.csr.der.clone(),
            content,
            kind: request.profile.spec.kind,
            pointers: request.profile.spec.revocation_pointers,
            profile: request.profile.name.clone(),
        };
        let prepared = issuer.connector.prepare(&signing, now)?;
        let enrollment = Enrollment {
            id,
            requester: request.requester,
            profile_id: request.profile.id.clone(),
            profile_version: request.profile.version,
            identifiers: request.identifiers,
            csr_der: request.csr.der,
            not_before: request.not_before,
            not_after: request.not_after,
            metadata: request.metadata,
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

    async fn circumstances(
        &self,
        request: &EnrollmentRequest,
        issuer: &ConnectedIssuer,
        now: Timestamp,
    ) -> Result<Circumstances, StoreError> {
        let key = request.csr.public_key.spki_sha256();
        let thumbprint = request.key_thumbprint.clone();
        let (key_is_blocked, key_is_account_key) = self
            .store
            .read("enrollment.key", |tx| {
                Box::pin(async move {
                    let blocked = tx.is_key_blocked(&key).await?;
                    let account = match thumbprint {
                        Some(thumbprint) => tx.is_account_thumbprint(&thumbprint).await?,
                        None => false,
                    };
                    Ok::<_, StoreError>((blocked, account))
                })
            })
            .await?;
        Ok(Circumstances {
            now,
            issuer_not_after: issuer.connector.not_after(),
            key_is_blocked,
            key_is_account_key,
        })
    }
}

fn issuer_of(issuer: &Issuer) -> domain::id::IssuerId {
    issuer.id.clone()
}
