//! When to renew, for anyone who asks (RFC 9773 section 4).

use domain::profile::RenewalRules;
use domain::renewal::{self, RenewalWindow};
use pki::ari::CertId;
use store::StoreError;

use domain::certificate::InventoryCertificate;

use crate::Lifecycle;

impl Lifecycle {
    /// The window for a certificate; `None` for one that is not ours.
    pub async fn renewal_window(
        &self,
        cert_id: &CertId,
    ) -> Result<Option<RenewalWindow>, StoreError> {
        let now = self.now();
        let Some(certificate) = self.certificate_by_cert_id(cert_id).await? else {
            return Ok(None);
        };
        let own = renewal::suggest(
            certificate.not_before,
            certificate.not_after,
            certificate.revocation.is_some(),
            self.renewal_rules(&certificate).await?,
            now,
        );
        if certificate.replaced_by.is_some() || certificate.revocation.is_some() {
            return Ok(Some(own));
        }
        let pulled = self.pulled_forward(&certificate).await?;
        let advised = self.advised(&certificate).await?;
        Ok(Some(own.or_earlier(pulled).or_earlier(advised)))
    }

    /// The window that a migration to another issuer gives a certificate.
    async fn pulled_forward(
        &self,
        certificate: &InventoryCertificate,
    ) -> Result<Option<RenewalWindow>, StoreError> {
        let id = certificate.id.clone();
        let pull = self
            .store
            .read("issuer_migration.pull", |tx| {
                Box::pin(async move { tx.find_pull(&id).await })
            })
            .await?;
        Ok(pull.map(|(migration, pulled_at)| {
            let (start, end) = migration.window(pulled_at);
            RenewalWindow { start, end }
        }))
    }

    /// The rules for renewal as its profile has them now: they are advice, and may change.
    pub async fn renewal_rules(
        &self,
        certificate: &InventoryCertificate,
    ) -> Result<Option<RenewalRules>, StoreError> {
        let (Some(id), Some(version)) = (&certificate.profile_id, certificate.profile_version)
        else {
            return Ok(None);
        };
        let Some(issued_under) = self.profile_version(id, version).await? else {
            return Ok(None);
        };
        let current = self.profile(&issued_under.name).await?;
        Ok(current.unwrap_or(issued_under).spec.renewal)
    }

    /// The certificate with that authority key identifier and serial.
    pub(crate) async fn certificate_by_cert_id(
        &self,
        cert_id: &CertId,
    ) -> Result<Option<InventoryCertificate>, StoreError> {
        let (authority, serial) = (cert_id.key_identifier.clone(), cert_id.serial.clone());
        self.store
            .read("certificate.by_serial", |tx| {
                Box::pin(async move { tx.find_certificate_by_serial(&authority, &serial).await })
            })
            .await
    }
}
