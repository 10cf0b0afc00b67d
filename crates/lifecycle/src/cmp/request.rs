//! ir, cr, p10cr and kur: a request into the pipeline, tied to its transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::cmp::{CmpEndpoint, CmpTransaction, RequestForm, TransactionState};
use domain::enrolling::TermsRefusal;
use domain::enrolling::sameness::{NotTheSame, check_same};
use domain::enrolling::{CertificateUse, ClientProof};
use domain::enrollment::{Enrollment, Requester};
use domain::id::{CertificateId, CmpSecretId, EntryPointId, TeamId};
use domain::identifier::Identifier;
use domain::policy;
use domain::profile::Profile;
use pki::crmf::IssuerAndSerial;
use pki::csr::Csr;
use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;
use serde_json::json;
use store::{StoreError, Tx};

use super::progress::CmpProgress;
use super::sender::{CmpSender, Holder};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::issuance::enroll::Companions;
use crate::issuance::facts::values;
use crate::issuance::{AdmitError, EnrollError, EnrollmentRequest};

/// A request as it was read, from a sender who is known.
pub struct CmpRequest {
    pub endpoint: Arc<CmpEndpoint>,
    /// The transactionID in hexadecimal digits.
    pub transaction: String,
    pub form: RequestForm,
    /// The number by which the requester refers to the request.
    pub number: i64,
    /// Of the request's body.
    pub digest: Fingerprint,
    /// The nonce that our answer will have.
    pub nonce: String,
    /// Whether the requester wants to do without a confirmation.
    pub implicit: bool,
    /// The name of the profile that is asked for.
    pub profile: Option<String>,
    pub csr: Csr,
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    /// The certificate that is to be updated, as the request names it.
    pub old_certificate: Option<IssuerAndSerial>,
    pub sender: CmpSender,
}

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CmpRequestError {
    #[error("the endpoint does not issue under a profile `{0}`")]
    NoSuchProfile(String),
    #[error("the transaction's id is in use for another request")]
    TransactionInUse,
    #[error("the shared secret {0}")]
    Secret(#[from] TermsRefusal),
    #[error(
        "an update is signed with the key of the certificate that is updated, or asked for by an authority"
    )]
    UpdateUnsigned,
    #[error("the update names another certificate than the one that signs it")]
    OtherCertificate,
    #[error("there is no certificate here that is to be updated")]
    NothingToUpdate,
    #[error("certificates do not open this endpoint; only their own update is taken")]
    CertificatesClosed,
    #[error("the signer's certificate does not name {0}, so it opens no certificate for it")]
    OtherName(String),
    #[error(transparent)]
    NotTheSame(#[from] NotTheSame),
    #[error(transparent)]
    Enroll(#[from] EnrollError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A transaction that begins with an enrollment, in the enrollment's own database transaction.
pub(crate) struct Begun {
    endpoint: EntryPointId,
    id: String,
    form: RequestForm,
    number: i64,
    proof: ClientProof,
    digest: Fingerprint,
    nonce: String,
    implicit: bool,
    secret: Option<CmpSecretId>,
}

impl Begun {
    /// Writes the transaction, and counts the secret's use: of two requests at once one is told.
    pub(crate) async fn insert(
        self,
        tx: &mut Tx<'_>,
        enrollment: &Enrollment,
        now: Timestamp,
    ) -> Result<(), EnrollError> {
        if let Some(secret) = &self.secret
            && !tx.use_cmp_secret(secret, now).await?
        {
            return Err(EnrollError::PasswordUsed);
        }
        let transaction = CmpTransaction {
            endpoint: self.endpoint,
            id: self.id,
            enrollment: enrollment.id.clone(),
            request: self.form,
            request_number: self.number,
            proof: self.proof,
            digest: self.digest,
            nonce: self.nonce,
            implicit: self.implicit,
            state: TransactionState::Open,
            created_at: now,
            updated_at: now,
        };
        match tx.insert_cmp_transaction(&transaction).await? {
            true => Ok(()),
            false => Err(EnrollError::Repeated),
        }
    }
}

/// What the sender's credential makes of a request.
struct Scope {
    identifiers: Vec<Identifier>,
    replaces: Option<CertificateId>,
    team: Option<TeamId>,
}

impl Lifecycle {
    /// Takes a request and goes as far with it as goes at once. The same request once more, in the
    /// same transaction, is answered with what has become of it.
    pub async fn cmp_request(
        self: &Arc<Self>,
        request: CmpRequest,
        caller: &Caller,
    ) -> Result<CmpProgress, CmpRequestError> {
        let known = self
            .find_cmp_transaction(&request.endpoint.id, &request.transaction)
            .await?;
        if let Some(known) = known {
            let is_repeated = known.proof == request.sender.proof()
                && known.digest == request.digest
                && known.request == request.form;
            return match is_repeated {
                true => Ok(self.cmp_progress(&known, &request.nonce).await?),
                false => Err(CmpRequestError::TransactionInUse),
            };
        }
        let profile = self.cmp_profile(&request).await?;
        let scope = self.scope(&request, &profile).await?;
        let (endpoint, transaction) = (request.endpoint.id.clone(), request.transaction.clone());
        let nonce = request.nonce.clone();
        let (enrollment, with) = prepare(request, Arc::clone(&profile), scope);
        let facts = enrollment.facts();
        let enrolled = self.enroll_with(enrollment, with, caller).await;
        if let Err(EnrollError::Admit(AdmitError::Rejected(violations))) = &enrolled {
            self.note_rejection(facts, violations, caller).await?;
        }
        let enrollment = match enrolled {
            Err(EnrollError::Repeated) => return Err(CmpRequestError::TransactionInUse),
            Err(EnrollError::PasswordUsed) => return Err(TermsRefusal::Used.into()),
            enrolled => enrolled?,
        };
        let begun = self
            .find_cmp_transaction(&endpoint, &transaction)
            .await?
            .ok_or(CmpRequestError::TransactionInUse)?;
        Ok(self.progress_of(&begun, &enrollment, &nonce).await?)
    }

    /// The profile that is asked for: by name among the endpoint's, or the first of them.
    async fn cmp_profile(&self, request: &CmpRequest) -> Result<Arc<Profile>, CmpRequestError> {
        let offered = &request.endpoint.spec.profiles;
        let unknown =
            |name: &str| CmpRequestError::NoSuchProfile(name.chars().take(80).collect::<String>());
        let name = match &request.profile {
            Some(name) if offered.contains(name) => name,
            Some(name) => return Err(unknown(name)),
            None => offered.first().ok_or_else(|| unknown(""))?,
        };
        self.profile(name).await?.ok_or_else(|| unknown(name))
    }

    async fn scope(
        &self,
        request: &CmpRequest,
        profile: &Profile,
    ) -> Result<Scope, CmpRequestError> {
        let csr = &request.csr;
        let identifiers = policy::requested_names(csr, &profile.spec)
            .map_err(|violations| EnrollError::Admit(AdmitError::Rejected(violations)))?;
        let owner = request.endpoint.team_id.clone();
        let owner = owner.or_else(|| profile.team_id.clone());
        if request.form == RequestForm::KeyUpdate {
            return self.scope_of_update(request, identifiers, owner).await;
        }
        match &request.sender {
            CmpSender::Secret(secret) => {
                secret.terms.check_usable(self.now())?;
                secret
                    .terms
                    .check_names(&identifiers, csr.subject.common_name())?;
                Ok(Scope {
                    identifiers,
                    replaces: None,
                    team: secret.terms.team_id.clone().or(owner),
                })
            }
            CmpSender::Holder(holder) => {
                check_opened(holder, &identifiers, request.endpoint.spec.certificates)?;
                Ok(Scope {
                    identifiers,
                    replaces: None,
                    team: holder.inventory.team_id.clone(),
                })
            }
            CmpSender::Authority(_) => Ok(Scope {
                identifiers,
                replaces: None,
                team: owner,
            }),
        }
    }

    /// RFC 9483 section 4.1.3: an update is for the subject and the names of what it updates.
    async fn scope_of_update(
        &self,
        request: &CmpRequest,
        identifiers: Vec<Identifier>,
        owner: Option<TeamId>,
    ) -> Result<Scope, CmpRequestError> {
        let updated = match &request.sender {
            CmpSender::Secret(_) => return Err(CmpRequestError::UpdateUnsigned),
            CmpSender::Holder(holder) => {
                let own = IssuerAndSerial {
                    issuer: holder.certificate.issuer.clone(),
                    serial: holder.certificate.serial.clone(),
                };
                let named = request.old_certificate.as_ref();
                if named.is_some_and(|named| *named != own) {
                    return Err(CmpRequestError::OtherCertificate);
                }
                (**holder).clone()
            }
            CmpSender::Authority(_) => {
                let named = request.old_certificate.as_ref();
                let named = named.ok_or(CmpRequestError::NothingToUpdate)?;
                let found = self.certificate_named(named).await?;
                found.ok_or(CmpRequestError::NothingToUpdate)?
            }
        };
        let certified = updated.certificate.names.iter();
        let identifiers = match identifiers.is_empty() {
            true => certified
                .filter_map(|name| Identifier::from_general_name(name).ok())
                .collect(),
            false => identifiers,
        };
        check_same(&request.csr, &identifiers, &updated.certificate)?;
        Ok(Scope {
            identifiers,
            replaces: Some(updated.inventory.id),
            team: updated.inventory.team_id.or(owner),
        })
    }

    pub(super) async fn find_cmp_transaction(
        &self,
        endpoint: &EntryPointId,
        id: &str,
    ) -> Result<Option<CmpTransaction>, StoreError> {
        let (endpoint, id) = (endpoint.clone(), id.to_owned());
        self.store
            .read("cmp_transaction.find", |tx| {
                Box::pin(async move { tx.find_cmp_transaction(&endpoint, &id).await })
            })
            .await
    }
}

/// Whether a certificate opens another one for these names.
fn check_opened(
    holder: &Holder,
    identifiers: &[Identifier],
    opens: CertificateUse,
) -> Result<(), CmpRequestError> {
    match opens {
        CertificateUse::Off => Err(CmpRequestError::CertificatesClosed),
        CertificateUse::AnyNames => Ok(()),
        CertificateUse::SameNames => {
            let certified: Vec<Identifier> = holder
                .certificate
                .names
                .iter()
                .filter_map(|name| Identifier::from_general_name(name).ok())
                .collect();
            match identifiers.iter().find(|one| !certified.contains(one)) {
                Some(other) => Err(CmpRequestError::OtherName(other.to_string())),
                None => Ok(()),
            }
        }
    }
}

fn prepare(
    request: CmpRequest,
    profile: Arc<Profile>,
    scope: Scope,
) -> (EnrollmentRequest, Companions) {
    let proof = request.sender.proof();
    let event = json!({
        "profile": profile.name,
        "names": values(&scope.identifiers),
        "key": "requester",
        "replaces": scope.replaces,
        "team": scope.team,
        "cmp": request.endpoint.name,
    });
    let begun = Begun {
        endpoint: request.endpoint.id.clone(),
        id: request.transaction,
        form: request.form,
        number: request.number,
        proof: proof.clone(),
        digest: request.digest,
        nonce: request.nonce,
        implicit: request.implicit,
        secret: match &request.sender {
            CmpSender::Secret(secret) => Some(secret.id.clone()),
            CmpSender::Holder(_) | CmpSender::Authority(_) => None,
        },
    };
    let enrollment = EnrollmentRequest {
        requester: Requester::Client {
            entry_point: request.endpoint.id.clone(),
            proof,
        },
        profile,
        identifiers: scope.identifiers,
        subject: None,
        key_evidence: None,
        csr: request.csr,
        key_thumbprint: None,
        not_before: request.not_before,
        not_after: request.not_after,
        replaces: scope.replaces,
        metadata: BTreeMap::new(),
        team: scope.team,
    };
    let with = Companions {
        event: Some(event),
        cmp: Some(begun),
        ..Companions::default()
    };
    (enrollment, with)
}
