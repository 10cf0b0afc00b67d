//! Submit: what a person or program asks for over the API, made into a request for the pipeline.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::access::Rights;
use domain::certificate::InventoryCertificate;
use domain::enrollment::{Enrollment, Requester};
use domain::event::ActorKind;
use domain::id::{BulkId, CertificateId, TeamId};
use domain::identifier::Identifier;
use domain::permission::Permission;
use domain::policy::{self, Violation};
use domain::profile::{KeyEvidence, Profile};
use pki::csr::{self, Csr, CsrBuildError, CsrError};
use pki::key::{KeyAlgorithm, KeyError, LocalKey};
use pki::name::{DistinguishedName, GeneralName};
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;

use super::admit::EnrollmentRequest;
use super::enroll::Companions;
use super::facts::values;
use super::{AdmitError, EnrollError, evidence};
use crate::Lifecycle;
use crate::actor::Caller;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Submission {
    pub profile: String,
    pub key: KeySource,
    /// With a CSR these may be left out: then they are the CSR's.
    pub identifiers: Vec<Identifier>,
    /// A subject beside the CSR's; what it says is meant, and refused where it cannot be certified.
    pub subject: Option<DistinguishedName>,
    pub key_evidence: Option<KeyEvidence>,
    /// What the maker of the key's device says of it; checked, it is the evidence.
    pub attestation: Option<Vec<u8>>,
    pub validity: ValidityWish,
    pub metadata: BTreeMap<String, String>,
    /// The team that the certificate will be of; without one it is of the profile's.
    pub team: Option<TeamId>,
    pub replaces: Option<CertificateId>,
    /// The bulk action that this is part of.
    pub bulk: Option<BulkId>,
}

impl Submission {
    /// A request for a certificate that is nothing's renewal.
    pub fn new(profile: String, key: KeySource, identifiers: Vec<Identifier>) -> Self {
        Self {
            profile,
            key,
            identifiers,
            subject: None,
            key_evidence: None,
            attestation: None,
            validity: ValidityWish::default(),
            metadata: BTreeMap::new(),
            team: None,
            replaces: None,
            bulk: None,
        }
    }
}

/// Where the certificate's key comes from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// The requester has it; PKCS #10, DER.
    Csr(Vec<u8>),
    /// The requester has it; a request that was accepted before.
    Accepted(Vec<u8>),
    /// It is made here, for a certificate of this subject, and handed out once.
    Server {
        algorithm: KeyAlgorithm,
        subject: DistinguishedName,
    },
}

/// When the certificate shall be valid; what is left out is the profile's to say.
#[derive(Clone, Copy, Debug, Default)]
pub struct ValidityWish {
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    /// In place of `not_after`, counted from where the certificate begins.
    pub lifetime: Option<Duration>,
}

/// Why nothing was submitted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error("there is no profile `{0}`")]
    NoSuchProfile(String),
    #[error(transparent)]
    Csr(#[from] CsrError),
    #[error("`not_after` and a lifetime exclude each other; give one")]
    TwoEnds,
    #[error("the CSR cannot be made: {0}")]
    Build(#[from] CsrBuildError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("there is no certificate {0} that could be replaced")]
    NothingToReplace(CertificateId),
    #[error(
        "the certificate {0} has no name in common with this request, so this cannot replace it"
    )]
    ReplacesStranger(CertificateId),
    #[error(transparent)]
    Enroll(#[from] EnrollError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SubmitError {
    /// The rules that were broken, where it is those.
    pub fn violations(&self) -> Option<&[Violation]> {
        match self {
            Self::Enroll(EnrollError::Admit(AdmitError::Rejected(violations))) => Some(violations),
            _ => None,
        }
    }
}

/// A request, and the key where it was made here.
pub(crate) struct Prepared {
    pub(crate) request: EnrollmentRequest,
    pub(crate) with: Companions,
}

impl Lifecycle {
    /// Asks for a certificate. What the rules refuse is in the audit trail as well.
    pub async fn submit(
        self: &Arc<Self>,
        submission: Submission,
        caller: &Caller,
    ) -> Result<Enrollment, SubmitError> {
        let prepared = self.prepare_submission(submission, caller).await?;
        let facts = prepared.request.facts();
        let enrolled = self
            .enroll_with(prepared.request, prepared.with, caller)
            .await
            .map_err(SubmitError::from);
        if let Err(error) = &enrolled
            && let Some(violations) = error.violations()
        {
            self.note_rejection(facts, violations, caller).await?;
        }
        enrolled
    }

    /// Everything before the rules: the profile found, the key made, names and dates resolved.
    pub(crate) async fn prepare_submission(
        &self,
        submission: Submission,
        caller: &Caller,
    ) -> Result<Prepared, SubmitError> {
        let profile = self
            .profile(&submission.profile)
            .await?
            .filter(|profile| may_use(profile, submission.team.as_ref(), &caller.rights))
            .ok_or_else(|| SubmitError::NoSuchProfile(submission.profile.clone()))?;
        let team = submission.team.clone();
        let team = team.or_else(|| profile.team_id.clone());
        let (csr, key) = certificate_request(&submission).await?;
        let key_evidence = match &submission.attestation {
            Some(octets) => Some(
                evidence::of_attestation(octets, &profile, &csr, self.now()).map_err(
                    |violation| EnrollError::Admit(AdmitError::Rejected(vec![*violation])),
                )?,
            ),
            None => submission.key_evidence,
        };
        let identifiers = match submission.identifiers.is_empty() {
            true => policy::requested_names(&csr, &profile.spec)
                .map_err(|violations| EnrollError::Admit(AdmitError::Rejected(violations)))?,
            false => submission.identifiers,
        };
        if let Some(replaced) = &submission.replaces {
            self.check_kinship(replaced, &identifiers, &caller.rights)
                .await?;
        }
        let (not_before, not_after) = resolve(submission.validity, &profile, self.now())?;
        let event = json!({
            "profile": profile.name,
            "names": values(&identifiers),
            "key": if key.is_some() { "server" } else { "requester" },
            "replaces": submission.replaces,
            "team": team,
            "bulk": submission.bulk,
        });
        let settles = submission.bulk.zip(submission.replaces.clone());
        let request = EnrollmentRequest {
            requester: requester(caller),
            profile,
            identifiers,
            subject: submission.subject,
            key_evidence,
            csr,
            key_thumbprint: None,
            not_before,
            not_after,
            replaces: submission.replaces,
            metadata: submission.metadata,
            team,
        };
        let with = Companions {
            key,
            settles,
            event: Some(event),
            client: None,
            cmp: None,
        };
        Ok(Prepared { request, with })
    }

    async fn check_kinship(
        &self,
        replaced: &CertificateId,
        identifiers: &[Identifier],
        rights: &Rights,
    ) -> Result<(), SubmitError> {
        let certificate: InventoryCertificate = self
            .certificate(replaced)
            .await?
            .filter(|found| rights.allows(Permission::CertificatesRequest, found.team_id.as_ref()))
            .ok_or_else(|| SubmitError::NothingToReplace(replaced.clone()))?;
        let shares_a_name = identifiers
            .iter()
            .any(|identifier| certificate.names.contains(&identifier.value()));
        // Some profiles name nobody but in the subject.
        let is_nameless = identifiers.is_empty() && certificate.names.is_empty();
        match shares_a_name || is_nameless {
            true => Ok(()),
            false => Err(SubmitError::ReplacesStranger(replaced.clone())),
        }
    }
}

/// The CSR that came, or one for a new key.
async fn certificate_request(
    submission: &Submission,
) -> Result<(Csr, Option<(LocalKey, KeyAlgorithm)>), SubmitError> {
    match &submission.key {
        KeySource::Csr(der) => Ok((Csr::from_der(der)?, None)),
        KeySource::Accepted(der) => Ok((Csr::accepted(der)?, None)),
        KeySource::Server { algorithm, subject } => {
            let algorithm = *algorithm;
            // A large RSA key takes seconds.
            let made = tokio::task::spawn_blocking(move || LocalKey::generate(algorithm));
            let key = made
                .await
                .map_err(|_| KeyError::Provider("generate a key"))??;
            let names: Vec<GeneralName> = submission
                .identifiers
                .iter()
                .map(Identifier::to_general_name)
                .collect();
            let der = csr::build(subject, &names, &[], &key)?;
            Ok((Csr::from_der(&der)?, Some((key, algorithm))))
        }
    }
}

/// A lifetime is counted as the profile's own is: inclusive, from a little before now.
fn resolve(
    wish: ValidityWish,
    profile: &Profile,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Option<Timestamp>), SubmitError> {
    let not_after = match (wish.not_after, wish.lifetime) {
        (Some(_), Some(_)) => return Err(SubmitError::TwoEnds),
        (not_after, None) => not_after,
        (None, Some(lifetime)) => {
            let backdate = Duration::from_secs(profile.spec.backdate_seconds);
            let begins = wish.not_before.unwrap_or(now - backdate).floor_to_second();
            Some(begins + lifetime - Duration::from_secs(1))
        }
    };
    Ok((wish.not_before, not_after))
}

/// A team's profile is for that team, and for those who may ask in it.
fn may_use(profile: &Profile, team: Option<&TeamId>, rights: &Rights) -> bool {
    let owner = profile.team_id.as_ref();
    owner.is_none() || owner == team || rights.allows(Permission::CertificatesRequest, owner)
}

/// Who asks, as the enrollment remembers it.
pub(crate) fn requester(caller: &Caller) -> Requester {
    let id = &caller.actor.id;
    let known = match caller.actor.kind {
        ActorKind::Token => id.parse().ok().map(|token| Requester::Token { token }),
        ActorKind::User => id.parse().ok().map(|user| Requester::User { user }),
        ActorKind::AcmeAccount
        | ActorKind::Client
        | ActorKind::Anonymous
        | ActorKind::Console
        | ActorKind::System => None,
    };
    known.unwrap_or(Requester::System)
}
