//! rr: revocation by who holds the certificate's key, or by a registration authority.

use domain::certificate::InventoryCertificate;
use pki::certificate::Certificate;
use pki::crmf::IssuerAndSerial;
use pki::revocation::RevocationReason;
use store::StoreError;

use super::sender::{CmpSender, Holder};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::revocation::{RevocationSigner, RevokeError};

/// Why a certificate is not revoked over CMP.
#[derive(Debug, thiserror::Error)]
pub enum CmpRevokeError {
    #[error("a revocation is signed with the key of the certificate, or asked for by an authority")]
    Unsigned,
    #[error("the signer may revoke its own certificate and no other")]
    OtherCertificate,
    #[error(transparent)]
    Revoke(#[from] RevokeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Revokes the certificate that is named.
    pub async fn cmp_revoke(
        &self,
        sender: &CmpSender,
        named: &IssuerAndSerial,
        reason: RevocationReason,
        caller: &Caller,
    ) -> Result<(), CmpRevokeError> {
        match sender {
            CmpSender::Secret(_) => Err(CmpRevokeError::Unsigned),
            CmpSender::Holder(holder) => {
                let own = &holder.certificate;
                if named.serial != own.serial || named.issuer != own.issuer {
                    return Err(CmpRevokeError::OtherCertificate);
                }
                let signer = RevocationSigner::Key(own.spki_sha256);
                let id = &holder.inventory.id;
                Ok(self.revoke_by_id(id, reason, signer, caller).await?)
            }
            CmpSender::Authority(authority) => {
                let found = self.certificate_named(named).await?;
                let found = found.ok_or(RevokeError::Unknown)?;
                let name = format!("CMP authority {}", authority.subject);
                let signer = RevocationSigner::Operator(&name);
                let id = &found.inventory.id;
                Ok(self.revoke_by_id(id, reason, signer, caller).await?)
            }
        }
    }

    /// The certificate of one of our issuers that is named by issuer and serial number.
    pub(super) async fn certificate_named(
        &self,
        named: &IssuerAndSerial,
    ) -> Result<Option<Holder>, StoreError> {
        for connected in self.connected_issuers().await?.iter() {
            let chain = connected.connector.chain();
            let ca = chain.certificates().first();
            let ca = ca.and_then(|der| Certificate::from_der(der).ok());
            let Some(ca) = ca.filter(|ca| ca.subject == named.issuer) else {
                continue;
            };
            let key = ca.subject_key_identifier.unwrap_or_default();
            let serial = named.serial.clone();
            let found: Option<InventoryCertificate> = self
                .store
                .read("certificate.by_serial", |tx| {
                    Box::pin(async move { tx.find_certificate_by_serial(&key, &serial).await })
                })
                .await?;
            let holder = found.and_then(|inventory| {
                let certificate = Certificate::from_der(&inventory.der).ok()?;
                Some(Holder {
                    inventory,
                    certificate,
                })
            });
            if holder.is_some() {
                return Ok(holder);
            }
        }
        Ok(None)
    }

    /// The certificate that a transaction has come to.
    pub async fn cmp_certificate(
        &self,
        transaction: &domain::cmp::CmpTransaction,
    ) -> Result<Option<Certificate>, StoreError> {
        let Some(id) = transaction.state.certificate() else {
            return Ok(None);
        };
        let found = self.certificate(id).await?;
        let der = found.map(|found| found.der);
        Ok(der.and_then(|der| Certificate::from_der(&der).ok()))
    }
}
