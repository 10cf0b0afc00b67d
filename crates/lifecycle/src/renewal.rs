//! Renewal: a new certificate for the names of one that was issued here.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::certificate::InventoryCertificate;
use domain::enrollment::Enrollment;
use domain::id::{BulkId, CertificateId};
use domain::profile::{KeyEvidence, Profile};
use pki::certificate::Certificate;
use pki::csr::Csr;
use pki::key::KeyAlgorithm;
use pki::name::DistinguishedName;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::issuance::submit::{KeySource, Submission, SubmitError, ValidityWish};

/// How a certificate is to be renewed.
#[derive(Clone, Debug)]
pub struct Renewal {
    pub certificate: CertificateId,
    pub key: RenewalKey,
    pub validity: ValidityWish,
    /// For another key; what was brought forward for the key that the certificate has is inherited.
    pub key_evidence: Option<KeyEvidence>,
    pub attestation: Option<Vec<u8>>,
    /// Metadata that changes; the rest is inherited.
    pub metadata: BTreeMap<String, String>,
}

/// Which key the new certificate gets.
#[derive(Clone, Debug)]
pub enum RenewalKey {
    /// The one that the certificate has, as its request once proved it.
    Same,
    /// That of a new request; PKCS #10, DER.
    Csr(Vec<u8>),
    /// That of a new request, and it must be another one.
    NewCsr(Vec<u8>),
    /// One that is made here.
    Server(KeyAlgorithm),
}

/// Why a certificate is not renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    #[error("there is no certificate {0}")]
    Unknown(CertificateId),
    #[error(
        "the certificate {0} was not issued through a profile here; enroll for a new one with \
         `replaces`"
    )]
    NotIssuedHere(CertificateId),
    #[error("the profile that the certificate was issued under is gone; enroll under another")]
    NoProfile,
    #[error("the certificate {0} was renewed already, by {1}")]
    Renewed(CertificateId, CertificateId),
    #[error(
        "the certificate is revoked because its key was compromised; re-key it instead of renewing it"
    )]
    Compromised,
    #[error("this is the key that the certificate has; re-keying needs another one")]
    SameKey,
    #[error("the certificate's own request can no longer be read: {0}; send a new CSR")]
    OldRequest(String),
    #[error(transparent)]
    Submit(#[from] SubmitError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Asks for a certificate in place of another: same names, same profile as it is now, metadata
    /// inherited.
    pub async fn renew(
        self: &Arc<Self>,
        renewal: Renewal,
        caller: &Caller,
    ) -> Result<Enrollment, RenewError> {
        let submission = self.renewal_submission(renewal, None).await?;
        Ok(self.submit(submission, caller).await?)
    }

    /// What is submitted for a renewal, on its own or as part of a bulk action.
    pub(crate) async fn renewal_submission(
        &self,
        renewal: Renewal,
        bulk: Option<BulkId>,
    ) -> Result<Submission, RenewError> {
        let id = &renewal.certificate;
        let certificate = self
            .certificate(id)
            .await?
            .ok_or_else(|| RenewError::Unknown(id.clone()))?;
        if let Some(by) = &certificate.replaced_by {
            return Err(RenewError::Renewed(id.clone(), by.clone()));
        }
        let enrolled = self.enrollment_of(&certificate).await?;
        let profile = self.profile_of(&certificate).await?;
        let keeps_key = matches!(renewal.key, RenewalKey::Same);
        let key = key_of(renewal.key, &certificate, &enrolled)?;
        let inherited = enrolled.key_evidence.filter(|_| keeps_key);
        Ok(Submission {
            subject: enrolled.subject,
            key_evidence: renewal.key_evidence.or(inherited),
            attestation: renewal.attestation,
            validity: renewal.validity,
            team: certificate.team_id.clone(),
            metadata: renewal.metadata,
            replaces: Some(renewal.certificate.clone()),
            bulk,
            ..Submission::new(profile.name, key, enrolled.identifiers)
        })
    }

    async fn enrollment_of(
        &self,
        certificate: &InventoryCertificate,
    ) -> Result<Enrollment, RenewError> {
        let stranger = || RenewError::NotIssuedHere(certificate.id.clone());
        let id = certificate.enrollment_id.as_ref().ok_or_else(stranger)?;
        self.enrollment(id).await?.ok_or_else(stranger)
    }

    async fn profile_of(&self, certificate: &InventoryCertificate) -> Result<Profile, RenewError> {
        let profiles = self.profiles().await?;
        profiles
            .into_iter()
            .find(|profile| certificate.profile_id.as_ref() == Some(&profile.id))
            .ok_or(RenewError::NoProfile)
    }
}

fn key_of(
    wish: RenewalKey,
    certificate: &InventoryCertificate,
    enrolled: &Enrollment,
) -> Result<KeySource, RenewError> {
    match wish {
        RenewalKey::Same if is_compromised(certificate) => Err(RenewError::Compromised),
        RenewalKey::Same => Ok(KeySource::Accepted(enrolled.csr_der.clone())),
        RenewalKey::Csr(der) => Ok(KeySource::Csr(der)),
        RenewalKey::NewCsr(der) => {
            let csr = Csr::from_der(&der).map_err(SubmitError::from)?;
            match csr.public_key.spki_sha256() == certificate.spki_sha256 {
                true => Err(RenewError::SameKey),
                false => Ok(KeySource::Csr(der)),
            }
        }
        RenewalKey::Server(algorithm) => Ok(KeySource::Server {
            algorithm,
            subject: subject_of(certificate)?,
        }),
    }
}

fn is_compromised(certificate: &InventoryCertificate) -> bool {
    certificate.revocation.is_some_and(|revocation| {
        revocation.reason == pki::revocation::RevocationReason::KeyCompromise
    })
}

fn subject_of(certificate: &InventoryCertificate) -> Result<DistinguishedName, RenewError> {
    Certificate::from_der(&certificate.der)
        .map(|certificate| certificate.subject)
        .map_err(|error| RenewError::OldRequest(error.to_string()))
}
