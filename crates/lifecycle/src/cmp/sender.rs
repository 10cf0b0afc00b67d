//! Who sent a message: what its protection proves.

use domain::certificate::{CertificateStatus, InventoryCertificate};
use domain::cmp::{CmpEndpoint, CmpSecret};
use domain::enrolling::ClientProof;
use pki::certificate::{Certificate, KeyUsage};
use pki::fingerprint::Fingerprint;
use store::StoreError;

use crate::Lifecycle;
use crate::authorities;

/// Somebody whose message was protected by what they hold.
#[derive(Clone, Debug)]
pub enum CmpSender {
    /// They know a shared secret.
    Secret(Box<CmpSecret>),
    /// They hold the key of a certificate that was issued here.
    Holder(Box<Holder>),
    /// They are a registration authority that the endpoint trusts.
    Authority(Box<Certificate>),
}

/// A certificate that was issued here, and whose key signed.
#[derive(Clone, Debug)]
pub struct Holder {
    pub inventory: InventoryCertificate,
    pub certificate: Certificate,
}

/// Why a signer is not listened to.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    #[error("the signer's certificate was neither issued here nor is it of a trusted authority")]
    Stranger,
    #[error("the signer's certificate is not valid now")]
    NotValid,
    #[error("the signer's certificate is revoked")]
    Revoked,
    #[error("the signer's certificate is not for signing")]
    Usage,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CmpSender {
    /// The proof, as it is remembered.
    pub fn proof(&self) -> ClientProof {
        match self {
            Self::Secret(secret) => ClientProof::Secret {
                secret: secret.id.clone(),
            },
            Self::Holder(holder) => ClientProof::Certificate {
                certificate: holder.inventory.id.clone(),
            },
            Self::Authority(certificate) => ClientProof::Stranger {
                fingerprint: certificate.fingerprint().to_string(),
            },
        }
    }

    /// Whether they may vouch for the keys of others.
    pub fn is_authority(&self) -> bool {
        matches!(self, Self::Authority(_))
    }
}

impl Lifecycle {
    /// Whose certificate this is. That its key signed is the caller's to see to.
    pub async fn cmp_sender(
        &self,
        endpoint: &CmpEndpoint,
        certificate: Certificate,
    ) -> Result<CmpSender, SenderError> {
        let now = self.now();
        let usage = certificate.key_usage;
        if usage.is_some_and(|usage| !usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
            return Err(SenderError::Usage);
        }
        let fingerprint = certificate.fingerprint();
        // What was stored was checked; one that cannot be read any more is no authority.
        let trusted = authorities::read(&endpoint.spec.authorities).unwrap_or_default();
        if trusted.iter().any(|one| one.fingerprint() == fingerprint) {
            return match (certificate.not_before..=certificate.not_after).contains(&now) {
                true => Ok(CmpSender::Authority(Box::new(certificate))),
                false => Err(SenderError::NotValid),
            };
        }
        let inventory = self.issued_certificate(fingerprint).await?;
        let inventory = inventory.ok_or(SenderError::Stranger)?;
        match inventory.status(now) {
            CertificateStatus::Valid => {}
            CertificateStatus::Revoked => return Err(SenderError::Revoked),
            CertificateStatus::Expired | CertificateStatus::NotYetValid => {
                return Err(SenderError::NotValid);
            }
        }
        Ok(CmpSender::Holder(Box::new(Holder {
            inventory,
            certificate,
        })))
    }

    /// The certificate with that fingerprint, if it was issued through us.
    pub(super) async fn issued_certificate(
        &self,
        fingerprint: Fingerprint,
    ) -> Result<Option<InventoryCertificate>, StoreError> {
        let found = self
            .store
            .read("certificate.by_fingerprint", |tx| {
                Box::pin(async move { tx.find_certificate_by_fingerprint(&fingerprint).await })
            })
            .await?;
        Ok(found.filter(|one| one.issuer_id.is_some() && one.enrollment_id.is_some()))
    }
}
