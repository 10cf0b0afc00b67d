//! What a client asks for: made into a request for the pipeline, once, however often it is sent.

use std::sync::Arc;
use std::time::Duration;

use domain::certificate::InventoryCertificate;
use domain::enrolling::sameness::{NotTheSame, check_same};
use domain::enrolling::{CertificateUse, EntryPoint, EntryPointSpec, TermsRefusal};
use domain::enrollment::{Enrollment, EnrollmentState, Requester};
use domain::event::ActorKind;
use domain::id::{EnrollmentId, EnrollmentPasswordId};
use domain::identifier::Identifier;
use domain::policy::{self, Violation};
use domain::profile::Profile;
use pki::csr::{self, Csr, CsrBuildError, CsrError};
use pki::key::{KeyAlgorithm, KeyError, KeyKind, LocalKey};
use serde_json::json;
use store::StoreError;
use store::client_requests::ClientRequest;

use super::Client;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::issuance::enroll::Companions;
use crate::issuance::facts::values;
use crate::issuance::{AdmitError, EnrollError, EnrollmentRequest};

/// What a client asks for, and who it is.
#[derive(Clone, Debug)]
pub struct ClientAsk {
    pub client: Client,
    /// The same for the same request of the same client, and for no other.
    pub reference: String,
    pub csr: Csr,
    pub renewal: Renewal,
    /// Whether a key is to be made here, of the kind of the CSR's.
    pub server_key: bool,
}

/// Whether a request says that it renews the certificate that the client shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It does: same subject, same names.
    Yes,
    /// It does not; what the certificate opens then, the entry point says.
    No,
}

/// Why a client gets nothing. What the rules refuse is in [`EnrollError`].
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("the profile `{0}` of this entry point is gone; an operator has to name another")]
    NoProfile(String),
    #[error("the enrollment password {0}")]
    Password(#[from] TermsRefusal),
    #[error("a certificate opens only its own renewal here; show an enrollment password")]
    CertificateNotEnough,
    #[error(
        "only the holder of a certificate of this CA can renew one: show it in the TLS handshake"
    )]
    NothingToRenew,
    #[error("the certificate was issued under another profile than the one of this entry point")]
    OtherProfile,
    #[error(transparent)]
    NotTheSame(#[from] NotTheSame),
    #[error("the CSR cannot be made: {0}")]
    Build(#[from] CsrBuildError),
    #[error(transparent)]
    Csr(#[from] CsrError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Enroll(#[from] EnrollError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AskError {
    /// The rules that were broken, where it is those.
    pub fn violations(&self) -> Option<&[Violation]> {
        match self {
            Self::Enroll(EnrollError::Admit(AdmitError::Rejected(violations))) => Some(violations),
            _ => None,
        }
    }
}

/// What is stored of a client's request together with its enrollment.
#[derive(Clone, Debug)]
pub(crate) struct ClientRow {
    pub(crate) request: ClientRequest,
    /// The enrollment that ended and is asked for again.
    pub(crate) instead_of: Option<EnrollmentId>,
    /// Counted with the enrollment.
    pub(crate) password: Option<EnrollmentPasswordId>,
}

/// What is known of a request that came before.
enum Before {
    Nothing,
    /// It is answered with this.
    Standing(Box<Enrollment>),
    /// It ended, and long enough ago to be asked for again.
    Ended(EnrollmentId),
}

impl Lifecycle {
    /// Asks for a certificate as a client of an entry point, or comes back for it.
    pub async fn ask_as_client(
        self: &Arc<Self>,
        point: &EntryPoint,
        ask: ClientAsk,
        origin: &Caller,
    ) -> Result<Enrollment, AskError> {
        let caller = self.client_caller(&ask.client, origin);
        let mut instead_of = None;
        match self.asked_before(point, &ask.reference).await? {
            Before::Standing(enrollment) => return Ok(*enrollment),
            Before::Ended(id) => instead_of = Some(id),
            Before::Nothing => {}
        }
        let (request, mut with) = self.client_request(point, &ask, &caller).await?;
        if let Some(row) = &mut with.client {
            row.instead_of = instead_of;
        }
        let mut facts = request.facts();
        facts["protocol"] = json!(point.spec.protocol());
        facts["entry_point"] = json!(point.name);
        let enrolled = self.enroll_with(request, with, &caller).await;
        match enrolled {
            // Two at once: who lost is answered with what the other one made.
            Err(EnrollError::Repeated) => match self.asked_before(point, &ask.reference).await? {
                Before::Standing(enrollment) => Ok(*enrollment),
                Before::Nothing | Before::Ended(_) => Err(EnrollError::Repeated.into()),
            },
            Err(EnrollError::PasswordUsed) => Err(TermsRefusal::Used.into()),
            Err(error) => {
                let error = AskError::from(error);
                if let Some(violations) = error.violations() {
                    self.note_rejection(facts, violations, &caller).await?;
                }
                Err(error)
            }
            Ok(enrollment) => Ok(enrollment),
        }
    }

    /// The enrollment that a client asked for before under this reference, if it still stands.
    pub async fn find_asked(
        &self,
        point: &EntryPoint,
        reference: &str,
    ) -> Result<Option<Enrollment>, StoreError> {
        Ok(match self.asked_before(point, reference).await? {
            Before::Standing(enrollment) => Some(*enrollment),
            Before::Nothing | Before::Ended(_) => None,
        })
    }

    /// How verbs and events know a client.
    pub fn client_caller(&self, client: &Client, origin: &Caller) -> Caller {
        let mut caller = origin.clone();
        caller.actor.kind = ActorKind::Client;
        client.proof().id().clone_into(&mut caller.actor.id);
        caller
    }

    async fn asked_before(
        &self,
        point: &EntryPoint,
        reference: &str,
    ) -> Result<Before, StoreError> {
        let (id, reference) = (point.id.clone(), reference.to_owned());
        let found = self
            .store
            .read("client_request.find", move |tx| {
                Box::pin(async move {
                    let Some(request) = tx.find_client_request(&id, &reference).await? else {
                        return Ok(None);
                    };
                    let Some(enrollment) = tx.find_enrollment(&request.enrollment).await? else {
                        return Ok(None);
                    };
                    let certificate = match &enrollment.state {
                        EnrollmentState::Issued { certificate } => {
                            tx.find_certificate(certificate).await?
                        }
                        _ => None,
                    };
                    Ok::<_, StoreError>(Some((enrollment, certificate)))
                })
            })
            .await?;
        let Some((enrollment, certificate)) = found else {
            return Ok(Before::Nothing);
        };
        Ok(match self.still_stands(&enrollment, certificate.as_ref()) {
            true => Before::Standing(Box::new(enrollment)),
            false => Before::Ended(enrollment.id),
        })
    }

    /// What waits is waited for. A certificate is given again during the first half of its life, so that a
    /// lost answer costs nothing and a client that never changes its CSR still gets new ones. A refusal is
    /// repeated for a while, so that nobody is asked again each minute.
    fn still_stands(
        &self,
        enrollment: &Enrollment,
        certificate: Option<&InventoryCertificate>,
    ) -> bool {
        let now = self.now();
        match &enrollment.state {
            EnrollmentState::Issued { .. } => certificate.is_some_and(|certificate| {
                let life = certificate.not_after.since(certificate.not_before);
                let half = certificate.not_before + life / 2;
                certificate.revocation.is_none() && now < half
            }),
            EnrollmentState::Denied { .. } => now.since(enrollment.updated_at) < DENIED_FOR,
            state if state.is_final() => now.since(enrollment.updated_at) < TOLD_FOR,
            _ => true,
        }
    }

    async fn client_request(
        &self,
        point: &EntryPoint,
        ask: &ClientAsk,
        caller: &Caller,
    ) -> Result<(EnrollmentRequest, Companions), AskError> {
        let now = self.now();
        let profile = self
            .profile(point.spec.profile())
            .await?
            .ok_or_else(|| AskError::NoProfile(point.spec.profile().to_owned()))?;
        let identifiers = policy::requested_names(&ask.csr, &profile.spec)
            .map_err(|violations| EnrollError::Admit(AdmitError::Rejected(violations)))?;
        check_client(point, ask, &profile, &identifiers)?;
        let password = match &ask.client {
            Client::Password(password) => {
                password.terms.check_usable(now)?;
                password
                    .terms
                    .check_names(&identifiers, ask.csr.subject.common_name())?;
                Some(password)
            }
            Client::Known { .. } | Client::Stranger(_) | Client::Authority(_) => None,
        };
        let (csr, key) = match ask.server_key {
            true => server_key(&ask.csr, &profile).await?,
            false => (ask.csr.clone(), None),
        };
        let replaced = match &ask.client {
            Client::Known { entry, .. } if ask.renewal == Renewal::Yes => Some(entry),
            Client::Known { .. }
            | Client::Password(_)
            | Client::Stranger(_)
            | Client::Authority(_) => None,
        };
        let proof = ask.client.proof();
        let team = replaced
            .and_then(|entry| entry.team_id.clone())
            .or_else(|| password.and_then(|password| password.terms.team_id.clone()))
            .or_else(|| point.team_id.clone())
            .or_else(|| profile.team_id.clone());
        // Who lost the answer to an earlier renewal, and its key with it, renews once more.
        let replaces = replaced
            .filter(|entry| entry.replaced_by.is_none())
            .map(|entry| entry.id.clone());
        let event = json!({
            "protocol": point.spec.protocol(),
            "entry_point": point.name,
            "profile": profile.name,
            "names": values(&identifiers),
            "client": proof,
            "key": if key.is_some() { "server" } else { "requester" },
            "replaces": replaces,
            "team": team,
        });
        let with = Companions {
            key,
            event: Some(event),
            client: Some(ClientRow {
                request: ClientRequest {
                    entry_point: point.id.clone(),
                    reference: ask.reference.clone(),
                    // Put right when the enrollment has its id.
                    enrollment: EnrollmentId::mint(now, &*self.random),
                    client: caller.actor.id.clone(),
                    created_at: now,
                },
                instead_of: None,
                password: password.map(|password| password.id.clone()),
            }),
            ..Companions::default()
        };
        let request = EnrollmentRequest {
            requester: Requester::Client {
                entry_point: point.id.clone(),
                proof,
            },
            profile,
            identifiers,
            subject: None,
            key_evidence: None,
            csr,
            key_thumbprint: None,
            not_before: None,
            not_after: None,
            replaces,
            metadata: std::collections::BTreeMap::new(),
            team,
        };
        Ok((request, with))
    }

    /// Forgets what clients called requests that are long over.
    pub(crate) async fn forget_client_requests(&self) -> Result<(), StoreError> {
        let before = self.now() - self.settings.retention;
        loop {
            let deleted = self
                .store
                .write("client_request.purge", move |tx| {
                    Box::pin(async move { tx.delete_old_client_requests(before, BATCH).await })
                })
                .await?;
            if deleted == 0 {
                return Ok(());
            }
        }
    }
}

/// What the client's certificate opens, where that is what it showed.
fn check_client(
    point: &EntryPoint,
    ask: &ClientAsk,
    profile: &Profile,
    identifiers: &[Identifier],
) -> Result<(), AskError> {
    let opens = match &point.spec {
        EntryPointSpec::Est(rules) => rules.certificates,
        EntryPointSpec::Scep(_) => CertificateUse::Off,
    };
    let (entry, certificate) = match (&ask.client, ask.renewal) {
        // An authority vouches for others: it renews and begins alike, and replaces nothing of its own.
        (Client::Password(_), Renewal::No) | (Client::Authority(_), _) => return Ok(()),
        (Client::Password(_) | Client::Stranger(_), Renewal::Yes) => {
            return Err(AskError::NothingToRenew);
        }
        (Client::Known { .. } | Client::Stranger(_), Renewal::No)
            if opens == CertificateUse::AnyNames =>
        {
            return Ok(());
        }
        (Client::Known { entry, certificate }, renewal)
            if renewal == Renewal::Yes || opens == CertificateUse::SameNames =>
        {
            (entry, certificate)
        }
        (Client::Known { .. } | Client::Stranger(_), _) => {
            return Err(AskError::CertificateNotEnough);
        }
    };
    // A certificate for one thing opens no other, even for the same names.
    if entry.profile_id.as_ref() != Some(&profile.id) {
        return Err(AskError::OtherProfile);
    }
    Ok(check_same(&ask.csr, identifiers, certificate)?)
}

/// A key of the kind that the CSR has, if the profile takes it, else of the one that it likes best; and a
/// CSR for it that names what the client's names (RFC 7030 section 4.4.1).
async fn server_key(
    asked: &Csr,
    profile: &Profile,
) -> Result<(Csr, Option<(LocalKey, KeyAlgorithm)>), AskError> {
    let kinds = &profile.spec.key_algorithms;
    let same = kinds
        .iter()
        .find(|algorithm| KeyKind::from(**algorithm) == *asked.public_key.kind());
    let algorithm = same.or(kinds.first()).copied();
    let algorithm = algorithm.unwrap_or(KeyAlgorithm::EcP256);
    // A large RSA key takes seconds.
    let made = tokio::task::spawn_blocking(move || LocalKey::generate(algorithm));
    let key = made
        .await
        .map_err(|_| KeyError::Provider("generate a key"))??;
    let der = csr::build(&asked.subject, &asked.subject_alt_names, &[], &key)?;
    Ok((Csr::from_der(&der)?, Some((key, algorithm))))
}

/// Stores what a client calls its request, and counts its password.
pub(crate) async fn store_client_row(
    tx: &mut store::Tx<'_>,
    enrollment: &Enrollment,
    mut row: ClientRow,
) -> Result<(), EnrollError> {
    row.request.enrollment = enrollment.id.clone();
    let is_first = match &row.instead_of {
        Some(ended) => tx.replace_client_request(&row.request, ended).await?,
        None => tx.insert_client_request(&row.request).await?,
    };
    if !is_first {
        return Err(EnrollError::Repeated);
    }
    match &row.password {
        Some(id)
            if !tx
                .use_enrollment_password(id, row.request.created_at)
                .await? =>
        {
            Err(EnrollError::PasswordUsed)
        }
        Some(_) | None => Ok(()),
    }
}

const DENIED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
const TOLD_FOR: Duration = Duration::from_secs(10 * 60);
const BATCH: u32 = 500;
