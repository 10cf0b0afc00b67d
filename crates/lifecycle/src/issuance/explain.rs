//! Explain: what would become of a request and why, rule by rule. Nothing is written, nothing signed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use domain::id::TeamId;
use domain::identifier::Identifier;
use domain::issuer::IssueError;
use domain::policy::{self, Ledger, Outcome, Step, Violation};
use domain::profile::{KeyEvidence, Profile};
use parking_lot::Mutex;
use pki::certificate::{Certificate, CertificateContent, assemble};
use pki::csr::{self, Csr};
use pki::key::{KeyAlgorithm, LocalKey};
use pki::name::DistinguishedName;
use pki::time::Timestamp;
use store::StoreError;

use super::admit::EnrollmentRequest;
use super::consider::{ConsiderError, Considered, Look, Ready};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::issuers::{ConnectedIssuer, RouteError};

/// A request that nobody makes yet.
#[derive(Debug)]
pub struct ExplainRequest {
    pub profile: Arc<Profile>,
    /// Without one, a key of the first kind that the profile takes is assumed.
    pub csr: Option<Csr>,
    pub key_thumbprint: Option<String>,
    /// Without any, those of the CSR.
    pub identifiers: Vec<Identifier>,
    pub subject: Option<DistinguishedName>,
    pub validity_seconds: Option<u64>,
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    pub key_evidence: Option<KeyEvidence>,
    pub metadata: BTreeMap<String, String>,
    /// The team that would own the certificate; without one it is the profile's.
    pub team: Option<TeamId>,
}

/// What would become of a request.
#[derive(Debug)]
pub struct Explanation {
    pub verdict: Verdict,
    /// Every rule that was looked at, in order.
    pub steps: Vec<Step>,
    /// The name of the issuer that would sign.
    pub issuer: Option<String>,
    /// What would be signed, where nothing is against it.
    pub certificate: Option<Box<CertificateContent>>,
}

/// How a request would come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Approved,
    Rejected,
    /// Nothing that the requester could change.
    Unavailable,
}

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    #[error("no key could be made up for the explanation: {0}")]
    Assumed(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Says what [`admit`](Self::admit) would decide on a request, by the same code.
    pub async fn explain(
        &self,
        asked: ExplainRequest,
        caller: &Caller,
    ) -> Result<Explanation, ExplainError> {
        let now = match self.clock_watch.check(&*self.clock) {
            Ok(now) => now,
            Err(jump) => return Ok(Explanation::unavailable("clock", jump.to_string())),
        };
        let csr_is_assumed = asked.csr.is_none();
        let request = match request_of(asked, caller, now).await? {
            Ok(request) => request,
            Err(violations) => return Ok(Explanation::rejected(violations)),
        };
        let routed = self.route(&request, now).await;
        let (issuer, step) = match routed {
            Ok(issuer) => (Some(issuer), None),
            Err(RouteError::Store(error)) => return Err(error.into()),
            Err(error @ (RouteError::NoRoute(_) | RouteError::Gone | RouteError::Connect(_))) => {
                (None, Some(failed("issuer", error.to_string())))
            }
        };
        let first = step.unwrap_or_else(|| chosen(&request.profile, issuer.as_deref()));
        let look = Look::Full { csr_is_assumed };
        let considered = self.consider(&request, issuer.as_ref(), now, look).await;
        let people = match (&considered, &issuer) {
            (
                Ok(Considered {
                    ready: Some(ready),
                    metadata,
                    ..
                }),
                Some(issuer),
            ) => {
                let signing = &ready.request;
                let profile = Arc::clone(&request.profile);
                let metadata = metadata.clone();
                let enrollment = request.into_enrollment(signing.enrollment.clone(), metadata, now);
                let content = &signing.content;
                Some(
                    self.explain_approval(&enrollment, &profile, content, issuer, now)
                        .await?,
                )
            }
            _ => None,
        };
        let mut explanation = match considered {
            Ok(considered) => explanation_of(considered, issuer.as_deref()),
            Err(ConsiderError::Store(error)) => return Err(error.into()),
            Err(ConsiderError::Prepare(error)) => unsigned(&error),
        };
        explanation.steps.insert(0, first);
        explanation.steps.extend(people);
        explanation.issuer = issuer.map(|issuer| issuer.issuer.name.clone());
        Ok(explanation)
    }
}

impl Explanation {
    fn unavailable(rule: &str, message: String) -> Self {
        Self {
            verdict: Verdict::Unavailable,
            steps: vec![failed(rule, message)],
            issuer: None,
            certificate: None,
        }
    }

    fn rejected(violations: Vec<Violation>) -> Self {
        let mut ledger = Ledger::full();
        violations.into_iter().for_each(|one| ledger.failed(one));
        Self {
            verdict: Verdict::Rejected,
            steps: ledger.close().1,
            issuer: None,
            certificate: None,
        }
    }
}

fn explanation_of(considered: Considered, issuer: Option<&ConnectedIssuer>) -> Explanation {
    let verdict = match (considered.violations.is_empty(), &considered.ready) {
        (true, Some(_)) => Verdict::Approved,
        (false, _) => Verdict::Rejected,
        (true, None) => Verdict::Unavailable,
    };
    Explanation {
        verdict,
        steps: considered.steps,
        issuer: None,
        certificate: considered
            .ready
            .map(|ready| Box::new(final_content(ready, issuer))),
    }
}

/// Neither the requester's fault nor a passing one: the profile or the issuer is not set up right.
fn unsigned(error: &IssueError) -> Explanation {
    Explanation::unavailable("lint", error.to_string())
}

fn failed(rule: &str, message: String) -> Step {
    Step {
        rule: rule.to_owned(),
        outcome: Outcome::Failed,
        message,
        fix: Some("an operator has to mend this; the request is not at fault".to_owned()),
        identifier: None,
    }
}

fn chosen(profile: &Profile, issuer: Option<&ConnectedIssuer>) -> Step {
    let choices = &profile.spec.issuers;
    let weights: Vec<String> = choices
        .iter()
        .map(|choice| format!("{} ({})", choice.issuer, choice.weight))
        .collect();
    let name = issuer.map_or("nobody", |issuer| issuer.issuer.name.as_str());
    Step {
        rule: "issuer".to_owned(),
        outcome: Outcome::Passed,
        message: match choices.len() {
            1 => format!("{name} signs"),
            _ => format!(
                "{name} would sign this time; the active ones take turns by weight: {}",
                weights.join(", ")
            ),
        },
        fix: None,
        identifier: None,
    }
}

/// The content with what the issuer adds to it, read from the very octets it would sign.
fn final_content(ready: Ready, issuer: Option<&ConnectedIssuer>) -> CertificateContent {
    let mut content = ready.request.content;
    let algorithm = issuer
        .and_then(|issuer| issuer.connector.local_ca())
        .map(|ca| ca.key.signature_algorithm());
    let (Some(prepared), Some(algorithm)) = (ready.prepared, algorithm) else {
        return content;
    };
    // Without its signature, which nobody looks at here.
    let der = assemble(&prepared.tbs, algorithm, &[]);
    if let Ok(certificate) = Certificate::from_der(&der) {
        content.not_before = certificate.not_before;
        content.not_after = certificate.not_after;
        content.crl_urls = certificate.crl_urls;
        content.ocsp_urls = certificate.ocsp_urls;
        content.ca_issuer_urls = certificate.ca_issuer_urls;
    }
    content
}

async fn request_of(
    asked: ExplainRequest,
    caller: &Caller,
    now: Timestamp,
) -> Result<Result<EnrollmentRequest, Vec<Violation>>, ExplainError> {
    let profile = asked.profile;
    let spec = &profile.spec;
    let identifiers = match (&asked.csr, asked.identifiers.is_empty()) {
        (Some(csr), true) => match policy::requested_names(csr, spec) {
            Ok(names) => names,
            Err(violations) => return Ok(Err(violations)),
        },
        _ => asked.identifiers,
    };
    let not_after = asked.not_after.or_else(|| {
        let seconds = asked.validity_seconds?;
        Some(policy::end_after(spec, asked.not_before, seconds, now))
    });
    let csr = match asked.csr {
        Some(csr) => csr,
        None => assumed_csr(spec.key_algorithms.first().copied()).await?,
    };
    let team = asked.team.or_else(|| profile.team_id.clone());
    Ok(Ok(EnrollmentRequest {
        requester: super::submit::requester(caller),
        profile,
        identifiers,
        subject: asked.subject,
        key_evidence: asked.key_evidence,
        csr,
        key_thumbprint: asked.key_thumbprint,
        not_before: asked.not_before,
        not_after,
        replaces: None,
        metadata: asked.metadata,
        team,
    }))
}

/// A CSR that names nobody, for a key that lives as long as this process. It is shown to nobody, so
/// one of each kind is enough.
async fn assumed_csr(algorithm: Option<KeyAlgorithm>) -> Result<Csr, ExplainError> {
    let algorithm = algorithm.unwrap_or(KeyAlgorithm::EcP256);
    let known = ASSUMED.lock().get(&algorithm).cloned();
    if let Some(csr) = known {
        return Ok(csr);
    }
    // An RSA key takes its time.
    let made = tokio::task::spawn_blocking(move || {
        let key = LocalKey::generate(algorithm).map_err(|error| error.to_string())?;
        let der = csr::build(&DistinguishedName::empty(), &[], &[], &key)
            .map_err(|error| error.to_string())?;
        Csr::from_der(&der).map_err(|error| error.to_string())
    })
    .await
    .map_err(|error| ExplainError::Assumed(error.to_string()))?
    .map_err(ExplainError::Assumed)?;
    ASSUMED.lock().insert(algorithm, made.clone());
    Ok(made)
}

static ASSUMED: LazyLock<Mutex<HashMap<KeyAlgorithm, Csr>>> = LazyLock::new(Mutex::default);
