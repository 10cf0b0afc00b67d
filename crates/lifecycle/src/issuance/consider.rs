//! Consider: what the rules, the issuer and the linter say about a request. Writes nothing, so that
//! deciding and explaining are the same code.

use std::sync::Arc;

use domain::id::{EnrollmentId, TeamId};
use domain::issuer::{ConnectorKind, IssueError, Objection, Prepared, SigningRequest};
use domain::metadata::{Resolved, Values};
use domain::policy::{self, Circumstances, Fault, Ledger, Proposal, Step, Violation};
use domain::profile::ProfileSpec;
use pki::certificate::CertificateContent;
use pki::csr::CsrForm;
use pki::time::Timestamp;
use store::StoreError;

use super::admit::EnrollmentRequest;
use crate::Lifecycle;
use crate::issuers::ConnectedIssuer;

/// How much is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Violations only, to decide.
    Brief,
    /// Every rule, to explain; perhaps with a CSR that was made up for it.
    Full { csr_is_assumed: bool },
}

/// What came of a request.
pub(crate) struct Considered {
    pub(crate) violations: Vec<Violation>,
    /// Every rule with its outcome, where the ledger was a full one.
    pub(crate) steps: Vec<Step>,
    pub(crate) metadata: Resolved,
    /// What is to be signed, where nothing was found against it.
    pub(crate) ready: Option<Ready>,
}

/// A request that may be signed.
pub(crate) struct Ready {
    pub(crate) request: SigningRequest,
    pub(crate) prepared: Option<Prepared>,
}

impl Lifecycle {
    /// Applies every rule. An error is nobody's fault but ours; what the requester can mend is a
    /// violation. Without an issuer, which only an explanation does, nothing is made ready.
    pub(crate) async fn consider(
        &self,
        request: &EnrollmentRequest,
        issuer: Option<&Arc<ConnectedIssuer>>,
        now: Timestamp,
        look: Look,
    ) -> Result<Considered, ConsiderError> {
        let mut ledger = match look {
            Look::Brief => Ledger::brief(),
            Look::Full { .. } => Ledger::full(),
        };
        let csr_is_assumed = matches!(
            look,
            Look::Full {
                csr_is_assumed: true
            }
        );
        let keys = self.key_facts(request).await?;
        let at = Circumstances {
            now,
            issuer: issuer.map_or("", |issuer| issuer.issuer.name.as_str()),
            issuer_not_after: issuer.map_or(FAR_AWAY, |issuer| issuer.connector.not_after()),
            key_is_blocked: keys.is_blocked,
            key_is_account_key: keys.is_account_key,
            key_is_certified: keys.is_certified,
        };
        let team = self
            .team_name(&request.profile.spec, request.team.as_ref())
            .await?;
        let metadata = self.resolve_metadata(request.subject()).await?;
        metadata.tell(&mut ledger);
        let content = policy::judge(
            &request.proposal(&metadata.values, team.as_deref(), csr_is_assumed),
            &request.profile,
            &at,
            &mut ledger,
        );
        let mut ready = match (ledger.count(), issuer) {
            (0, Some(issuer)) => {
                self.prepare(request, issuer, content, &metadata.values, now, &mut ledger)?
            }
            _ => None,
        };
        if let (Some(ready), Some(issuer)) = (&mut ready, issuer) {
            let replaced = request.replaces.as_ref();
            ready.request.replaces = self.predecessor_at(issuer, replaced).await?;
        }
        let (violations, steps) = ledger.close();
        Ok(Considered {
            violations,
            steps,
            metadata,
            ready,
        })
    }

    /// The issuer's own look at the final content, and the linter's at its octets.
    fn prepare(
        &self,
        request: &EnrollmentRequest,
        issuer: &ConnectedIssuer,
        content: CertificateContent,
        metadata: &Values,
        now: Timestamp,
        ledger: &mut Ledger,
    ) -> Result<Option<Ready>, IssueError> {
        let spec = &request.profile.spec;
        let signing = SigningRequest {
            enrollment: EnrollmentId::mint(now, &*self.random),
            csr_der: request.csr.der.clone(),
            content,
            kind: spec.kind,
            pointers: spec.revocation_pointers,
            profile: request.profile.name.clone(),
            metadata: issuer.issuer.told(metadata),
            replaces: None,
        };
        match issuer.connector.prepare(&signing, now) {
            Ok(None) if !takes_form(issuer, request.csr.form) => {
                let violation = Violation::new(
                    "csr.form",
                    Fault::Csr,
                    format!(
                        "the issuer `{}` reads PKCS #10 only, and the request is one of CRMF",
                        issuer.issuer.name
                    ),
                );
                ledger
                    .failed(violation.fix("ask with p10cr, or under a profile of another issuer"));
                Ok(None)
            }
            Ok(prepared) => {
                ledger.passed("lint", || match prepared {
                    Some(_) => "the content is sound, linted before it is signed".to_owned(),
                    None => "the issuer makes the content up itself".to_owned(),
                });
                Ok(Some(Ready {
                    request: signing,
                    prepared,
                }))
            }
            Err(IssueError::Lint(objections)) => {
                let violations: Option<Vec<Violation>> =
                    objections.iter().map(requesters_fault).collect();
                match violations {
                    Some(violations) => violations.into_iter().for_each(|one| ledger.failed(one)),
                    None => return Err(IssueError::Lint(objections)),
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What expressions call a team; the others do not look.
    pub(super) async fn team_name(
        &self,
        spec: &ProfileSpec,
        team: Option<&TeamId>,
    ) -> Result<Option<String>, StoreError> {
        let Some(id) = team.filter(|_| !spec.expressions.is_empty()) else {
            return Ok(None);
        };
        let id = id.clone();
        let found = self
            .store
            .read("team.find", |tx| {
                Box::pin(async move { tx.find_team(&id).await })
            })
            .await?;
        Ok(found.map(|team| team.name))
    }

    async fn key_facts(&self, request: &EnrollmentRequest) -> Result<KeyFacts, StoreError> {
        let key = request.csr.public_key.spki_sha256();
        let thumbprint = request.key_thumbprint.clone();
        let wants_new = request.profile.spec.new_key;
        self.store
            .read("enrollment.key", |tx| {
                Box::pin(async move {
                    Ok::<_, StoreError>(KeyFacts {
                        is_blocked: tx.is_key_blocked(&key).await?,
                        is_account_key: match thumbprint {
                            Some(thumbprint) => tx.is_account_thumbprint(&thumbprint).await?,
                            None => false,
                        },
                        is_certified: wants_new && tx.is_key_certified(&key).await?,
                    })
                })
            })
            .await
    }
}

/// Whether a CA that makes the content up itself can be sent a request of that form.
fn takes_form(issuer: &ConnectedIssuer, form: CsrForm) -> bool {
    match form {
        CsrForm::Pkcs10 => true,
        CsrForm::Crmf => issuer.issuer.connector.kind() == ConnectorKind::Cmp,
    }
}

/// What the store knows of a key. Read for every request: a key that was blocked a moment ago, on
/// whatever node, is refused now.
struct KeyFacts {
    is_blocked: bool,
    is_account_key: bool,
    is_certified: bool,
}

/// The end of an issuer that there is none of: RFC 5280 section 4.1.2.5, without an expiry.
const FAR_AWAY: Timestamp = Timestamp::from_seconds(253_402_300_799);

/// Why a request cannot be considered at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsiderError {
    #[error(transparent)]
    Prepare(#[from] IssueError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EnrollmentRequest {
    /// The request as the rules see it.
    fn proposal<'a>(
        &'a self,
        metadata: &'a Values,
        team: Option<&'a str>,
        csr_is_assumed: bool,
    ) -> Proposal<'a> {
        Proposal {
            requester: &self.requester,
            identifiers: &self.identifiers,
            subject: self.subject.as_ref(),
            csr: &self.csr,
            csr_is_assumed,
            not_before: self.not_before,
            not_after: self.not_after,
            key_evidence: self.key_evidence.as_ref(),
            team,
            metadata,
        }
    }
}

/// The violation that an objection is, where the requester is who can mend it. All else is the
/// profile's fault or ours.
fn requesters_fault(objection: &Objection) -> Option<Violation> {
    let (rule, _) = objection.code.split_once('.')?;
    let (fault, fix) = match (rule, objection.code) {
        ("name_constraints", _) => (Fault::Identifier, "leave it out, or use another issuer"),
        ("san", _) | (_, "br.name" | "smime.name") => (Fault::Identifier, "change the name"),
        ("subject", _) | (_, "smime.subject" | "code_signing.subject") => {
            (Fault::Subject, "change the subject")
        }
        ("key", _) | (_, "code_signing.key") => (Fault::Key, "use another key"),
        _ => return None,
    };
    let code = format!("lint.{}", objection.code);
    Some(Violation::new(code, fault, objection.message.clone()).fix(fix))
}
