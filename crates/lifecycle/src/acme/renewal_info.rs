//! When to renew, for anyone who asks (RFC 9773 section 4).

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
        let found = self.certificate_by_cert_id(cert_id).await?;
        Ok(found.map(|certificate| {
            renewal::suggest(
                certificate.not_before,
                certificate.not_after,
                certificate.revocation.is_some(),
                now,
            )
        }))
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
